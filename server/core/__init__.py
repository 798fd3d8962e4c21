"""What a séance decides; knows no socket and no HTTP."""
