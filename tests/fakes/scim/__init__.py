"""A SCIM 2.0 server of our own, in memory, that misbehaves in every way real ones do."""
