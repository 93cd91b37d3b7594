"""What is stored comes back as it was, and a fingerprint tells any two things apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.model.decisions import Escrow, Span
from provisor.model.entries import Anchor, Attributes, MatchQuery, Reference, Scalar, Value
from provisor.store.frame import spell, spell_claim
from provisor.store.sql.codec import (
    INLINE,
    SHAPES_MAX,
    Shapes,
    decode_escrow,
    decode_queries,
    decode_span,
    encode_escrow,
    encode_queries,
    encode_span,
    fingerprint,
    from_micros,
    pack,
    to_micros,
    unpack,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
# Text as a directory may hold it: half characters too.
texts = st.text(st.characters(exclude_categories=()))
references = st.builds(Reference, texts, texts.map(Anchor))
times = st.datetimes(
    timezones=st.none() | st.integers(-900, 900).map(lambda m: timezone(timedelta(minutes=m)))
)
scalars: st.SearchStrategy[Scalar] = st.one_of(
    texts, st.integers(), st.booleans(), st.binary(), times, references
)
values: st.SearchStrategy[Value] = scalars | st.lists(scalars, max_size=4).map(tuple)
attributes = st.dictionaries(texts, values, max_size=4)


def shapes() -> Shapes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE shape (number INTEGER PRIMARY KEY, content BLOB UNIQUE)")
    return Shapes(connection)


def types(value: Value) -> object:
    """Return what tells apart what Python calls equal: 1 and True, another offset."""
    if isinstance(value, tuple):
        return tuple(types(v) for v in value)
    return (type(value), value.utcoffset()) if isinstance(value, datetime) else type(value)


@given(values)
def test_every_value_comes_back_as_it_was(value: Value) -> None:
    back = unpack(pack(value))

    assert back == value
    assert types(back) == types(value)


def test_what_is_no_value_is_refused_and_harms_nothing() -> None:
    with pytest.raises(TypeError, match="object is no attribute value"):
        pack(("begun", object()))

    assert unpack(pack("whole")) == "whole"


@given(st.text(min_size=1), attributes)
def test_attributes_come_back_as_they_were(kind: str, given_: Attributes) -> None:
    book = shapes()

    assert book.decode(*book.encode(kind, given_)) == (kind, given_)


@given(attributes)
def test_the_order_of_attributes_says_nothing(given_: Attributes) -> None:
    book = shapes()
    backwards = dict(reversed(list(given_.items())))

    assert book.encode("user", given_) == book.encode("user", backwards)


@given(st.lists(st.tuples(st.sampled_from(["user", "group"]), attributes), max_size=6))
def test_different_objects_have_different_fingerprints(
    objects: list[tuple[str, Attributes]],
) -> None:
    book = shapes()
    prints = [fingerprint(*book.encode(kind, said)) for kind, said in objects]

    for (one, a), (other, b) in combinations(zip(objects, prints, strict=True), 2):
        is_same = one == other and [types(v) for _, v in sorted(one[1].items())] == [
            types(v) for _, v in sorted(other[1].items())
        ]
        assert (a == b) is is_same


def test_a_directory_without_any_order_is_stored_too() -> None:
    book = shapes()
    stored = [book.encode("user", {f"a{n}": n}) for n in range(SHAPES_MAX + 2)]

    assert stored[-1][0] == INLINE
    assert stored[0][0] != INLINE
    assert book.decode(*stored[-1]) == ("user", {f"a{SHAPES_MAX + 1}": SHAPES_MAX + 1})
    assert book.decode(*stored[0]) == ("user", {"a0": 0})


def test_who_did_not_write_a_shape_can_read_it() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE shape (number INTEGER PRIMARY KEY, content BLOB UNIQUE)")
        reader = Shapes(connection)
        for number in range(3):
            stored = Shapes(connection).encode("user", {f"a{number}": 1})
            assert reader.decode(*stored) == ("user", {f"a{number}": 1})


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_are_kept_and_sort_as_times_do(time: datetime) -> None:
    assert from_micros(to_micros(time)) == time
    assert (to_micros(time) < to_micros(NOON)) is (time < NOON)


def test_what_belongs_to_a_standing_comes_back() -> None:
    escrow = Escrow(code="x", reason="y", first_failed_at=NOON, attempts=3, retry_at=NOON)
    queries = (MatchQuery("User", "userName", "ada"), MatchQuery("User", "n", 1))
    one, two = Reference("User", Anchor("1")), Reference("User", Anchor("2"))

    assert decode_escrow(encode_escrow(escrow)) == escrow
    assert decode_escrow(encode_escrow(None)) is None
    assert decode_queries(encode_queries(queries)) == queries
    assert decode_queries(encode_queries(())) == ()
    for span in (Span(), Span(frozenset({one}), frozenset({one, two}))):
        assert decode_span(encode_span(span)) == span


def spelled() -> Iterator[MatchQuery]:
    for value in (1, True, "1", "True", b"1", ("1",), "a'", 'a"', NOON, None):
        yield MatchQuery("User", "a", value)  # pyright: ignore[reportArgumentType]
    yield MatchQuery("User", "b", 1)
    yield MatchQuery("Group", "a", 1)


def test_different_queries_are_spelled_differently() -> None:
    queries = list(spelled())

    assert len({spell(query) for query in queries}) == len(queries)


def test_claims_are_compared_without_case() -> None:
    def claim(value: Value) -> str:
        return spell_claim(MatchQuery("User", "userName", value))

    assert claim("Straße") == claim("STRASSE")
    assert claim("1") != claim(1)
