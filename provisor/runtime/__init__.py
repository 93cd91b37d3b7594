"""When cycles run and where: here, embedded in one process on one host."""
