"""Expressions of every function, likely and unlikely, and attributes to meet them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from provisor.expressions import Context, FixedChance
from provisor.expressions.functions import FUNCTIONS, Function, arity_problem
from provisor.expressions.functions.replacing import MODES
from provisor.model.entries import Anchor, Attributes, Reference, Scalar, Value
from provisor.model.expressions import (
    Attribute,
    Call,
    Comparator,
    Comparison,
    Concat,
    Constant,
    Expression,
    Keyword,
    Term,
    Word,
)
from provisor.model.rules import AttributeType

NAMES: tuple[str, ...] = (
    "mail",
    "givenName",
    "surname",
    "proxyAddresses",
    "hired",
    'emails[type eq "work"].value',
)

# What reaches the corners: separators, escapes, case that grows, dates, formats, patterns.
TELLING = (
    *("", " ", ",", "-", "a", "A", "True", "false", "0", "1", "-1", "3.50", "  x ", "9" * 120),
    *("Zoë", "İıßΣς", "e\u0301", "한국", "\\", '"', "$1", "${d}$$", "(?<d>\\d+)", "[a-z-[aeiou]]+"),
    *("(a+)+$", "(", "d", "m", "ww", "yyyy", "yyyy-MM-dd", "M/d/yyyy h:mm:ss tt", "o", "%", "'"),
    *("2025-12-31", "0001-01-01", "9999-12-31T23:59:59Z", "2020-03-16-07:00", "tr-TR", "&HF"),
    *("1/2/2025 4:05:06 PM", "vbTextCompare", "AdjustToUniversal", "cn=Joe\\,x,dc=com", "{"),
    *('{"value": "Admin"}', "SGVsbG8h", "99999999999999999999", "\ud800"),
)

texts: SearchStrategy[str] = st.one_of(
    st.sampled_from(TELLING),
    st.text(max_size=12),
    st.text("aAbB09 .-_", max_size=20),
)
integers = st.one_of(st.integers(-2, 12), st.integers(-(10**22), 10**22))
numbers: SearchStrategy[int | Decimal] = st.one_of(
    integers,
    st.decimals(-(10**6), 10**6, places=2),
)
instants: SearchStrategy[datetime] = st.one_of(
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=-13)))),
)
scalars: SearchStrategy[Scalar] = st.one_of(
    texts,
    integers,
    st.booleans(),
    st.binary(max_size=30),
    instants,
    st.builds(Reference, st.just("User"), st.builds(Anchor, texts)),
)
values: SearchStrategy[Value] = st.one_of(
    scalars, st.lists(scalars, min_size=1, max_size=3).map(lambda listed: tuple(listed))
)
names: SearchStrategy[str] = st.sampled_from(NAMES).map(str)
attributes: SearchStrategy[Attributes] = st.dictionaries(names, values)
contexts = st.builds(
    Context,
    st.just(datetime(2025, 7, 30, 12, tzinfo=UTC)),
    st.sampled_from(("", "contoso.com")),
    st.builds(FixedChance, st.integers(0, 1000)),
)

leaves: SearchStrategy[Term] = st.one_of(
    st.builds(Attribute, st.sampled_from(NAMES)),
    st.builds(Constant, texts),
    st.builds(Constant, numbers),
    st.builds(Keyword, st.sampled_from(Word)),
)

FIXED_ARGUMENTS = {
    "interval": st.sampled_from(("yyyy", "m", "d", "ww", "h", "n", "s", "x")).map(Constant),
    "inputFormat": st.sampled_from(
        ("yyyy-MM-dd", "yyyy-MM-ddzzz", "M/d/yyyy h:mm:ss tt", "d MMM yy", "HH:mm", "K", "'", "o")
    ).map(Constant),
    "outputFormat": st.sampled_from(("yyyy-MM-dd", "D", "zzz K", "FFFFFFF", "U", "ddd g")).map(
        Constant
    ),
    "RegularExpression": st.sampled_from(
        ("(?<d>\\d+)", "[()\\s-]+", "(a)|b", "[a-zA-Z_]*", "(.*)@(.*)", "^", "(x+x+)+y", "\\p{Lu}")
    ).map(Constant),
    "RegularExpressionGroupName": st.sampled_from(("d", "1", "0", "nope")).map(Constant),
    "Length": st.integers(0, 20).map(Constant),
}


def extend(inner: SearchStrategy[Expression]) -> SearchStrategy[Expression]:
    terms: SearchStrategy[Term] = st.one_of(leaves, calls(inner))
    concats = st.lists(terms, min_size=2, max_size=3).map(lambda parts: Concat(tuple(parts)))
    sides = st.one_of(terms, concats)
    comparisons = st.builds(Comparison, st.sampled_from(Comparator), sides, sides)
    return st.one_of(calls(inner), calls(inner), concats, comparisons)


def calls(inner: SearchStrategy[Expression]) -> SearchStrategy[Call]:
    return st.sampled_from(sorted(FUNCTIONS)).flatmap(lambda name: call_of(FUNCTIONS[name], inner))


@st.composite
def call_of(draw: st.DrawFn, function: Function, inner: SearchStrategy[Expression]) -> Call:
    """Draw a call with arguments that fit in number and, more often than not, in type."""
    arguments: list[Expression | None] = []
    for parameter in function.positional:
        if not parameter.is_required and draw(st.booleans()):
            arguments.append(None)
        elif parameter.name in FIXED_ARGUMENTS and draw(st.integers(0, 3)):
            arguments.append(draw(FIXED_ARGUMENTS[parameter.name]))
        elif parameter.type is AttributeType.INTEGER and draw(st.booleans()):
            arguments.append(Constant(draw(integers)))
        else:
            arguments.append(draw(inner))
    if function.name == "Replace":
        needed, _ = draw(st.sampled_from(MODES))
        for position in needed:
            arguments[position] = arguments[position] or draw(inner)
    if function.repeating is not None:
        many = draw(st.lists(inner, min_size=function.repeats_min, max_size=4))
        arguments += many[: len(many) // 2 * 2] if function.is_paired else many
    given = [argument is not None for argument in arguments]
    assert arity_problem(function, given) is None
    return Call(function.name, tuple(arguments))


expressions: SearchStrategy[Expression] = st.recursive(
    leaves.map(lambda leaf: leaf), extend, max_leaves=12
)
