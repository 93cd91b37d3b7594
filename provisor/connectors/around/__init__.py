"""What surrounds connectors of several kinds: the pace of one target, the trace of its answers."""
