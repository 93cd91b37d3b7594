"""Microsoft Graph: users and groups of a tenant, read by delta query and written."""
