"""A directory that others push into: what they say is kept, and read from here."""
