"""The SCIM connector, byte for byte."""
