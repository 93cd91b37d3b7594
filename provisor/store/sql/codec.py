"""How values lie in the store: positional msgpack, with the names of attributes beside it.

Anything that can be stored comes back as it was: the type of a value is part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from operator import itemgetter
from typing import Any, TypeAlias, cast

import msgpack
import xxhash

from provisor.model.decisions import Echo, Escrow, Span
from provisor.model.entries import Anchor, Attributes, MatchQuery, Reference, Value
from provisor.store.sql.database import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
REFERENCE, TIME, NUMBER = 1, 2, 3


def to_micros(time: datetime) -> int:
    """Return microseconds since 1970, which sort and compare as times do."""
    return (time - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


# values


def _extend(value: object) -> msgpack.ExtType:
    if isinstance(value, Reference):  # as most are
        return msgpack.ExtType(REFERENCE, _encode(f"{len(value.kind)}:{value.kind}{value.anchor}"))
    match value:
        case datetime():
            return msgpack.ExtType(TIME, _encode_time(value))
        case int():  # more than 64 bits
            return msgpack.ExtType(NUMBER, str(value).encode())
        case _:
            raise TypeError(f"{type(value).__name__} is no attribute value")


def _restore(code: int, data: bytes) -> object:
    match code:
        case 1:
            length, _, rest = _decode(data).partition(":")
            return Reference(rest[: int(length)], Anchor(rest[int(length) :]))
        case 2:
            return _decode_time(data)
        case 3:
            return int(data)
        case _:
            raise ValueError(f"nothing of kind {code} is stored here")


def _encode(text: str) -> bytes:
    """A directory may hold half a character (a lone surrogate); it is kept."""
    return text.encode("utf-8", "surrogatepass")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _encode_time(time: datetime) -> bytes:
    """Keep the offset, and whether there is one: another offset is another value."""
    offset = time.utcoffset()
    micros = (time.replace(tzinfo=None) - EPOCH.replace(tzinfo=None)) // MICROSECOND
    return f"{micros} {'' if offset is None else offset // MICROSECOND}".encode()


def _decode_time(data: bytes) -> datetime:
    micros, _, offset = data.decode().partition(" ")
    time = EPOCH.replace(tzinfo=None) + timedelta(microseconds=int(micros))
    if not offset:
        return time
    zone = UTC if offset == "0" else timezone(timedelta(microseconds=int(offset)))
    return time.replace(tzinfo=zone)


_packer = msgpack.Packer(default=_extend, use_bin_type=True, unicode_errors="surrogatepass")


def pack(value: object) -> bytes:
    try:
        return _packer.pack(value)
    except BaseException:
        _packer.reset()
        raise


def unpack(data: bytes) -> Any:
    """Return what was packed; every list comes back as a tuple."""
    return msgpack.unpackb(
        data,
        use_list=False,
        strict_map_key=False,
        ext_hook=_restore,
        unicode_errors="surrogatepass",
    )


def _unpack_roughly(data: bytes) -> Any:
    """As `unpack`, but for what msgpack does not know itself: `_whole` restores it."""
    return msgpack.unpackb(
        data, use_list=False, strict_map_key=False, unicode_errors="surrogatepass"
    )


def _whole(value: Any) -> Any:
    kind = value.__class__
    if kind is msgpack.ExtType:
        return _restore(value.code, value.data)
    return tuple(map(_whole, value)) if kind is tuple else value


# attributes

INLINE = 0
"""The shape of what carries its own names: a directory with no order has too many shapes."""
SHAPES_MAX = 4_096
LEARN = "INSERT INTO shape (content) VALUES (?) ON CONFLICT (content) DO NOTHING RETURNING number"
Order: TypeAlias = Callable[[Attributes], tuple[Value, ...]]


class Shapes:
    """The lists of attribute names in use, each known by a number.

    Most objects of a directory have the same few; an object then holds its values alone.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._orders: dict[tuple[str, ...], tuple[int, Order]] = {}
        self._lists: dict[tuple[str, ...], int] = {}

    def forget(self) -> None:
        """Called when a transaction was undone: with it went the shapes it found first."""
        self._names.clear()
        self._orders.clear()
        self._lists.clear()

    def encode(self, kind: str, attributes: Attributes) -> tuple[int, bytes]:
        """Return shape and content."""
        known = self._orders.get((kind, *attributes))
        if known is None:
            known = self._learn(kind, tuple(attributes))
        number, order = known
        if number == INLINE:
            names = tuple(sorted(attributes))
            return INLINE, pack((kind, names, tuple(attributes[name] for name in names)))
        return number, pack(order(attributes))

    def decode(self, number: int, content: bytes) -> tuple[str, Attributes]:
        """Return kind and attributes."""
        values = unpack(content)
        if number == INLINE:
            kind, names, values = values
            return kind, dict(zip(names, values, strict=True))
        if number not in self._names:
            self._read()
        kind, names = self._names[number]
        return kind, dict(zip(names, values, strict=True))

    def reader(self, asked: Collection[str]) -> Callable[[int, bytes], dict[str, Value]]:
        """Return what decodes these attributes alone, of many objects, and lets the others be."""
        places: dict[int, list[tuple[str, int]]] = {}

        def read(number: int, content: bytes) -> dict[str, Value]:
            values = _unpack_roughly(content)
            if number == INLINE:
                _, names, values = values
                chosen = [(name, at) for at, name in enumerate(names) if name in asked]
            else:
                known = places.get(number)
                chosen = known if known is not None else self._places(number, asked, places)
            # Most values are text, which needs nothing more: a call for each would cost as much.
            return {
                name: value if (value := values[at]).__class__ is str else _whole(value)
                for name, at in chosen
            }

        return read

    def _places(
        self, number: int, asked: Collection[str], places: dict[int, list[tuple[str, int]]]
    ) -> list[tuple[str, int]]:
        if number not in self._names:
            self._read()
        names = self._names[number][1]
        places[number] = [(name, at) for at, name in enumerate(names) if name in asked]
        return places[number]

    def number_of(self, names: tuple[str, ...]) -> int:
        """Return the number of a list of names, in this order; INLINE if it cannot have one."""
        known = self._lists.get(names)
        if known is None:
            known = self._lists[names] = self._number(pack(("", names)))
        return known

    def names_of(self, number: int) -> tuple[str, ...]:
        """Return the names that have a number, in their order."""
        if number not in self._names:
            self._read()
        return self._names[number][1]

    def _learn(self, kind: str, layout: tuple[str, ...]) -> tuple[int, Order]:
        names = tuple(sorted(layout))
        number = self._number(pack((kind, names)))
        if number == INLINE:
            return INLINE, tuple_of(())
        self._names[number] = (kind, names)
        self._orders[(kind, *layout)] = (number, tuple_of(names))
        return self._orders[(kind, *layout)]

    def _number(self, content: bytes) -> int:
        run = self._connection.execute
        for _ in range(2):  # another job's journal may have learnt it in between
            row = run("SELECT number FROM shape WHERE content = ?", (content,)).fetchone()
            if row is None:
                (count,) = run("SELECT count(*) FROM shape").fetchone()
                if count >= SHAPES_MAX:
                    break
                row = run(LEARN, (content,)).fetchone()
            if row is not None:
                return row[0]
        return INLINE

    def _read(self) -> None:
        rows = self._connection.execute("SELECT number, content FROM shape")
        self._names = {number: unpack(content) for number, content in rows}


