"""Séance: real-time rooms for several people and one spirit."""

VERSION = "0.1.0"
