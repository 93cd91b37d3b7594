"""A directory exported as CSV files: people, groups and who belongs to which group."""
