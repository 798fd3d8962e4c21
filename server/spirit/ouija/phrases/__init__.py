"""What the spirit can say: data only, one line a phrase, with slots in braces."""
