"""How administrators are told: by mail, and by a webhook."""
