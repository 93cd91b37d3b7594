"""The tree of a mapping expression. Built by the parser or from a schema; never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Attribute:
    """A source attribute, by its name in the directory definition: `mail`, `name.givenName`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """Text or a number. Truth has no literal: it is written as the text "True" or "False"."""

    value: str | int | Decimal


class Word(StrEnum):
    """The bare words of the language, spelled as administrators write them."""

    IGNORE_ATTRIBUTE_FLOW = "IgnoreAttributeFlow"
    IGNORE_OBJECT_FLOW = "IgnoreObjectFlow"
    TEXT_COMPARE = "vbTextCompare"
    BINARY_COMPARE = "vbBinaryCompare"
    UTF8 = "UTF8"


@dataclass(frozen=True, slots=True)
class Keyword:
    word: Word


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments by position; None is an argument left out, not null."""

    function: str
    arguments: tuple[Expression | None, ...] = ()


Term: TypeAlias = Attribute | Constant | Keyword | Call


@dataclass(frozen=True, slots=True)
class Concat:
    """Two or more terms joined by `&`."""

    parts: tuple[Term, ...]


class Comparator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "<>"
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. The language has no parentheses, so comparisons do not nest directly."""

    comparator: Comparator
    left: Term | Concat
    right: Term | Concat


Expression: TypeAlias = Term | Concat | Comparison


def children(expression: Expression) -> tuple[Expression, ...]:
    """Return the parts of one node, left to right, arguments left out not among them."""
    match expression:
        case Call(_, arguments):
            return tuple(argument for argument in arguments if argument is not None)
        case Concat(parts):
            return parts
        case Comparison(_, left, right):
            return (left, right)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield the node and everything below it, outermost first. Safe on trees of any depth."""
    waiting: list[Expression] = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def depth(expression: Expression) -> int:
    """Return how many nodes lie on the longest way down, this one included."""
    deepest, level = 0, [expression]
    while level:
        deepest += 1
        level = [child for node in level for child in children(node)]
    return deepest


def attributes_of(expression: Expression) -> frozenset[str]:
    """Return the names of all source attributes that the expression may read."""
    return frozenset(node.name for node in walk(expression) if isinstance(node, Attribute))
