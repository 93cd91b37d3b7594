"""The command line: what is typed, what is shown, how it exits."""