def tuple_of(names: tuple[str, ...]) -> Order:
    """Return what takes the values of these names, in this order."""
    if len(names) == 1:
        (name,) = names
        return lambda attributes: (attributes[name],)
    if not names:
        return lambda attributes: ()
    return cast(Order, itemgetter(*names))


def fingerprint(shape: int, content: bytes) -> bytes:
    """Return what is another for another kind, other names or other values."""
    return xxhash.xxh3_128_digest(content, seed=shape)


# what belongs to a standing


def encode_escrow(escrow: Escrow | None) -> bytes | None:
    if escrow is None:
        return None
    first, retry = to_micros(escrow.first_failed_at), to_micros(escrow.retry_at)
    return pack((escrow.code, escrow.reason, first, escrow.attempts, retry))


def decode_escrow(data: bytes | None) -> Escrow | None:
    if data is None:
        return None
    code, reason, first, attempts, retry = unpack(data)
    return Escrow(
        code=code,
        reason=reason,
        first_failed_at=from_micros(first),
        attempts=attempts,
        retry_at=from_micros(retry),
    )


def encode_queries(queries: tuple[MatchQuery, ...]) -> bytes | None:
    return pack([(q.kind, q.attribute, q.value) for q in queries]) if queries else None


def decode_queries(data: bytes | None) -> tuple[MatchQuery, ...]:
    return tuple(MatchQuery(*parts) for parts in unpack(data)) if data else ()


def encode_echoes(echoes: Mapping[str, Echo]) -> bytes | None:
    if not echoes:
        return None
    # What nobody accepted is written as it always was: without saying so.
    rows = ((n, e.digest, e.times, e.is_accepted) for n, e in sorted(echoes.items()))
    return pack([row if row[3] else row[:3] for row in rows])


def decode_echoes(data: bytes | None) -> dict[str, Echo]:
    return {name: Echo(*told) for name, *told in unpack(data)} if data else {}


LITERAL = "="
"""Begins the name of an attribute that has no number."""


def encode_name(shapes: Shapes, name: str) -> str:
    """Return how a column says the name of an attribute: names of SCIM are long, and few."""
    number = shapes.number_of((name,))
    return f"{LITERAL}{name}" if number == INLINE else str(number)


def decode_name(shapes: Shapes, text: str) -> str:
    return text[1:] if text.startswith(LITERAL) else shapes.names_of(int(text))[0]


def encode_span(span: Span) -> bytes:
    """Certain ones lie first, once: most of what is possible is certain."""
    return pack((by_kind(span.certain), by_kind(span.possible - span.certain)))


def decode_span(data: bytes) -> Span:
    certain, others = map(of_kinds, unpack(data))
    return Span(certain, certain | others if others else certain)


def by_kind(references: Iterable[Reference]) -> list[list[str]]:
    """Return references as they are packed where there are many: of each kind, its name and then
    the anchors."""
    found: dict[str, list[str]] = {}
    for reference in references:
        if reference.kind not in found:
            found[reference.kind] = [reference.kind]
        found[reference.kind].append(reference.anchor)
    return list(found.values())


def of_kinds(parts: Iterable[Any]) -> frozenset[Reference]:
    """Return references that were packed by kind, or one by one as before."""
    found: set[Reference] = set()
    for part in parts:
        if isinstance(part, Reference):
            found.add(part)
        else:
            kind, *anchors = part
            found.update([Reference(kind, anchor) for anchor in anchors])
    return frozenset(found)
