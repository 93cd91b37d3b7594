"""Entries of a domain that are read as the last ones were laid out say what they say otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from provisor.connectors.activedirectory.settings import AdSettings, parse
from provisor.connectors.activedirectory.shape import Raw, Shape
from provisor.connectors.ldapwire.entries import Found, Layout
from provisor.connectors.ldapwire.schema import Schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GUID = UUID(int=7)
DN = f"<GUID={GUID}>;CN=ada,DC=corp"
SAID: dict[str, list[bytes]] = {
    "objectGUID": [GUID.bytes_le],
    "displayName": ["Ada Łoś".encode()],
    "title": [b"Countess"],
    "proxyAddresses": [b"SMTP:ada@x.org"],
    "otherTelephone": [b"1", b"2"],
    "manager": [f"<GUID={UUID(int=8)}>;CN=ben,DC=corp".encode()],
    "userAccountControl": [b"514"],
    "department": [],
}


def shape() -> Shape:
    said = {"url": "ldap://127.0.0.1", "bindDn": "a", "password": "b", "base": "DC=corp"}
    settings = parse(said, Path())
    assert isinstance(settings, AdSettings)
    return Shape(settings.users, settings, Schema({}, {}), frozenset())


@pytest.mark.parametrize("title", [b"Countess", b"\xff\x00"], ids=["text", "octets"])
def test_an_entry_says_the_same_whichever_way_it_is_read(title: bytes) -> None:
    said = {**SAID, "title": [title]}
    laid_out = Found(DN, said)
    laid_out.layout = Layout(tuple(said), tuple(len(held) == 1 for held in said.values()))
    laid_out.held = [held[0] if len(held) == 1 else held for held in said.values()]
    reader = shape()

    quick, long = reader.read(laid_out, NOW), reader.read(Found(DN, said), NOW)

    assert isinstance(quick, Raw)
    assert quick == long
    assert quick.attributes["displayName"] == "Ada Łoś"
    assert quick.attributes["proxyAddresses"] == ("SMTP:ada@x.org",)
    assert quick.attributes["jobTitle"] == (title.decode() if title.isascii() else title)
    assert quick.attributes["accountEnabled"] is False
