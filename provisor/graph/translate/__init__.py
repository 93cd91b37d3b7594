"""From what the product knows to what Graph says, once, at the edge. Pure functions of values."""
