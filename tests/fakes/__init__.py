"""Servers of our own, for tests."""
