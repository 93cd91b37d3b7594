"""Our LDAP against a real server, with another client's hands as witness."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from provisor.connectors.ldapwire import filters, names, reading, sync
from provisor.connectors.ldapwire.connection import Connection, connect
from provisor.connectors.ldapwire.endpoint import (
    Anonymous,
    Credentials,
    Endpoint,
    External,
    Plain,
    Security,
    Simple,
)
from provisor.connectors.ldapwire.messages import Change, Found, Modification, Scope, Search
from provisor.connectors.ldapwire.results import Code, Result
from provisor.connectors.ldapwire.schema import read_schema
from provisor.connectors.ldapwire.session import Session
from provisor.errors import Denied, Unreachable
from tests.worlds.openldap import ADMIN, LIMITED, PASSWORD, READER, SUFFIX, OpenLdap

T = TypeVar("T")
ME = Simple(READER, "reader")
ADMINISTRATOR = Simple(ADMIN, PASSWORD)


def clear(server: OpenLdap) -> Endpoint:
    return Endpoint(host="127.0.0.1", port=server.port, security=Security.NONE)


def secured(server: OpenLdap, security: Security, **chosen: str) -> Endpoint:
    port = server.tls_port if security is Security.LDAPS else server.port
    return Endpoint(host="localhost", port=port, security=security, **chosen)  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def connected(endpoint: Endpoint, who: Credentials) -> AsyncGenerator[Connection]:
    connection = await connect(endpoint, who)
    try:
        yield connection
    finally:
        await connection.close()


def ask(endpoint: Endpoint, who: Credentials, what: Callable[[Connection], Awaitable[T]]) -> T:
    async def story() -> T:
        async with connected(endpoint, who) as connection:
            return await what(connection)

    return asyncio.run(story())


def who_am_i(endpoint: Endpoint, who: Credentials) -> str:
    return ask(endpoint, who, Connection.who_am_i)


@pytest.mark.parametrize("security", [Security.LDAPS, Security.START_TLS])
def test_tls_is_spoken_with_servers_that_prove_who_they_are(
    openldap_server: OpenLdap, security: Security
) -> None:
    trusting = secured(openldap_server, security, ca_file=openldap_server.ca_file)
    assert who_am_i(trusting, ME) == f"dn:{READER}"

    with pytest.raises(Unreachable, match="certificate that is not trusted"):
        who_am_i(secured(openldap_server, security), ME)


@pytest.mark.parametrize("security", [Security.LDAPS, Security.START_TLS])
def test_a_certificate_is_good_for_its_own_name_only(
    openldap_server: OpenLdap, security: Security
) -> None:
    port = openldap_server.tls_port if security is Security.LDAPS else openldap_server.port
    other = Endpoint(
        host="127.0.0.2", port=port, security=security, ca_file=openldap_server.ca_file
    )
    with pytest.raises(Unreachable):
        who_am_i(other, ME)


def test_one_binds_in_every_way_that_can_be_configured(openldap_server: OpenLdap) -> None:
    folder = openldap_server.folder
    certified = secured(
        openldap_server,
        Security.LDAPS,
        ca_file=openldap_server.ca_file,
        certificate_file=str(folder / "robot.pem"),
        key_file=str(folder / "robot.key"),
    )
    inside = Endpoint(path=str(folder / "ldapi"), security=Security.NONE)

    assert who_am_i(clear(openldap_server), Anonymous()) == ""
    assert who_am_i(clear(openldap_server), ME) == f"dn:{READER}"
    assert who_am_i(clear(openldap_server), Plain("reader", "reader")) == f"dn:{READER}"
    assert who_am_i(certified, External()) == f"dn:{READER}"
    assert who_am_i(inside, External()) == f"dn:{ADMIN}"


@pytest.mark.parametrize(
    "who", [Simple(READER, "wrong"), Simple(f"uid=nobody,{SUFFIX}", "x"), Simple("nonsense", "x")]
)
def test_whoever_is_not_accepted_is_denied_without_a_word_of_the_password(
    openldap_server: OpenLdap, who: Simple
) -> None:
    with pytest.raises(Denied) as refusal:
        who_am_i(clear(openldap_server), who)
    assert who.dn in str(refusal.value)
    assert "wrong" not in str(refusal.value)


def test_nobody_listening_is_unreachable(slapd: OpenLdap) -> None:
    slapd.stop()
    with pytest.raises(Unreachable, match="cannot be reached"):
        who_am_i(clear(slapd), ME)


def test_a_search_goes_page_by_page_to_its_end(openldap_server: OpenLdap) -> None:
    openldap_server.add(f"ou=pages,{SUFFIX}", {"objectClass": "organizationalUnit"})
    for number in range(7):
        openldap_server.add(
            f"cn={number},ou=pages,{SUFFIX}", {"objectClass": "device", "cn": str(number)}
        )

    async def story(connection: Connection) -> list[int]:
        search = Search(base=f"ou=pages,{SUFFIX}", scope=Scope.ONE, attributes=("cn",))
        return [len(page.found) async for page in reading.pages(connection, search, 3)]

    assert ask(clear(openldap_server), ME, story) == [3, 3, 1]
    openldap_server.clear(f"ou=pages,{SUFFIX}")


def test_a_limit_ends_a_search_with_its_name(openldap_server: OpenLdap) -> None:
    async def story(connection: Connection) -> list[Found | object]:
        search = Search(base=SUFFIX, size_limit=1)
        return [part async for part in connection.search(search)]

    *found, result = ask(clear(openldap_server), ME, story)
    assert len(found) == 1
    assert isinstance(result, Result)
    assert result.code == Code.SIZE_LIMIT_EXCEEDED


def test_what_is_written_is_what_another_client_reads(openldap_server: OpenLdap) -> None:
    odd = 'a,b+c"d\\e<f>;=# ż'
    dn = names.join(names.rdn(("cn", odd)), SUFFIX)
    moved = names.join(names.rdn(("cn", "plain")), f"ou=elsewhere,{SUFFIX}")
    openldap_server.add(f"ou=elsewhere,{SUFFIX}", {"objectClass": "organizationalUnit"})

    async def story(connection: Connection) -> list[int]:
        said = {
            "objectClass": [b"inetOrgPerson"],
            "cn": [odd.encode()],
            "sn": [b"x"],
            "mail": [b"1", b"2"],
        }
        changes = [
            Modification(Change.REPLACE, "sn", (b"y",)),
            Modification(Change.ADD, "title", (b"t",)),
            Modification(Change.DELETE, "mail", (b"1",)),
        ]
        container = f"ou=elsewhere,{SUFFIX}"
        return [
            (await connection.add(dn, said)).code,
            (await connection.add(dn, said)).code,
            (await connection.compare(dn, "sn", b"X")).code,
            (await connection.compare(dn, "sn", b"z")).code,
            (await connection.modify(dn, changes)).code,
            (await connection.modify_dn(dn, "cn=plain", superior=container)).code,
            (await connection.delete(dn)).code,
        ]

    codes = ask(clear(openldap_server), ADMINISTRATOR, story)

    assert codes == [0, Code.ENTRY_ALREADY_EXISTS, Code.COMPARE_TRUE, Code.COMPARE_FALSE, 0, 0, 32]
    seen = openldap_server.entry(moved)
    assert seen is not None
    assert (seen["cn"], seen["sn"], seen["mail"]) == (["plain"], ["y"], ["2"])
    openldap_server.clear(f"ou=elsewhere,{SUFFIX}")


@pytest.mark.parametrize("value", ["a*b", "(a)", "back\\slash", "żaneta", "x)(cn=*", 'q"uote'])
def test_odd_values_are_found_by_filters(openldap_server: OpenLdap, value: str) -> None:
    dn = names.join(names.rdn(("cn", value)), SUFFIX)
    openldap_server.add(dn, {"objectClass": "device", "cn": value})

    async def story(connection: Connection) -> list[str]:
        search = Search(base=SUFFIX, filter=filters.equals("cn", value))
        found, _ = await reading.look(connection, search)
        return [names.normal(one.dn) for one in found]

    assert ask(clear(openldap_server), ME, story) == [names.normal(dn)]
    openldap_server.delete(dn)


def test_many_operations_share_a_connection(openldap_server: OpenLdap) -> None:
    async def story(connection: Connection) -> list[Found | None]:
        looks = (reading.entry(connection, dn) for dn in (READER, LIMITED, f"cn=no,{SUFFIX}") * 20)
        return await asyncio.gather(*looks)

    found = ask(clear(openldap_server), ME, story)
    assert [one and one.dn for one in found] == [READER, LIMITED, None] * 20


def test_whoever_stops_listening_spoils_nothing(openldap_server: OpenLdap) -> None:
    async def story(connection: Connection) -> str:
        async for _ in connection.search(Search(base=SUFFIX)):
            break
        return await connection.who_am_i()

    assert ask(clear(openldap_server), ME, story) == f"dn:{READER}"


def test_a_session_comes_back_after_the_server_did(slapd: OpenLdap) -> None:
    async def story() -> None:
        session = Session(clear(slapd), ME)
        first = await session.connection()
        assert await session.connection() is first
        await asyncio.to_thread(slapd.restart)
        assert await (await session.connection()).who_am_i() == f"dn:{READER}"
        await session.close()

    asyncio.run(story())


def test_a_server_that_falls_silent_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        quick = Endpoint(host="127.0.0.1", port=port, security=Security.NONE, answer_timeout_s=0.05)
        with pytest.raises(Unreachable, match="no answer for"):
            asyncio.run(connect(quick, ME))


def test_what_speaks_something_else_is_unreachable() -> None:
    async def story() -> None:
        async def http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(http, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await connect(Endpoint(host="127.0.0.1", port=port, security=Security.NONE), ME)
        server.close()

    asyncio.run(story())


def test_a_server_says_what_it_is(openldap_server: OpenLdap) -> None:
    async def story(connection: Connection) -> None:
        root = await reading.root_dse(connection)
        assert root.naming_contexts == (SUFFIX,)
        assert root.has_control("1.3.6.1.4.1.4203.1.9.1.1")
        schema = await read_schema(connection)
        must, may = schema.takes("inetOrgPerson")
        assert {"sn", "cn"} <= must
        assert {"mail", "uid", "manager"} <= may
        rank = schema.attribute("rank")
        assert rank is not None
        assert rank.is_single

    ask(clear(openldap_server), ME, story)


def test_a_synchronisation_names_everybody_and_ends_with_a_cookie(slapd: OpenLdap) -> None:
    async def story(connection: Connection) -> None:
        control = sync.sync_request(sync.REFRESH_ONLY, None)
        parts = [p async for p in connection.search(Search(base=SUFFIX, controls=(control,)))]
        states = [sync.entry_state(p.controls) for p in parts if isinstance(p, Found)]
        assert {state and state.state for state in states} == {sync.State.ADD}
        assert {str(state.uuid) for state in states if state} == {
            seen["entryUUID"][0] for seen in entries.values()
        }
        result = parts[-1]
        assert isinstance(result, Result)
        done = sync.sync_done(result.controls)
        assert done is not None
        assert done.cookie

    entries = slapd.entries()
    ask(clear(slapd), ME, story)


def test_the_socket_of_this_machine_is_an_address(
    openldap_server: OpenLdap, tmp_path: Path
) -> None:
    missing = Endpoint(path=str(tmp_path / "none"), security=Security.NONE)
    with pytest.raises(Unreachable, match="cannot be reached"):
        who_am_i(missing, External())
