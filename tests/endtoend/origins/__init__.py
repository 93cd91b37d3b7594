"""Servers that hold an organisation: each real, or with the manners of the real one."""
