"""What a file of JSON lines says, and whether it says it to its end."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Never, cast

from provisor.errors import Unreachable
from provisor.model.entries import Anchor, Entry, EntryKey, ReadFault, Reference, Scalar, Value


@dataclass(frozen=True, slots=True)
class Content:
    """A whole file: its last line agrees with all before it."""

    entries: Mapping[EntryKey, Entry]
    faults: tuple[ReadFault, ...]
    """Lines whose kind is known, and that cannot be read otherwise."""
    rows: Mapping[str, int]
    digest: str

    @property
    def void(self) -> Mapping[str, str]:
        """Return the kinds of which nobody may be concluded absent, and why."""
        return {fault.kind: f"{fault.where}: {fault.message}" for fault in self.faults}


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    name: str
    entries: dict[EntryKey, Entry] = field(default_factory=dict[EntryKey, Entry])
    faults: list[ReadFault] = field(default_factory=list[ReadFault])
    rows: Counter[str] = field(default_factory=Counter[str])
    said: Mapping[str, object] | None = None
    """What the last line says of all others."""


class _Odd(Exception):
    """A line of known kind that cannot be read."""


def read_file(path: Path) -> Content:
    """Read a file to its end. Raises Unreachable where it cannot be, or does not prove its end.

    It is held open, so that a new one that is renamed into its place does not mix with it; one
    that is written to meanwhile is refused.
    """
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read()
            after = os.fstat(file.fileno())
    except OSError as failure:
        _incomplete(f"{path.name} cannot be read: {failure.strerror}")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        _incomplete(f"{path.name} changed while it was read")
    reading = _Reading(path.name)
    lines = content.split(b"\n")
    for number, line in enumerate(lines if lines[-1] else lines[:-1], 1):
        _take(reading, number, line)
    if reading.said is None:
        _incomplete(f'{path.name} has no last line `{{"end": …}}`: it was cut off')
    if reading.said != dict(reading.rows):
        _incomplete(
            f"{path.name} says that it holds {_counts(reading.said)}, and holds "
            f"{_counts(reading.rows)}"
        )
    return Content(
        reading.entries,
        tuple(reading.faults),
        dict(reading.rows),
        hashlib.sha256(content).hexdigest(),
    )


def _incomplete(why: str) -> Never:
    raise Unreachable(f"{why}; write the file anew", code="SourceReadIncomplete")


def _counts(said: Mapping[str, object]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(said.items())) or "nothing"


def _take(reading: _Reading, number: int, line: bytes) -> None:
    """Take one line in. A line of no known kind could be anybody: the read ends there."""
    where = f"{reading.name}, line {number}"
    if reading.said is not None:
        _incomplete(f"{where}: something comes after the last line")
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        _incomplete(f"{where}: this is no JSON")
    if not isinstance(found, dict):
        _incomplete(f"{where}: this is no object")
    said = cast(dict[str, object], found)
    end, kind = said.pop("end", None), said.pop("kind", None)
    if isinstance(end, dict) and kind is None and not said:
        counts = cast(dict[str, object], end)
        reading.said = {kind: count for kind, count in counts.items() if count != 0}
        return
    if not isinstance(kind, str) or not kind or end is not None:
        _incomplete(f"{where}: this says no `kind`")
    reading.rows[kind] += 1
    try:
        entry = _entry(kind, said)
    except _Odd as odd:
        reading.faults.append(ReadFault(kind=kind, where=where, message=str(odd)))
        return
    key = EntryKey(kind, entry.anchor)
    if key in reading.entries:
        message = f"the id {entry.anchor} was there before; each may be there once"
        reading.faults.append(
            ReadFault(kind=kind, where=where, message=message, anchor=entry.anchor)
        )
        return
    reading.entries[key] = entry


def _entry(kind: str, said: dict[str, object]) -> Entry:
    anchor = said.pop("id", None)
    if not isinstance(anchor, str) or not anchor or not _is_text(anchor):
        raise _Odd("`id` is a text that is never empty")
    attributes: dict[str, Value] = {"objectId": anchor}
    for name, value in said.items():
        if not name or name == "objectId" or not _is_text(name):
            raise _Odd(f"no attribute can be called {name!r}")
        if value is None or value == []:
            continue  # an attribute without a value is absent
        if isinstance(value, list):
            values = cast(Sequence[object], value)
            attributes[name] = tuple(_scalar(name, one) for one in values)
        else:
            attributes[name] = _scalar(name, value)
    return Entry(kind, Anchor(anchor), attributes)


def _scalar(name: str, value: object) -> Scalar:
    if isinstance(value, bool | int) or (isinstance(value, str) and _is_text(value)):
        return value
    if isinstance(value, dict):
        match cast(dict[str, object], value):
            case {"kind": str(kind), "id": str(anchor), **rest} if kind and anchor and not rest:
                if _is_text(kind) and _is_text(anchor):
                    return Reference(kind, Anchor(anchor))
            case _:
                pass
    raise _Odd(f'{name} is neither text, integer, truth value nor {{"kind": …, "id": …}}')


def _is_text(value: str) -> bool:
    """Half a character (`\\ud800`) is JSON, and no text."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
