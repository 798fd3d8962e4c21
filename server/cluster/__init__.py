"""News between processes: over Redis, or none where there is one process."""
