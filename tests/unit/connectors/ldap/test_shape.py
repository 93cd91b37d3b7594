"""What an entry means does not depend on how soon it can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.ldap.settings import Kind, LdapSettings, parse
from provisor.connectors.ldap.shape import Raw, Shape
from provisor.connectors.ldapwire import ber, messages
from provisor.connectors.ldapwire import schema as schemas
from provisor.connectors.ldapwire.entries import Layouts
from provisor.connectors.ldapwire.messages import Found
from provisor.connectors.ldapwire.objects import NoObject

UUID: Final = b"597AE2F6-16a6-1027-98f4-d28b5365dc14"
SCHEMA: Final = schemas.parse(
    [
        "( 1.1 NAME 'rank' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
        "( 1.2 NAME 'accountActive' SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 )",
        "( 1.3 NAME 'badge' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
        "( 1.4 NAME 'cn' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
    ],
    [],
)
TEXTS = st.lists(st.sampled_from([b"Ada", "Åda".encode(), b"", b"\xff\xfe"]), max_size=3)
VALUES = {
    "entryUUID": st.lists(st.sampled_from([UUID, b"other", b"\xff"]), max_size=2),
    "rank": st.lists(st.sampled_from([b"7", b"seven"]), max_size=2),
    "accountActive": st.lists(st.sampled_from([b"TRUE", b"FALSE", b"perhaps"]), max_size=2),
    "manager": st.lists(st.sampled_from([b"uid=bob,dc=x", b"\xff"]), max_size=2),
    "memberOf": st.lists(st.sampled_from([b"cn=all,dc=x", b"cn=none,dc=x"]), max_size=2),
    **dict.fromkeys(("cn", "uid", "mail", "otherMails", "objectClass", "badge", "title"), TEXTS),
    **dict.fromkeys(("description", "userPassword", "modifyTimestamp", "jobTitle"), TEXTS),
}
ENTRIES = st.permutations(list(VALUES)).flatmap(
    lambda order: st.fixed_dictionaries({}, optional={name: VALUES[name] for name in order})
)


def shape(kind: str, **more: object) -> Shape:
    raw = {"url": "ldap://127.0.0.1", "bindDn": "cn=a", "password": "p", "base": "dc=x", **more}
    settings = parse(raw, Path())
    assert isinstance(settings, LdapSettings)
    found: dict[str, Kind] = {one.name: one for one in settings.kinds}
    return Shape(found[kind], settings, SCHEMA, frozenset())


def as_told(attributes: dict[str, list[bytes]], layouts: Layouts) -> Found:
    listed = ber.sequence(
        *(
            ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, held), tag=ber.SET))
            for name, held in attributes.items()
        )
    )
    body = ber.sequence(ber.octets("uid=ada,dc=x"), listed, tag=messages.ENTRY)
    data = messages.message(1, body)
    _, found = messages.read(data, 0, len(data), layouts)
    assert isinstance(found, Found)
    assert found.layout is not None
    return found


@given(st.lists(ENTRIES, max_size=4))
def test_an_entry_means_the_same_with_a_layout_and_without(
    entries: list[dict[str, list[bytes]]],
) -> None:
    layouts = Layouts()
    disabled = {"attribute": "title", "value": "Ada"}
    for of in (shape("User"), shape("Group"), shape("User", disabled=disabled)):
        for attributes in entries:
            soon = of.read(as_told(attributes, layouts))
            long = of.read(Found("uid=ada,dc=x", attributes))

            assert isinstance(soon, NoObject) == isinstance(long, NoObject)
            if isinstance(soon, Raw):
                assert soon == long


def test_people_are_read_with_one_value_or_many_as_the_canonical_names_have_it() -> None:
    said = {
        "entryUUID": [UUID],
        "uid": [b"ada"],
        "cn": [b"Ada", b"Augusta"],
        "mail": [b"ada@x.example", b"a@x.example"],
        "objectClass": [b"person"],
        "rank": [b"7"],
        "manager": [b"uid=bob,dc=x"],
        "modifyTimestamp": [b"20260101000000Z"],
    }

    raw = shape("User").read(as_told(said, Layouts()))

    assert isinstance(raw, Raw)
    assert raw.anchor == UUID.decode().lower()
    assert raw.manager == "uid=bob,dc=x"
    assert raw.attributes == {
        "objectId": UUID.decode().lower(),
        "onPremisesDistinguishedName": "uid=ada,dc=x",
        "userPrincipalName": "ada",
        "cn": "Ada",
        "mail": "ada@x.example",
        "otherMails": ("a@x.example",),
        "objectClass": ("person",),
        "rank": 7,
    }


@pytest.mark.parametrize("name", ["cn", "badge"])
def test_octets_that_are_no_text_stay_what_they_are(name: str) -> None:
    raw = shape("User").read(as_told({"entryUUID": [UUID], name: [b"\xff\x00"]}, Layouts()))

    assert isinstance(raw, Raw)
    assert raw.attributes[name] == b"\xff\x00"


def test_of_two_attributes_with_one_name_inside_the_one_that_is_told_last_stands() -> None:
    said = {"entryUUID": [UUID], "jobTitle": [b"a", b"b"], "title": [b"Engineer"]}

    for told in (said, dict(reversed(said.items()))):
        raw = shape("User").read(as_told(told, Layouts()))

        assert isinstance(raw, Raw)
        assert raw.attributes["jobTitle"] == ("Engineer" if told is said else "a")
