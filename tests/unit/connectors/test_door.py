"""Where requests may go: nothing that the API names leads into a network of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from provisor.connectors.http.client import HttpClient
from provisor.connectors.http.door import OPEN, Door, is_entry
from provisor.connectors.http.settings import HttpSettings
from provisor.errors import Denied, Unreachable

GUARDED = Door(is_guarded=True)
INWARD = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.9.9", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200", "224.0.0.1",
    "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "ff02::1",
)  # fmt: skip
OUTWARD = ("93.184.215.14", "8.8.8.8", "2606:4700::6810:1", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", INWARD)
def test_what_leads_inward_is_refused(address: str) -> None:
    assert GUARDED.refusal("some.example", 443, address)
    host = address if ":" not in address else f"[{address}]"
    assert GUARDED.refusal_of_url(f"https://{host}/scim")
    assert not OPEN.refusal("some.example", 443, address)


@pytest.mark.parametrize("address", OUTWARD)
def test_what_leads_outward_is_not(address: str) -> None:
    assert not GUARDED.refusal("some.example", 443, address)


def test_what_is_listed_or_an_administrators_own_is_not_refused() -> None:
    listed = replace(GUARDED, allowed=("10.1.0.0/16", "Scim.Corp.example", "fd00::/8"))
    assert not listed.refusal("x.example", 443, "10.1.2.3")
    assert listed.refusal("x.example", 443, "10.2.2.3")
    assert not listed.refusal("scim.corp.example", 443, "192.168.0.9")
    assert not listed.refusal("x.example", 443, "fd12::1")
    own = replace(GUARDED, trusted=frozenset([("scim.corp.example", 8443)]))
    assert not own.refusal("SCIM.corp.example", 8443, "10.0.0.1")
    assert own.refusal("scim.corp.example", 6379, "10.0.0.1"), "another port is another system"


def test_loopback_may_be_named_only_where_only_this_machine_asks() -> None:
    near = replace(GUARDED, allows_loopback=True)
    assert not near.refusal("localhost", 80, "127.0.0.1")
    assert not near.refusal("localhost", 80, "::1")
    assert near.refusal("localhost", 80, "10.0.0.1")


def test_entries_of_the_list_are_names_addresses_or_networks() -> None:
    assert all(map(is_entry, ("scim.example", "10.0.0.1", "10.0.0.0/8", "fd00::/8")))
    assert not any(map(is_entry, ("", "https://scim.example/", "10.0.0.0/99", "a b")))


class Listening:
    """A server on loopback that counts who comes."""

    def __init__(self) -> None:
        self.connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                     b"Content-Length: 0\r\nConnection: close\r\n\r\n")  # fmt: skip
        await writer.drain()
        writer.close()


async def asked(url: str, door: Door) -> int:
    client = HttpClient(HttpSettings(base=url, door=door), is_read_only=True)
    try:
        return (await client.send("GET", url, {}, None)).status
    finally:
        await client.close()


def test_a_name_that_is_found_to_be_inward_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def getaddrinfo(self: object, host: str, port: int, **more: object) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)

    async def story() -> None:
        listening = Listening()
        server = await asyncio.start_server(listening.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            with pytest.raises(Denied) as refused:
                await asked(f"http://rebinding.example:{port}/", GUARDED)
            assert refused.value.code == "AddressNotAllowed"
            assert listening.connections == 0

    asyncio.run(story())


def test_numbers_in_every_spelling_are_looked_at_and_redirects_not_followed() -> None:
    async def story() -> None:
        listening = Listening()
        server = await asyncio.start_server(listening.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001",
                         "[::ffff:127.0.0.1]"):  # fmt: skip
                with pytest.raises((Denied, Unreachable)):
                    await asked(f"http://{host}:{port}/", GUARDED)
            assert listening.connections == 0
            own = replace(GUARDED, trusted=frozenset([("127.0.0.1", port)]))
            assert await asked(f"http://127.0.0.1:{port}/", own) == 302
            assert listening.connections == 1

    asyncio.run(story())
