"""What the console works out by itself."""
