"""Content synchronisation of one kind of object (RFC 4533): everything, or what changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from provisor.connectors.ldap.directory import Directory
from provisor.connectors.ldap.settings import Kind
from provisor.connectors.ldapwire import sync
from provisor.connectors.ldapwire.ber import Malformed
from provisor.connectors.ldapwire.connection import connect
from provisor.connectors.ldapwire.controls import SYNC_INFO
from provisor.connectors.ldapwire.messages import Elsewhere, Found, Intermediate, Search
from provisor.connectors.ldapwire.results import Code, Result, read_failure
from provisor.connectors.ldapwire.sync import IdSet, NewCookie, PhaseEnded, State, SyncDone
from provisor.errors import AdapterError, Denied, Unreachable, WatermarkExpired

INCOMPLETE: Final = "SourceReadIncomplete"


@dataclass(slots=True)
class Batch:
    """Some of what a refresh tells."""

    changed: list[Found] = field(default_factory=list[Found])
    deleted: list[UUID] = field(default_factory=list[UUID])

    def is_of(self, size: int) -> bool:
        """Tell whether it tells of so many objects."""
        return len(self.changed) + len(self.deleted) >= size


@dataclass(frozen=True, slots=True)
class Refresh:
    """The end of a refresh."""

    cookie: bytes
    """Where the next one goes on; empty if the server gave none."""


class SyncRefused(Exception):
    """The server does not synchronise, or not for us."""

    def __init__(self, failure: AdapterError) -> None:
        super().__init__(str(failure))
        self.failure = failure


async def refresh(
    directory: Directory, kind: Kind, cookie: bytes | None
) -> AsyncGenerator[Batch | Refresh]:
    """Yield what there is, or what changed since a cookie; the end is a `Refresh`.

    Raises WatermarkExpired where the server cannot tell what changed, so that everything is to be
    read: it says so (4096), it is older than the cookie (OpenLDAP's 53), or it names who is still
    there instead of who has gone (a present phase). Raises SyncRefused where it does not do this
    at all, and Unreachable, Denied.
    """
    search = directory.search(kind)
    control = sync.sync_request(sync.REFRESH_ONLY, cookie)
    asked = Search(
        base=search.base,
        scope=search.scope,
        filter=search.filter,
        attributes=search.attributes,
        controls=(control,),
    )
    state, size = _State(directory, kind, cookie), directory.settings.page_size
    # A connection of its own: while what it tells waits to be taken, nothing else would pass.
    connection = await connect(directory.settings.endpoint, directory.settings.credentials)
    try:
        async for some in connection.answers(asked):
            for part in some:
                match part:
                    case Found():
                        state.take(part)
                    case Intermediate(oid, value) if oid == SYNC_INFO:
                        state.hear(value)
                    case Elsewhere():
                        directory.elsewhere([part], search.base)
                    case Result():
                        state.end(part)
                    case _:
                        pass
                if state.batch.is_of(size) or state.is_ended:
                    batch, state.batch = state.batch, Batch()
                    if batch.changed or batch.deleted:
                        yield batch
    except Malformed as odd:
        raise Unreachable(f"{directory.where}: {odd}", code=INCOMPLETE) from odd
    finally:
        await connection.close()
    yield Refresh(state.cookie)


class _State:
    """What a refresh has told so far."""

    def __init__(self, directory: Directory, kind: Kind, cookie: bytes | None) -> None:
        self._directory, self._kind, self._since = directory, kind, cookie
        self.cookie = cookie or b""
        self.batch = Batch()
        self.is_ended = False
        self._has_told = False

    def take(self, found: Found) -> None:
        self._has_told = True
        if sync.is_plain_change(found):
            self.batch.changed.append(found)
            return
        told = sync.entry_state(found.controls)
        if told is None:
            message = f"{self._directory.where} does not say what it tells '{found.dn}' for"
            raise SyncRefused(Unreachable(message, code=INCOMPLETE))
        self._note(told.cookie)
        match told.state:
            case State.ADD | State.MODIFY:
                self.batch.changed.append(found)
            case State.DELETE:
                self.batch.deleted.append(told.uuid)
            case State.PRESENT:
                self._expire()

    def hear(self, value: bytes) -> None:
        info = sync.sync_info(value)
        match info:
            case NewCookie(cookie):
                self._note(cookie)
            case IdSet(uuids, are_deleted, cookie):
                self._has_told = True
                self._note(cookie)
                if not are_deleted:
                    self._expire()
                self.batch.deleted += uuids
            case PhaseEnded(is_present_phase, cookie):
                self._note(cookie)
                if is_present_phase:
                    self._expire()

    def _note(self, cookie: bytes | None) -> None:
        if cookie:  # OpenLDAP answers a cookie that it cannot read with an empty one
            self.cookie = cookie

    def _expire(self) -> None:
        """Who is still there is told, not who has gone: that only a full read makes use of."""
        if self._since is not None:
            where = self._directory.where
            raise WatermarkExpired(f"{where} does not remember any longer who has gone")

    def end(self, result: Result) -> None:
        self.is_ended = True
        what = f"the synchronisation below '{self._kind.base}' at {self._directory.where}"
        if self._since is not None and result.code in (
            Code.SYNC_REFRESH_REQUIRED,
            Code.UNWILLING_TO_PERFORM,
        ):
            raise WatermarkExpired(f"{what} ended with {result}")
        if not result.is_success:
            failure = read_failure(result, what)
            if isinstance(failure, Denied) and result.code != Code.INSUFFICIENT_ACCESS_RIGHTS:
                raise failure
            if self._since is None and result.code in REFUSALS:
                raise SyncRefused(failure)
            raise failure
        done = sync.sync_done(result.controls)
        if done is None:
            message = f"{what} ended without saying that it was one"
            raise SyncRefused(Unreachable(message, code=INCOMPLETE))
        self._finish(done)

    def _finish(self, done: SyncDone) -> None:
        # Without deletions told one by one, absence is told by who was not named (RFC 4533, 3.3.1).
        # After a read of everything that is the same thing. 389 Directory Server ends each refresh
        # so, also where it told what changed, and keeps to itself who left the filter; its cookie
        # stays the same where nothing has changed at all.
        is_as_before = not self._has_told and done.cookie == self._since
        if not done.refresh_deletes and not is_as_before:
            self._expire()
        self._note(done.cookie)


REFUSALS: Final = frozenset(
    {
        Code.SIZE_LIMIT_EXCEEDED,
        Code.ADMIN_LIMIT_EXCEEDED,
        Code.UNAVAILABLE_CRITICAL_EXTENSION,
        Code.INSUFFICIENT_ACCESS_RIGHTS,
        Code.UNWILLING_TO_PERFORM,
        Code.PROTOCOL_ERROR,
    }
)
"""What a server says that does not synchronise, or not for us, where paging may well do."""
