"""What fuzzing begins with, and how it is spoilt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar, cast

from provisor.expressions import Expression, ExpressionError, parse
from provisor.expressions.errors import INVALID
from provisor.expressions.evaluate import function_of, strict_call
from provisor.expressions.functions import Form
from provisor.graph.schema.document import write_schema
from provisor.graph.templates import templates
from provisor.model.entries import Anchor, Attributes, Reference, Scalar, Value
from provisor.model.expressions import (
    Attribute,
    Call,
    Comparison,
    Concat,
    Constant,
    Keyword,
    Word,
    attributes_of,
    children,
    walk,
)
from tests.golden.cases import FOLDER
from tests.properties.expressions.strategies import TELLING

T = TypeVar("T")

LINES: list[dict[str, Any]] = [
    json.loads(line)
    for file in sorted(FOLDER.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
TEXTS: tuple[str, ...] = tuple(str(line["expr"]) for line in LINES)
TREES: tuple[Expression, ...] = tuple(
    parse(str(line["expr"])) for line in LINES if line.get("error") != INVALID
)


def _patterns() -> Iterator[str]:
    """Yield the patterns of all published expressions."""
    for node in (node for tree in TREES for node in walk(tree)):
        if isinstance(node, Call) and node.function == "Replace" and len(node.arguments) > 2:
            pattern = node.arguments[2]
            if isinstance(pattern, Constant) and isinstance(pattern.value, str):
                yield pattern.value


PATTERNS: tuple[str, ...] = (
    *_patterns(),
    *("(a+)+$", "(?<n>a)|b", "[a-z-[aeiou]]", "(?i)straße", "\\p{Lu}\\P{IsGreek}", "(?<=a*)b"),
)
FORMATS: tuple[str, ...] = (
    *("yyyy-MM-dd", "yyyyMMddHHmmss.fZ", "yyyy-MM-ddzzz", "M/d/yyyy h:mm:ss tt", "d MMM yy", "o"),
    *(
        "s",
        "u",
        "R",
        "D",
        "G",
        "U",
        "HH:mm:ss.FFFFFFFK",
        "dddd d MMMM",
        "'at' %d",
        "g yy\\y",
        "GMT",
    ),
)
MOMENTS: tuple[str, ...] = (
    *("2025-12-31", "20150123105347.1Z", "2020-03-16-07:00", "1/2/2025 4:05:06 PM", "7 Mar 25"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999Z", "Sun, 23 Nov 2025 10:00:00 GMT"),
)
SNIPPETS = (
    *(
        "(",
        ")",
        "[",
        "]",
        '"',
        "\\",
        ",",
        "&",
        "=",
        "<>",
        ">=",
        "&H",
        "-",
        ".",
        " ",
        "\n",
        "\0",
        "$",
    ),
    *("{", "}", "?", "*", "+", "|", "^", ":", "(?<", "(?(", "{9,}", "\\p{", "'", "%", "K", "zzz"),
    *(
        "IIF(",
        "Replace(",
        "SelectUniqueValue(",
        "Redact(",
        "IgnoreAttributeFlow",
        "é",
        "İ",
        "\u0301",
    ),
    *("\ud83d", "👍", "9" * 30, "1e9", "\u2028", "urn:x:2.0:User:a", '[type eq "x"]'),
)


def one(chance: Random, values: tuple[T, ...] | list[T]) -> T:
    return values[chance.randrange(len(values))]


def spoilt(chance: Random, text: str) -> str:
    """Return the text with a few cuts, copies and foreign pieces."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 0, 1, 1, 2, 5, 20)))
        match chance.randrange(5):
            case 0:
                piece = ""
            case 1:
                piece = text[start:end] * chance.choice((2, 3, 50))
            case 2:
                piece = one(chance, TELLING)
            case 3:
                piece = chr(chance.choice((chance.randrange(128), chance.randrange(0x11000))))
            case _:
                piece = one(chance, SNIPPETS)
        text = text[:start] + piece + text[end:]
    return text[:12_000]


