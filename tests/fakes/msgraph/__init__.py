"""A tenant of Microsoft Graph, as far as its documentation tells how it behaves."""
