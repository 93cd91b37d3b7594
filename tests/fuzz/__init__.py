"""Hostile input by the million: `make fuzz`. What it finds becomes a test where the fault was."""
