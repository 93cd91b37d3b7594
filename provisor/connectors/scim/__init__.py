"""SCIM 2.0 targets (spec: scim-target)."""
