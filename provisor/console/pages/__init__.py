"""What each page asks the API, and what of the answer it shows."""
