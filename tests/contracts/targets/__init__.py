"""One suite of promises that every target keeps, whatever is behind it."""
