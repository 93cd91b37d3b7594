"""LDAP itself (RFC 4511): what every connector for a directory of that kind speaks through.

It knows no people and no groups: names, filters, controls, results, and a connection.
"""
