"""What one route is: who may take it, what it takes, what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from msgspec import Struct

from provisor.graph.http.calls import Handler
from provisor.graph.schema.limits import DOCUMENT_BYTES_MAX
from provisor.graph.wire.coding import names_of, scalars_of

OWNED = "Application.ReadWrite.OwnedBy"
READ = ("Synchronization.Read.All", "Synchronization.ReadWrite.All", OWNED)
WRITE = ("Synchronization.ReadWrite.All", OWNED)

JSON, SCIM, FORM = "application/json", "application/scim+json", "application/x-www-form-urlencoded"
TEXT, EVENTS, ARCHIVE = "text/plain", "text/event-stream", "application/zip"
MEASURES = "text/plain; version=0.0.4"
BODY_MAX, SCHEMA_MAX, BULK_MAX = 1 << 20, DOCUMENT_BYTES_MAX, 4 << 20

Type: TypeAlias = type[Struct]
ONE = ("select", "expand")
LIST = ("select", "filter", "top", "skip", "skiptoken", "count", "orderby")
PAGES = ("select", "filter", "top", "skiptoken", "count")
"""What is looked through row by row, in the order in which it lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gives:
    """What comes back where all is well."""

    status: int = 200
    type: Type | None = None
    """Of the entity, or of each in a collection; None: a text, or nothing."""
    is_many: bool = False
    media: tuple[str, ...] = (JSON,)
    """Empty: there is no body."""
    headers: tuple[str, ...] = ()


def one(type: Type, status: int = 200, *headers: str) -> Gives:
    return Gives(type=type, status=status, headers=headers)


def many(type: Type) -> Gives:
    return Gives(type=type, is_many=True)


NOTHING = Gives(status=204, media=())
NUMBER = Gives(media=(TEXT,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    path: str
    """Below the version, or from the root."""
    handler: Handler
    scopes: tuple[str, ...] = ()
    is_versioned: bool = True
    is_beta: bool = False
    """Only below `/beta`."""
    shows_own: bool = False
    """Whoever may touch only its own is let in, and shown its own."""
    is_local: bool = False
    """Where the server is told so, open to who asks from this machine."""
    media: str = JSON
    body_max: int = BODY_MAX
    takes: Any = None
    """The type of the body; None: it is passed over."""
    gives: Gives = NOTHING
    options: tuple[str, ...] = ()
    """The query options of OData, without `$`; what changes something passes them over."""
    expands: tuple[str, ...] = ()
    """Navigation properties."""
    orders: tuple[str, ...] = ()
    """What `$orderby` takes; empty: whatever of the type is one plain value."""
    others: tuple[str, ...] = ()
    """Parameters of our own that are needed."""
    narrows: tuple[str, ...] = ()
    """Parameters of our own that may be left out."""
    refusals: tuple[int, ...] = ()
    """Statuses of errors beyond those that any such route has."""

    @property
    def is_open(self) -> bool:
        return not self.scopes

    @property
    def properties(self) -> Sequence[str]:
        """What `$select` may name."""
        own = names_of(self.gives.type) if self.gives.type is not None else ()
        return tuple(dict.fromkeys((*own, *self.expands)))

    @property
    def type_name(self) -> str:
        """How Graph calls what is given; errors name it."""
        name = self.gives.type.__name__ if self.gives.type is not None else ""
        return name[:1].lower() + name[1:]

    @property
    def orderable(self) -> Sequence[str]:
        return self.orders or (scalars_of(self.gives.type) if self.gives.type is not None else ())


def get(path: str, handler: Handler, gives: Gives, scopes: tuple[str, ...] = READ) -> Route:
    """Return a route that reads; what of OData it understands follows from what it gives."""
    if gives.is_many:
        options = LIST
    elif gives.type is not None:
        options = ONE
    else:
        options = ("filter",) if gives is NUMBER else ()
    return Route(
        method="GET", path=path, handler=handler, scopes=scopes, gives=gives, options=options
    )


def changing(
    method: str,
    path: str,
    handler: Handler,
    takes: Any = None,
    gives: Gives = NOTHING,
    scopes: tuple[str, ...] = WRITE,
) -> Route:
    """Return a route that does something."""
    return Route(method=method, path=path, handler=handler, scopes=scopes, takes=takes, gives=gives)
