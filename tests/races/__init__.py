"""Each guard against a race twice: with it the promise holds, without it the promise breaks."""
