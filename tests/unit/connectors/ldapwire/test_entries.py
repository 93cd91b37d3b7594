"""Entries are read as the last ones were laid out: whatever came before, each says what it says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.ldapwire import ber, controls, messages
from provisor.connectors.ldapwire.ber import Malformed
from provisor.connectors.ldapwire.entries import PLACES_MAX, Layouts
from provisor.connectors.ldapwire.messages import Found

Told = Sequence[tuple[str, list[bytes]]]
NAMES = st.sampled_from(["cn", "sn", "uid", "mail", "description;lang-sv", "é", "x" * 130])
VALUES = st.lists(st.binary(max_size=20) | st.binary(min_size=100, max_size=140), max_size=3)
TOLD = st.lists(st.tuples(NAMES, VALUES), max_size=5)


def encoded(told: Told, *with_it: controls.Control) -> bytes:
    listed = ber.sequence(
        *(
            ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, held), tag=ber.SET))
            for name, held in told
        )
    )
    body = ber.sequence(ber.octets("cn=ada,dc=x"), listed, tag=messages.ENTRY)
    return messages.message(7, body, with_it)


def said_by(told: Told) -> dict[str, list[bytes]]:
    said: dict[str, list[bytes]] = {}
    for name, held in told:
        said.setdefault(name, []).extend(held)
    return said


def read(layouts: Layouts, data: bytes) -> Found:
    # Among others, as in what a socket gives: where an entry ends its length alone says.
    whole = b"0\x03abc" + data + b"0\x05\x04\x03cn"
    _, found = messages.read(whole, 5, 5 + len(data), layouts)
    assert isinstance(found, Found)
    return found


@given(st.lists(TOLD, max_size=6))
def test_an_entry_says_what_it_says_whatever_came_before(entries: list[Told]) -> None:
    layouts = Layouts()
    for told in entries:
        for _ in range(2):  # once to be learned, once as expected
            found = read(layouts, encoded(told))

            assert found.attributes == said_by(told)
            for name, held in said_by(told).items():
                assert found.values(name) == held
                assert found.values(name.upper()) == held
                assert found.first(name) == (held[0] if held else b"")
            assert found.values("nobody") == []


@given(TOLD, TOLD, st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_what_is_damaged_is_read_as_if_nothing_had_come_before(
    before: Told, told: Told, at: int, noise: bytes
) -> None:
    layouts, whole = Layouts(), encoded(told)
    for one in (before, told):
        read(layouts, encoded(one))
    data = whole[:at] + noise + whole[at + len(noise) :]

    def outcome(known: Layouts) -> object:
        try:
            _, found = messages.read(data, 0, len(data), known)
        except Malformed:
            return Malformed
        return (found.dn, found.attributes) if isinstance(found, Found) else found

    assert outcome(layouts) == outcome(Layouts())


def test_an_entry_cut_anywhere_is_no_entry_although_it_was_expected() -> None:
    layouts, whole = Layouts(), encoded([("cn", [b"Ada"]), ("sn", [b"x" * 200]), ("uid", [b"a"])])
    read(layouts, whole)
    for at in range(len(whole)):
        with pytest.raises(Malformed):
            messages.read(whole[:at], 0, at, layouts)


def test_entries_that_agree_share_a_layout_and_others_do_not() -> None:
    layouts = Layouts()
    ada = read(layouts, encoded([("cn", [b"Ada"]), ("uid", [b"ada"])]))
    bob = read(layouts, encoded([("cn", [b"Bob"]), ("uid", [b"b" * 120])]))
    cyd = read(layouts, encoded([("cn", [b"Cyd", b"C."]), ("uid", [b"c"])]))

    assert ada.layout is bob.layout
    assert ada.layout is not cyd.layout
    assert cyd.layout is not None
    assert cyd.layout.has_one == (False, True)


def test_an_attribute_told_in_parts_is_recognised() -> None:
    layouts = Layouts()
    assert read(layouts, encoded([("member;Range=0-1", [b"a", b"b"])])).has_ranges
    assert not read(layouts, encoded([("member", [b"a", b"b"])])).has_ranges
    twice: Told = [("cn", [b"a"]), ("cn", [b"b"]), ("member;range=0-0", [b"c"])]
    assert read(layouts, encoded(twice)).has_ranges


def test_a_server_whose_entries_are_all_different_is_understood_and_not_remembered() -> None:
    layouts = Layouts()
    kept = 0
    for number in range(PLACES_MAX + 50):
        found = read(layouts, encoded([(f"a{number}", [b"x"])]))
        assert found.attributes == {f"a{number}": [b"x"]}
        kept += found.layout is not None
    assert kept < PLACES_MAX


def test_controls_that_are_no_controls_are_noticed_when_they_come() -> None:
    data = bytearray(encoded([("cn", [b"Ada"])], controls.Control("1.2.3", b"said")))
    data[data.index(b"\x04\x05") + 1] = 0x70

    with pytest.raises(Malformed):
        messages.read(bytes(data), 0, len(data))


def test_an_entry_under_another_name_says_the_same() -> None:
    found = read(Layouts(), encoded([("cn", [b"Ada"])], controls.Control("1.2.3", b"said")))

    other = found.named("cn=other")

    assert other.dn == "cn=other"
    assert (other.attributes, other.controls) == (found.attributes, found.controls)
    assert other.controls == (controls.Control("1.2.3", b"said"),)
