"""Paths in all the forms in which clients write them, as one list of segments (graph-api 1.1).

A key may stand in parentheses or after a slash, an action may be qualified with its namespace, a
function may end in `()`, a slash at the end means nothing, and case only counts inside keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

NAMESPACE = "microsoft.graph."
_CALL = re.compile(r"(?P<name>[A-Za-z$][A-Za-z.$]*)\((?P<key>.*)\)", re.DOTALL)
_NAMED = re.compile(r"(?P<name>[A-Za-z]+)=(?P<value>'.*')", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Key:
    """The key of an entity, as it stood in parentheses."""

    value: str
    name: str = ""
    """The alternate key that it is of (`appId`); empty: the id."""


Segment: TypeAlias = str | Key


def segments(path: str, words: Collection[str]) -> list[Segment]:
    """Return the parts of a path as it came, still percent-encoded.

    `words`: the literal segments that there are, in small letters.
    """
    found: list[Segment] = []
    for part in path.split("/"):
        if part:
            found += _parts(unquote(part), words)
    return found


def _parts(text: str, words: Collection[str]) -> list[Segment]:
    call = _CALL.fullmatch(text)
    if call is not None and _bare(call["name"]) in words:
        name = _bare(call["name"])
        return [name, _key(call["key"])] if call["key"] else [name]
    bare = _bare(text)
    return [bare if bare in words and bare != text.lower() else text]


def _bare(text: str) -> str:
    """Return a name in small letters, without its namespace."""
    return text.lower().removeprefix(NAMESPACE)


def _key(text: str) -> Key:
    named = _NAMED.fullmatch(text)
    if named is not None:
        return Key(_unquoted(named["value"]), named["name"].lower())
    return Key(_unquoted(text))


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text
