"""Graph's JSON: one struct per type, and the only code that knows how its values are written."""
