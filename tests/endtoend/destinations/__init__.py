"""Servers of each kind that an organisation flows into, and other hands in them."""
