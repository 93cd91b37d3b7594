"""Active Directory: people and groups of a domain, read from and written to its controllers."""
