"""Clients that others wrote, and what drives a running server with them."""
