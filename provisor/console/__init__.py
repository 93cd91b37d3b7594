"""The console: server-rendered pages that show what the API says, and ask it to act."""
