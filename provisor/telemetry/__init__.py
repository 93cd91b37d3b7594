"""What operators are shown of what goes on: measures, log and traces. Nothing here decides."""
