"""Real processes, random faults, and a checker that believes nobody: `python -m tests.faults --help`."""
