"""Between `synchronizationSchema` and the rules of a job: one gate, all problems at once."""
