"""Real services and clients that the tests start: nothing here knows what is tested."""
