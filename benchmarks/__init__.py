"""Measuring this checkout: see README.md here."""
