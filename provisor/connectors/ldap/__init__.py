"""Any directory that speaks LDAP (RFC 4511), as a source and as a target."""
