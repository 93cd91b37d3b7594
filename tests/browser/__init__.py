"""The console as a person uses it: real pages of a running server, in a real browser."""
