"""Directories: where identities come from, and where they go to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

from provisor.model.decisions import (
    Exported,
    Write,
)
from provisor.model.directories import DirectoryDefinition, ProbeReport
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    Page,
    Receipt,
    Reference,
    System,
    Watermark,
)


class Source(Protocol):
    """A directory that identities come from."""

    @property
    def system(self) -> System:
        """Return which system this is, and what can be seen of it."""
        ...

    def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        """Yield what changed after `since`, oldest first; everything, if `since` is None.

        The last thing yielded is the receipt. Without one the read did not come to its end.
        Raises WatermarkExpired, Unreachable (the read broke off, whatever broke it), Denied.
        """
        ...

    async def fetch(self, key: EntryKey) -> Entry | None:
        """Return the object as it is now, or None if the source knows it is not there.

        Raises Unreachable, Denied: an error is never an answer.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a target can do, as it says itself or as it was found out."""

    lists: bool = True
    """`list_all` may be tried; whether a listing is complete is proven by its totals."""
    page_size: int = 100
    parallel_max: int = 32
    has_versions: bool = False
    members_max: int = 100
    """Members in one change of references."""
    stamp: str = ""
    """A target attribute nobody edits, which finds an unanswered create (`externalId`)."""
    tells_references: bool = False
    """`referred` may be asked."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A target object as it was sent, not read yet."""

    anchor: Anchor
    print: int
    """Of 64 bits: another for whatever is sent otherwise, or would be read otherwise."""
    open: Callable[[], Entry]


class Opened(Sequence[Entry]):
    """The entries of sealed objects, read when somebody looks at them."""

    def __init__(self, sealed: Sequence[Sealed]) -> None:
        self._sealed = sealed
        self._entries: tuple[Entry, ...] | None = None

    def _opened(self) -> tuple[Entry, ...]:
        if self._entries is None:
            self._entries = tuple(one.open() for one in self._sealed)
        return self._entries

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self._opened()[index]

    def __len__(self) -> int:
        return len(self._sealed)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of target objects."""

    entries: Sequence[Entry]
    total: int | None
    """How many objects the target says it has; None if it does not say."""
    sealed: Sequence[Sealed] = ()
    """The same objects, where reading them costs more than telling that they are as they were."""

    @property
    def anchors(self) -> Sequence[Anchor]:
        """Return whom it shows."""
        return [one.anchor for one in self.sealed or self.entries]


NO_REFERENCES: frozenset[Reference] = frozenset()


@dataclass(frozen=True, slots=True)
class Referred:
    """Whom an object points at by an attribute to many."""

    known: frozenset[Reference] = NO_REFERENCES
    """Those of whom it was asked that are there."""
    others: frozenset[Reference] = NO_REFERENCES
    """All others that are there. Where the target does not say of which kind, or tells a name and
    no id, that stands in place of it."""


class TargetReader(Protocol):
    """A directory that identities go to, to look at only: whoever plans holds no more."""

    @property
    def system(self) -> System:
        """Return which system this is."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """Return what is known of the target so far; `probe` may learn more."""
        ...

    async def probe(self) -> None:
        """Prove that address, credentials and protocol are right, before anything else.

        May learn capabilities. Raises Denied, Unreachable.
        """
        ...

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        """Return the object as it is now, or None if there is none.

        Raises Rejected, Unanswered, Throttled, Unreachable, Denied: an error is never an answer.
        """
        ...

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        """Return the objects that match: none, one, or enough (two) to call it ambiguous.

        Every object returned really has that value, compared as the directory compares.
        Raises as `fetch` does.
        """
        ...

    def list_all(self, kind: str) -> AsyncIterator[Listing]:
        """Yield every object of a kind, page by page. What is left out is not thereby gone."""
        ...

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        """Return whom an object points at by an attribute to many: who is in a group.

        Asked only where `capabilities.tells_references`. What was not told to its end is no answer:
        raises Rejected, Stale, Unanswered, Throttled, Unreachable, Denied.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Target(TargetReader, Protocol):
    """A directory that identities go to."""

    async def export(self, write: Write) -> Exported:
        """Carry out one write.

        Deleting what is already gone succeeds, as does adding a reference that is there and
        removing one that is not. Raises Rejected (it was not done), Stale (nor this; look again),
        Unanswered (nobody knows), Throttled, Unreachable (nothing was sent), Denied.
        """
        ...


class Prober(Protocol):
    """One side of a connection, looked at for whoever sets it up. No cycle asks it anything.

    A connector has one for each side that it can be. It is made anew for each question.
    """

    async def probe(self) -> ProbeReport:
        """Find out, against the real system, whether it can be used, and how it will be.

        Goes through every `Topic` that applies: connection, credentials, permissions, what the
        server supports, whether the objects are there, which changes can be told, and what the
        connector will therefore do. What is wrong is a finding, with the code that a cycle would
        fail with and the way out; AdapterErrors do not leave this. Leaves the system as it was:
        only where the connector's settings allow it, a target may make an object of its own, try
        the ways of writing on it, and remove it.
        """
        ...

    async def discover(self) -> DirectoryDefinition:
        """Return the objects and attributes that the live system says it has.

        Of a source by canonical names, as its entries carry them. Raises Unreachable, Denied.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


class Ears(Protocol):
    """Where a source tells by itself that something has changed."""

    def heard(self, since: Watermark | None) -> AsyncIterator[None]:
        """Yield whenever something may have changed after `since`, for as long as can be heard.

        Ends at once where the source tells nothing by itself. What changed is not told: a cycle
        reads it. Raises Unreachable, Denied where there is nothing to be heard any longer.
        """
        ...

    async def close(self) -> None:
        """Stop listening, and let go of connections."""
        ...
