"""A show of the real thing: invented people, a server that is not ours, cycle after cycle."""
