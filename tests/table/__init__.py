"""The decision table: each of its rows, shown on a whole cycle."""
