"""Hearing of changes as they happen (RFC 4533, refreshAndPersist). What changed is not taken from
here: whoever hears runs an ordinary cycle, which reads by its own watermark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from provisor.connectors.ldap import marks
from provisor.connectors.ldap.directory import Directory, open_directory
from provisor.connectors.ldap.settings import Changes, Kind, LdapSettings
from provisor.connectors.ldap.snapshot import how_changes_are_told
from provisor.connectors.ldapwire import sync
from provisor.connectors.ldapwire.ber import Malformed
from provisor.connectors.ldapwire.connection import Connection, connect
from provisor.connectors.ldapwire.controls import SYNC_INFO
from provisor.connectors.ldapwire.messages import Found, Intermediate, Search
from provisor.connectors.ldapwire.results import Code, Result, read_failure
from provisor.connectors.ldapwire.sync import IdSet, PhaseEnded, State
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import Watermark

SILENCE_S: Final = 15.0
"""After so long without a word it is asked whether anybody is there."""
AGAIN_AFTER: Final = (1, 5, 25)
"""After so many silences since the last news a cycle looks again: what a server follows up in the
background (members who were renamed) comes later, and it may tell nobody."""
ANSWER_S: Final = 10.0
"""So long that takes at most: a search that will say nothing more is found out, and begun anew."""


class LdapEars:
    """Implements `ports.Ears` for a directory that synchronises."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._connections: list[Connection] = []

    async def heard(self, since: Watermark | None) -> AsyncIterator[None]:
        directory = await open_directory(self._settings, {})
        try:
            if how_changes_are_told(directory) is not Changes.SYNC:
                return
            async for _ in self._listen(directory, since):
                yield
        finally:
            await directory.close()

    async def close(self) -> None:
        while self._connections:
            await self._connections.pop().close()

    async def _listen(self, directory: Directory, since: Watermark | None) -> AsyncGenerator[None]:
        # Each kind has a connection: a server that is writing to one search keeps others waiting.
        for _ in self._settings.kinds:
            opened = await connect(self._settings.endpoint, self._settings.credentials)
            self._connections.append(opened)
        something = asyncio.Event()
        cookies = _cookies(since)
        listeners = [
            asyncio.create_task(
                _follow(directory, connection, kind, cookies.get(kind.name), something)
            )
            for kind, connection in zip(self._settings.kinds, self._connections, strict=True)
        ]
        silences = max(AGAIN_AFTER)
        try:
            while True:
                waiting = asyncio.create_task(something.wait())
                done, _ = await asyncio.wait(
                    {waiting, *listeners},
                    timeout=SILENCE_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiting.cancel()
                for listener in listeners:
                    if listener in done:
                        listener.result()  # raises: a listener only ends where something is wrong
                if something.is_set():
                    something.clear()
                    silences = 0
                    yield
                elif not done:
                    await asyncio.gather(*map(_is_there, self._connections))
                    silences += 1
                    if silences in AGAIN_AFTER:
                        yield
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)
            await self.close()


async def _is_there(connection: Connection) -> None:
    """Raises Unreachable."""
    try:
        async with asyncio.timeout(ANSWER_S):
            await connection.who_am_i()
    except TimeoutError as silence:
        raise Unreachable(f"{connection.endpoint}: no answer for {ANSWER_S:g} s") from silence


def _cookies(since: Watermark | None) -> dict[str, bytes]:
    if since is None:
        return {}
    try:
        return {**marks.read(since).cookies}
    except WatermarkExpired:
        return {}


async def _follow(
    directory: Directory,
    connection: Connection,
    kind: Kind,
    cookie: bytes | None,
    something: asyncio.Event,
) -> None:
    """Set `something` whenever the server tells of one kind. Raises Unreachable, Denied."""
    while True:
        result = await _one(directory, connection, kind, cookie, something)
        if cookie is None or result.code not in (
            Code.SYNC_REFRESH_REQUIRED,
            Code.UNWILLING_TO_PERFORM,
        ):
            what = f"listening below '{kind.base}' at {directory.where}"
            if result.is_success:
                raise Unreachable(f"{what} ended")
            raise read_failure(result, what)
        cookie = None
        something.set()  # the server is not the one that it was: a cycle will find out


async def _one(
    directory: Directory,
    connection: Connection,
    kind: Kind,
    cookie: bytes | None,
    something: asyncio.Event,
) -> Result:
    whole = directory.search(kind)
    search = Search(
        base=whole.base,
        scope=whole.scope,
        filter=whole.filter,
        attributes=("1.1",),
        controls=(sync.sync_request(sync.REFRESH_AND_PERSIST, cookie),),
    )
    # Without a cookie everything is told at first, and is no news.
    is_news = cookie is not None
    try:
        async for part in connection.search(search, answer_timeout_s=None):
            match part:
                case Result():
                    return part
                case Found():
                    told = sync.entry_state(part.controls)
                    if is_news and (told is None or told.state is not State.PRESENT):
                        something.set()
                case Intermediate(oid, value) if oid == SYNC_INFO:
                    info = sync.sync_info(value)
                    if isinstance(info, PhaseEnded) and info.refresh_done:
                        is_news = True
                    elif is_news and isinstance(info, IdSet) and info.are_deleted:
                        something.set()
                case _:
                    pass
    except Malformed as odd:
        raise Unreachable(f"{directory.where}: {odd}") from odd
    raise AssertionError("a search ends with its result, or raises")
