"""Paths mean places, whatever the case of names and the order of writing (spec: expression 10)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.http.body import JsonObject, decode, encode
from provisor.connectors.scim import paths
from provisor.connectors.scim.paths import PathError, TargetPath, parse

URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    ("text", "schema", "attribute", "filtered", "sub"),
    [
        ("userName", "", "userName", None, ""),
        ("name.givenName", "", "name", None, "givenName"),
        ('emails[type eq "work"].value', "", "emails", ("type", "work"), "value"),
        ('emails[type EQ "wo\\"rk"]', "", "emails", ("type", 'wo"rk'), ""),
        ('roles[primary eq "True"].display', "", "roles", ("primary", "True"), "display"),
        ("roles[primary eq true].value", "", "roles", ("primary", "true"), "value"),
        ('x[type eq "a:b]c"].value', "", "x", ("type", "a:b]c"), "value"),
        (f"{URN}:department", URN, "department", None, ""),
        (f"{URN}:manager.value", URN, "manager", None, "value"),
        (
            'urn:x:y:2.0:User:tags[type eq "a:b"].value',
            "urn:x:y:2.0:User",
            "tags",
            ("type", "a:b"),
            "value",
        ),
        ("urn:ietf:params:scim:schemas:core:2.0:User:title", "", "title", None, ""),
    ],
)
def test_a_path_is_understood(
    text: str, schema: str, attribute: str, filtered: tuple[str, str] | None, sub: str
) -> None:
    path = parse(text)
    found = (path.filter.name, path.filter.value) if path.filter else None
    assert (path.schema, path.attribute, found, path.sub) == (schema, attribute, filtered, sub)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a.b.c",
        "a b",
        'a[type eq "x"',
        "a[type]",
        'a[type ne "x"]',
        'a[type eq "x"]b',
        "1a",
    ],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        parse(text)


RESOURCE: JsonObject = {
    "USERNAME": "ada",
    "Name": {"GIVENNAME": "Ada"},
    "emails": [{"Type": "Work", "Value": "w"}, {"type": "home", "value": "h", "primary": "true"}],
    "phoneNumbers": [{"value": "1"}],
    "roles": {"value": "alone", "primary": True},
    URN.lower(): {"department": "D", "manager": {"value": "7"}},
    "urn:x:User:flat": "F",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("userName", "ada"),
        ("name.givenName", "Ada"),
        ("name.familyName", None),
        ("nothing", None),
        ('emails[type eq "work"].value', "w"),
        ('emails[type eq "home"]', "h"),
        ('emails[primary eq "True"].value', "h"),
        ('emails[type eq "other"].value', None),
        ("emails.value", ["w", "h"]),
        ('roles[primary eq "True"].value', "alone"),
        (f"{URN}:department", "D"),
        ("urn:x:User:flat", "F"),
        ("urn:none:User:x", None),
    ],
)
def test_what_stands_at_a_path(text: str, value: Any) -> None:
    assert paths.read(RESOURCE, parse(text)) == value


def test_an_only_element_without_type_may_be_the_one() -> None:
    path = parse('phoneNumbers[type eq "work"].value')
    assert paths.read(RESOURCE, path) is None
    assert paths.read(RESOURCE, path, "work") == "1"
    assert paths.read(RESOURCE, path, "mobile") is None


NAMES = st.sampled_from(["a", "b", "name"])
LISTS = frozenset({"emails", "roles"})
PATHS = st.one_of(
    NAMES,
    st.builds("{}.{}".format, st.sampled_from(["obj", "other"]), NAMES),
    st.builds(
        '{}[type eq "{}"].{}'.format,
        st.sampled_from(["emails", "roles"]),
        st.sampled_from(["work", "home"]),
        NAMES,
    ),
    st.builds("{}:{}".format, st.sampled_from([URN, "urn:x:User"]), NAMES),
    st.builds(f"{URN}:nested.{{}}".format, NAMES),
).map(parse)


def put(body: JsonObject, path: TargetPath, value: str) -> None:
    paths.place(body, path, value, is_list=path.attribute in LISTS)


@given(st.dictionaries(PATHS, st.text(), max_size=8))
def test_what_is_placed_is_read(values: dict[TargetPath, str]) -> None:
    body: JsonObject = {}
    for path, value in values.items():
        put(body, path, value)

    seen = decode(encode(body))
    assert isinstance(seen, dict)
    for path, value in values.items():
        assert paths.read(seen, path) == value


@given(st.dictionaries(PATHS, st.text(), min_size=1, max_size=8), st.data())
def test_what_is_cleared_is_gone_and_nothing_else(
    values: dict[TargetPath, str], data: st.DataObject
) -> None:
    body: JsonObject = {}
    for path, value in values.items():
        put(body, path, value)
    cleared = data.draw(st.sampled_from(sorted(values, key=lambda path: path.text)))

    paths.clear(body, cleared)

    for path, value in values.items():
        assert paths.read(body, path) == (None if path == cleared else value)


@given(st.text())
def test_any_text_is_quoted_as_json_has_it(text: str) -> None:
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return
    assert decode(paths.quoted(text).encode()) == text


@given(PATHS)
def test_a_path_says_what_it_means(path: TargetPath) -> None:
    assert parse(path.text) == path


def test_elements_are_asked_for_in_every_form_that_servers_know() -> None:
    path = parse('emails[type eq "work"].value')
    assert list(paths.equals(path, '"x"')) == [
        'emails[type eq "work" and value eq "x"]',
        'emails[type eq "work"].value eq "x"',
        'emails.value eq "x"',
    ]
    assert list(paths.equals(parse("userName"), '"x"')) == ['userName eq "x"']
