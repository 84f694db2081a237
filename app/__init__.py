"""Darwix AI: understand sales calls on your own machines."""

__version__ = "1.0.0"
