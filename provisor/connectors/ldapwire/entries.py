"""Entries as they come over the wire: nine of ten octets of a read pass here.

Entries of one kind say the same attributes in the same order, most of them with one short value. So
what has been read once is expected again: before each value stand the octets that its attribute had
before, and comparing them is all that is done with them. Whatever is not as expected is read the
long way, and expected from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final, TypeAlias, cast

from provisor.connectors.ldapwire import ber
from provisor.connectors.ldapwire.controls import Control, read_controls

Held: TypeAlias = "bytes | list[bytes]"
"""What an attribute holds: its one value, or all of them."""
SHORT: Final = 0x80
"""Lengths below it take one octet."""
NEVER: Final = b"\xff"
"""No attribute begins with it."""
PLACES_MAX: Final = 2_048
"""A server that tells more kinds of entries is read the long way."""
EXPECTED_MAX: Final = 24
"""So many attributes are expected after one: trying more costs as much as reading."""
NO_ATTRIBUTES: Final[Mapping[str, list[bytes]]] = {}


class Layout:
    """The names of an entry's attributes in the order they were told in, no name twice, and
    whether each has one value: entries that agree in that share a layout."""

    __slots__ = ("_places", "has_one", "has_ranges", "names")

    def __init__(self, names: tuple[str, ...], has_one: tuple[bool, ...]) -> None:
        self.names, self.has_one = names, has_one
        self.has_ranges = any(";range=" in name.lower() for name in names)
        self._places = {name: at for at, name in enumerate(names)}

    def place(self, attribute: str) -> int:
        """Return where an attribute stands, however its name is spelled; -1 if it is not told."""
        found = self._places.get(attribute)
        if found is None:
            low = attribute.lower()
            found = next((at for at, name in enumerate(self.names) if name.lower() == low), -1)
            self._places[attribute] = found
        return found


class Found:
    """An entry that a search shows.

    `layout` and `held` say the same as `attributes`, in a form that is soon made and soon read;
    an entry that tells an attribute twice has no layout.
    """

    __slots__ = ("_attributes", "_controls", "dn", "held", "layout", "told")

    def __init__(
        self,
        dn: str,
        attributes: Mapping[str, list[bytes]] = NO_ATTRIBUTES,
        controls: tuple[Control, ...] = (),
    ) -> None:
        self.dn = dn
        self.layout: Layout | None = None
        self.held: Sequence[Held] = ()
        self.told = b""
        """Its controls, as they came."""
        self._attributes: Mapping[str, list[bytes]] | None = attributes
        self._controls: tuple[Control, ...] | None = controls

    @property
    def attributes(self) -> Mapping[str, list[bytes]]:
        """Values by the attribute's name as the server spells it, options included. An attribute
        that is told without values is there, and empty."""
        if self._attributes is None:
            assert self.layout is not None
            self._attributes = dict(zip(self.layout.names, map(listed, self.held), strict=True))
        return self._attributes

    @property
    def controls(self) -> tuple[Control, ...]:
        if self._controls is None:
            self._controls = read_controls(ber.Reader(self.told))
        return self._controls

    @property
    def has_ranges(self) -> bool:
        """Tell whether it shows a part of an attribute only."""
        if self.layout is not None:
            return self.layout.has_ranges
        return any(";range=" in name.lower() for name in self.attributes)

    def values(self, attribute: str) -> list[bytes]:
        """Return the values of an attribute, however its name is spelled; none if it has none."""
        if self.layout is not None:
            at = self.layout.place(attribute)
            return listed(self.held[at]) if at >= 0 else []
        if (usual := self.attributes.get(attribute)) is not None:
            return usual
        low = attribute.lower()
        for name, held in self.attributes.items():
            if name.lower() == low:
                return held
        return []

    def first(self, attribute: str) -> bytes:
        """Return the first value of an attribute; empty if it has none."""
        if self.layout is None:
            return next(iter(self.values(attribute)), b"")
        at = self.layout.place(attribute)
        held = self.held[at] if at >= 0 else b""
        return held if isinstance(held, bytes) else next(iter(held), b"")

    def named(self, dn: str) -> Found:
        """Return the same entry under another name."""
        return Found(dn, self.attributes, self.controls)


def picker(places: Sequence[int]) -> Callable[[Sequence[Held]], tuple[bytes, ...]]:
    """Return what takes the values at these places, each of which is one."""
    if len(places) > 1:
        return cast("Callable[[Sequence[Held]], tuple[bytes, ...]]", itemgetter(*places))
    return lambda held: tuple(cast("bytes", held[at]) for at in places)


def listed(held: Held) -> list[bytes]:
    return [held] if isinstance(held, bytes) else held


def laid(dn: str, layout: Layout, held: Sequence[Held], told: bytes) -> Found:
    """Return an entry from what was read of it; `told` are controls known to be sound."""
    found = Found.__new__(Found)
    found.dn, found.layout, found.held, found.told = dn, layout, held, told
    found._attributes = None  # pyright: ignore[reportPrivateUsage]
    found._controls = None if told else ()  # pyright: ignore[reportPrivateUsage]
    return found


class _Place:
    """A place between two attributes, known by those before it."""

    __slots__ = ("beyond", "expected", "is_kept", "layout", "names")

    def __init__(self, names: tuple[tuple[str, bool], ...], *, is_kept: bool = True) -> None:
        self.names, self.is_kept = names, is_kept
        self.expected: list[tuple[Sequence[bytes], int, _Place]] = []
        """By how many octets an attribute takes, what stands before its one value; how many octets
        that is; the place behind the attribute."""
        self.beyond: dict[tuple[str, bool], _Place] = {}
        self.layout: Layout | None = None


class Layouts:
    """What entries of one connection are expected to look like."""

    def __init__(self) -> None:
        self._root = _Place(())
        self._heads: dict[str, Sequence[bytes]] = {}
        self._places = 1

    def read(
        self, data: bytes, at: int, end: int
    ) -> tuple[Layout, list[Held]] | dict[str, list[bytes]]:
        """Return the attributes of an entry which lie there; as a mapping where it tells one of
        them twice, or servers tell more than anybody could expect. Raises Malformed."""
        place = self._root
        held: list[Held] = []
        keep: Callable[[Held], None] = held.append
        try:
            while at < end:
                size = data[at + 1]
                for heads, skip, behind in place.expected:
                    if size < SHORT and data.startswith(heads[size], at):
                        following = at + 2 + size
                        keep(data[at + skip : following])
                        at, place = following, behind
                        break
                else:
                    name, values, at = _attribute(data, at)
                    has_one = len(values) == 1
                    keep(values[0] if has_one else values)
                    place = self._behind(place, name, has_one=has_one)
        except (IndexError, UnicodeDecodeError) as odd:
            raise ber.Malformed("an entry is cut off, or no entry") from odd
        if at != end:
            raise ber.Malformed("an attribute is cut off")
        layout = place.layout
        if layout is None:
            layout = place.layout = _laid_out(place)
            if layout is None:
                return _merged(place, held)
        return layout, held

    def _behind(self, place: _Place, name: str, *, has_one: bool) -> _Place:
        behind = place.beyond.get((name, has_one))
        if behind is None:
            is_kept = self._places < PLACES_MAX
            behind = _Place((*place.names, (name, has_one)), is_kept=is_kept)
            if not is_kept:
                return behind
            self._places += 1
            place.beyond[name, has_one] = behind
            if has_one and len(place.expected) < EXPECTED_MAX:
                place.expected.append((self._heads_of(name), 8 + len(name.encode()), behind))
        return behind

    def _heads_of(self, name: str) -> Sequence[bytes]:
        if name not in self._heads:
            self._heads[name] = tuple(_head(name.encode(), size) for size in range(SHORT))
        return self._heads[name]


def _laid_out(place: _Place) -> Layout | None:
    names = tuple(name for name, _ in place.names)
    if not place.is_kept or len(set(names)) < len(names):
        return None
    return Layout(names, tuple(has_one for _, has_one in place.names))


def _head(name: bytes, size: int) -> bytes:
    """Return what stands before the one value of an attribute that takes so many octets."""
    value = size - len(name) - 6
    if len(name) >= SHORT or value < 0:
        return NEVER
    begun = bytes((ber.SEQUENCE, size, ber.OCTETS, len(name)))
    return begun + name + bytes((ber.SET, value + 2, ber.OCTETS, value))


def _merged(place: _Place, held: Sequence[Held]) -> dict[str, list[bytes]]:
    merged: dict[str, list[bytes]] = {}
    for (name, _), values in zip(place.names, held, strict=True):
        merged.setdefault(name, []).extend(listed(values))
    return merged


def _attribute(data: bytes, at: int) -> tuple[str, list[bytes], int]:
    """Return name and values of the attribute that lies there, and where it ends.

    Written out, and not with `Reader`: this is five times as fast. Raises Malformed, IndexError,
    UnicodeDecodeError.
    """
    at, following = _content(data, at)
    at, end = _content(data, at)
    name = data[at:end].decode()
    at, end = _content(data, end)
    if end != following or following > len(data):
        raise ber.Malformed(f"the values of {name} are cut off")
    values: list[bytes] = []
    while at < following:
        size = data[at + 1]
        at += 2
        if size >= SHORT:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        end = at + size
        if end > following:
            raise ber.Malformed(f"a value of {name} is cut off")
        values.append(data[at:end])
        at = end
    return name, values, following


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of an element begins, and where it ends."""
    size = data[at + 1]
    at += 2
    if size >= SHORT:
        count = size & 0x7F
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    return at, at + size
