"""The HTTP API: Graph's synchronization API for real clients, and what they need around it."""
