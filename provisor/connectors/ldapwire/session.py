"""One connection, made when it is needed and made again when it is over."""

from __future__ import annotations

import asyncio

from provisor.connectors.ldapwire.connection import Connection, connect
from provisor.connectors.ldapwire.ear import Ear
from provisor.connectors.ldapwire.endpoint import Credentials, Endpoint


class Session:
    """What an adapter holds instead of a connection: many may ask for it at a time."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        self.endpoint = endpoint
        self.credentials = credentials
        self.ear: Ear | None = None
        """Who is told what is changed."""
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()

    async def connection(self) -> Connection:
        """Return the connection, a new one where the last one is over. Raises Unreachable, Denied.

        Whoever needs all of several requests on one connection keeps the one that was returned.
        """
        if self._connection is not None and self._connection.is_open:
            return self._connection
        async with self._lock:
            if self._connection is None or not self._connection.is_open:
                self._connection = await connect(self.endpoint, self.credentials)
                self._connection.ear = self.ear
            return self._connection

    async def another(self) -> Connection:
        """Return a connection of one's own, to be closed by whoever asked for it."""
        return await connect(self.endpoint, self.credentials)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
