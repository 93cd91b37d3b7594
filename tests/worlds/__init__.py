"""Real servers that tests run against: started here, on loopback, and stopped again."""
