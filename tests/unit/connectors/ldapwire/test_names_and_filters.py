"""Names and filters: whatever a value holds, it stays a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.ldapwire import filters, names
from provisor.connectors.ldapwire.filters import NotAFilter
from provisor.connectors.ldapwire.names import NotAName, Part

VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(VALUES, VALUES)
def test_a_name_that_was_put_together_is_taken_apart_again(one: str, other: str) -> None:
    name = names.join(names.rdn(("cn", one), ("uid", other)), names.rdn(("ou", other)), "dc=x")

    assert names.parse(name) == (
        (Part("cn", one), Part("uid", other)),
        (Part("ou", other),),
        (Part("dc", "x"),),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cn=Sue\\, Grabbit and Runn,dc=x", "Sue, Grabbit and Runn"),
        ('cn="Sue, Grabbit and Runn",dc=x', "Sue, Grabbit and Runn"),
        ("cn=Lu\\C4\\8Di\\C4\\87,dc=x", "Lučić"),
        ("cn=a\\20,dc=x", "a "),
        ("cn=a\\ ,dc=x", "a "),
        ("cn = a b ,dc=x", "a b"),
        ("cn=\\#1,dc=x", "#1"),
        ("cn=,dc=x", ""),
    ],
)
def test_names_are_read_in_all_their_spellings(name: str, value: str) -> None:
    assert names.first(name) == (Part("cn", value),)


@pytest.mark.parametrize("name", ["cn", "cn=a,", "=a", "cn=a\\", 'cn="a', "cn=a\\FF", "c n=a"])
def test_what_is_no_name_says_so(name: str) -> None:
    with pytest.raises(NotAName, match="distinguished name"):
        names.parse(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Ada,DC=Example", "cn=ada, dc=example"),
        ("cn=Ada  Lovelace,dc=x", "cn=ada lovelace,dc=x"),
        ("cn=a\\2cb,dc=x", "cn=a\\,b,dc=x"),
        ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x"),
        ("cn=\\C5\\81,dc=x", "cn=Ł,dc=x"),
    ],
)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert names.normal(one) == names.normal(other)


def test_names_lie_below_others() -> None:
    assert names.is_below("cn=a,ou=B,dc=x", "ou=b, dc=x")
    assert names.is_below("ou=b,dc=x", "ou=b,dc=x")
    assert not names.is_below("ou=b,dc=x", "ou=b,dc=x", or_same=False)
    assert not names.is_below("cn=a,ou=bb,dc=x", "ou=b,dc=x")
    assert not names.is_below("cn=a\\,ou=b\\,dc=x,dc=y", "ou=b,dc=x")
    assert names.is_below("cn=a", "")
    assert names.parent("cn=a\\,b,ou=c,dc=x") == "ou=c,dc=x"


@pytest.mark.parametrize(
    ("filter", "octets"),
    [  # as RFC 4511, 4.5.1.7 has them
        ("(cn=A)", "a3070402636e040141"),
        ("(cn=*)", "8702636e"),
        ("(!(cn=A))", "a209a3070402636e040141"),
        ("(&(cn=*)(sn>=b))", "a00d8702636ea5070402736e040162"),
        ("(|(cn=*)(sn<=b)(sn~=c))", "a1168702636ea6070402736e040162a8070402736e040163"),
        ("(cn=a*b*c)", "a40f0402636e3009800161810162820163"),
        ("(cn=*b*)", "a4090402636e3003810162"),
        ("(cn:2.4:=A)", "a90c8103322e348202636e830141"),
        ("(cn:dn:=A)", "a90a8202636e8301418401ff"),
        ("(cn=\\2a\\c5)", "a3080402636e04022ac5"),
    ],
)
def test_filters_go_over_the_wire_as_the_standard_has_them(filter: str, octets: str) -> None:
    assert filters.encode(filter).hex() == octets


@pytest.mark.parametrize(
    "filter",
    [
        *("", "(", "()", "(a)", "(a=b", "(&(a=b)", "(a=b))", "(a=b)(c=d)", "(a=\\x)", "(a b=c)"),
        *("(a=**)", "(:=a)", "(!(a=b)(c=d))", "(&" * 300),
    ],
)
def test_what_is_no_filter_says_so(filter: str) -> None:
    with pytest.raises(NotAFilter):
        filters.encode(filter)


@given(VALUES)
def test_a_value_in_a_filter_says_itself_and_nothing_else(value: str) -> None:
    encoded = filters.encode(filters.equals("cn", value))

    assert encoded.endswith(value.encode())
    assert encoded == filters.encode(f"(cn={filters.escape(value.encode())})")


def test_filters_without_parentheses_are_what_people_write() -> None:
    assert filters.encode("uid=ada") == filters.encode("(uid=ada)")
    assert filters.encode(" (& (a=b) (c=d) ) ") == filters.encode(
        filters.both("(a=b)", "", "(c=d)")
    )