def tree(chance: Random) -> Expression:
    """Return a published expression in which parts were put in place of others."""
    chosen = one(chance, TREES)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        chosen = _grafted(chance, chosen, one(chance, list(walk(one(chance, TREES)))))
    return chosen


def _grafted(chance: Random, host: Expression, graft: Expression) -> Expression:
    """Return the host with something in it, or all of it, replaced."""
    if not children(host) or chance.random() < 0.15:
        return _leaf(chance) if chance.random() < 0.3 else graft
    match host:
        case Call(name, arguments):
            at = chance.randrange(len(arguments))
            inner = arguments[at]
            if inner is None or chance.random() < 0.1:
                put = None if chance.random() < 0.3 else graft
            else:
                put = _grafted(chance, inner, graft)
            changed = Call(name, (*arguments[:at], put, *arguments[at + 1 :]))
            return changed if _is_whole(changed) else host
        case Concat(parts):
            at = chance.randrange(len(parts))
            put = _grafted(chance, parts[at], graft)
            if isinstance(put, Concat | Comparison):
                return host
            return Concat((*parts[:at], put, *parts[at + 1 :]))
        case Comparison(comparator, left, right):
            put = _grafted(chance, left, graft)
            return host if isinstance(put, Comparison) else Comparison(comparator, put, right)
        case _:
            return graft


def _is_whole(call: Call) -> bool:
    """True if the call can be written and read; others are texts, tried by themselves."""
    try:
        function = function_of(call)
        if function.form is Form.STRICT:
            strict_call(function, call)
    except ExpressionError:
        return False
    return True


def _leaf(chance: Random) -> Expression:
    match chance.randrange(4):
        case 0:
            return Constant(text_value(chance))
        case 1:
            return Constant(chance.choice((0, 1, -1, 7, 10**18, Decimal("2.5"), Decimal("-0.0"))))
        case 2:
            return Keyword(one(chance, list(Word)))
        case _:
            return Attribute(chance.choice(("mail", "x", 'emails[type eq "work"].value')))


def text_value(chance: Random) -> str:
    match chance.randrange(6):
        case 0:
            return one(chance, TELLING)
        case 1:
            return one(chance, MOMENTS)
        case 2:
            return spoilt(chance, one(chance, MOMENTS))
        case 3:
            return "".join(one(chance, SNIPPETS) for _ in range(chance.randint(0, 4)))
        case 4:
            return "".join(chr(chance.randrange(32, 0x250)) for _ in range(chance.randint(0, 12)))
        case _:
            return one(chance, FORMATS)


def scalar(chance: Random) -> Scalar:
    match chance.randrange(9):
        case 0:
            return chance.choice((0, 1, -5, 2**63, 10**120, True, False))
        case 1:
            zone = chance.choice((None, UTC))
            return datetime(chance.choice((1, 1601, 2025, 9999)), 12, 31, 23, 59, 59, 1, zone)
        case 2:
            return Reference("User", Anchor(text_value(chance)))
        case 3:
            return chance.randbytes(chance.randint(0, 30))
        case 4:
            return datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**9))
        case _:
            return text_value(chance)


def attributes(chance: Random, e: Expression) -> Attributes:
    """Return values for what the expression reads, some of them missing."""
    found: dict[str, Value] = {}
    for name in sorted(attributes_of(e)):
        match chance.randrange(6):
            case 0:
                pass
            case 1:
                found[name] = tuple(scalar(chance) for _ in range(chance.randint(0, 3)))
            case _:
                found[name] = scalar(chance)
    return found


def golden_attributes(chance: Random) -> Attributes:
    """Return the attributes of some golden line."""
    given = cast(dict[str, Any], one(chance, LINES).get("in", {}))
    return {
        name: tuple(cast(list[str], value)) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }


def schemas() -> tuple[bytes, ...]:
    """Return schemas that are whole: published ones and those of the templates."""
    published = sorted((FOLDER / "graph").glob("schema*.json"))
    shipped = [write_schema(one.schema) for one in templates().values()]
    return (*(file.read_bytes() for file in published), *shipped)
