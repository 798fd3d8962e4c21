"""What survives: tables, the message log, seats, turns; PostgreSQL or SQLite underneath."""
