"""Each template as an administrator begins with it: `init`, a few lines of configuration, `apply`,
and two cycles. What counts is what the target says then, and that the second cycle is quiet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workspace import Workspace
from tests.fakes.msgraph.server import BASE, GraphFake
from tests.fakes.scim.server import Server
from tests.worlds.openldap import ADMIN, PASSWORD, SUFFIX, OpenLdap
from tests.worlds.scim2 import Scim2

JOB = """
jobs:
  people:
    template: {template}
    source:
      connector: csv
      settings: {{users: people.csv, groups: groups.csv, members: members.csv, settleFor: 0}}
    target:
      connector: {connector}
      settings: {settings}
"""


@pytest.fixture
def begun(tmp_path: Path, scim2: Scim2) -> Workspace:
    """Return a workspace made by `init`, beside the files of five people in a group."""
    made = Workspace(tmp_path, scim2)
    (tmp_path / "provisor.yaml").unlink()
    made.hire("ada", "bob", "cyd", "dan", "eve")
    made.edit("ada", givenName="Adá", displayName="Adá Lovelace", familyName="Lovelace")
    made.edit("bob", manager="ada")
    made.write("groups.csv", "id,displayName\ng1,Staff & Friends\ng2,管理\n")
    made.write("members.csv", "group,member\ng1,ada\ng1,bob\ng2,eve\n")
    ended = made.provisor("init")
    assert ended.code == 0, ended.err
    return made


def describe(workspace: Workspace, template: str, connector: str, settings: str) -> None:
    """Write the job beside the tenant that `init` has written, and apply it."""
    text = (workspace.folder / "provisor.yaml").read_text(encoding="utf-8")
    job = JOB.format(template=template, connector=connector, settings=settings)
    workspace.configure(text.partition("\njobs:")[0] + job)
    checked = workspace.provisor("apply", "provisor.yaml")
    assert checked.code == 0, checked.err
    assert "warning" not in checked.out + checked.err, "a template has nothing to warn of"


def run(workspace: Workspace) -> None:
    """Run a cycle in which nothing may fail: whatever does gives another exit code."""
    ended = workspace.run()
    failed = workspace.provisor("escrows", "people").out
    assert ended.code == 0, (ended.out, ended.err, failed)


# LDAP


def ldap_settings(server: OpenLdap, base: str) -> str:
    return (
        f"{{url: '{server.url}', bindDn: '{ADMIN}', password: 'env:LDAP_PASSWORD', "
        f"base: '{base}', disabled: {{container: 'ou=left,{base}'}}}}"
    )


@pytest.fixture
def container(openldap_server: OpenLdap) -> Iterator[str]:
    """Return a container for one test alone, in which another is for those who left."""
    base = f"ou=templates,{SUFFIX}"
    for dn in (base, f"ou=left,{base}"):
        openldap_server.add(dn, {"objectClass": "organizationalUnit"})
    yield base
    openldap_server.clear(base)


@pytest.mark.parametrize("template", ["ldap", "SCIM2LDAP"])
def test_people_in_a_directory(
    begun: Workspace, openldap_server: OpenLdap, container: str, template: str
) -> None:
    server, base = openldap_server, container
    begun.environment["LDAP_PASSWORD"] = PASSWORD
    describe(begun, template, "ldap", ldap_settings(server, base))

    run(begun)

    ada = server.entry(f"uid=ada,{base}") or {}
    assert (ada["cn"], ada["sn"], ada["givenName"]) == (["Adá Lovelace"], ["Lovelace"], ["Adá"])
    assert (ada["title"], ada["departmentNumber"]) == (["Analyst"], ["Sales"])
    assert ada["mail"] == ["ada@example.com"]
    bob = server.entry(f"uid=bob,{base}") or {}
    assert bob["manager"] == [f"uid=ada,{base}"]
    groups = {e["cn"][0]: e for e in server.entries(base, "(objectClass=groupOfNames)").values()}
    assert set(groups) == {"Staff & Friends", "管理"}
    assert sorted(groups["Staff & Friends"]["member"]) == [f"uid=ada,{base}", f"uid=bob,{base}"]

    before = server.entries(base)
    run(begun)
    assert server.entries(base) == before

    begun.edit("cyd", userName="cyd.new@example.com", jobTitle="")
    begun.edit("eve", accountEnabled="false")
    begun.write("members.csv", "group,member\ng1,ada\ng1,cyd\n")
    run(begun)
    cyd = server.entry(f"uid=cyd.new,{base}") or {}
    assert cyd["entryUUID"] == before[f"uid=cyd,{base}"]["entryUUID"]
    assert server.entry(f"uid=eve,ou=left,{base}") is not None
    staff = next(e for e in server.entries(base, "(cn=Staff*)").values())
    assert sorted(staff["member"]) == [f"uid=ada,{base}", f"uid=cyd.new,{base}"]


# Microsoft Graph


@contextmanager
def tenant() -> Generator[Server]:
    """Run a tenant beside the commands, which have an event loop of their own."""
    loop, server = asyncio.new_event_loop(), Server(GraphFake(), 0)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.switch_on(), loop).result()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.switch_off(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("template", ["msgraph", "SCIM2AAD"])
def test_people_in_a_tenant(begun: Workspace, template: str) -> None:
    with tenant() as server:
        assert isinstance(server.fake, GraphFake)
        server.fake.switches.token = "a token"
        held = server.fake.held
        begun.environment["GRAPH_TOKEN"] = "a token"
        address = f"http://127.0.0.1:{server.port}{BASE}"
        describe(
            begun,
            template,
            "msgraph",
            f"{{tenant: contoso.com, token: 'env:GRAPH_TOKEN', baseAddress: '{address}'}}",
        )

        run(begun)

        people: dict[str, Any] = {one["userPrincipalName"]: one for one in held["users"].values()}
        ada = people["ada@example.com"]
        assert (ada["displayName"], ada["givenName"]) == ("Adá Lovelace", "Adá")
        assert (ada["surname"], ada["jobTitle"], ada["department"]) == (
            "Lovelace",
            "Analyst",
            "Sales",
        )
        assert ada["mailNickname"] == "ada"
        assert ada["accountEnabled"] is True
        assert len(ada["passwordProfile"]["password"]) == 24
        assert people["bob@example.com"]["manager"] == ada["id"]
        groups = {one["displayName"]: one for one in held["groups"].values()}
        staff = groups["Staff & Friends"]
        assert set(staff["members"]) == {ada["id"], people["bob@example.com"]["id"]}
        assert (staff["mailEnabled"], staff["securityEnabled"]) == (False, True)
        assert staff["mailNickname"] == "StaffFriends"
        assert groups["管理"]["mailNickname"], "Graph wants one, of letters it knows"
        assert groups["管理"]["mailNickname"].isascii()

        asked = len(server.fake.requests("POST", "PUT", "PATCH", "DELETE"))
        run(begun)
        assert len(server.fake.requests("POST", "PUT", "PATCH", "DELETE")) == asked

        begun.edit("cyd", userName="cyd.new@example.com", jobTitle="")
        begun.edit("eve", accountEnabled="false")
        begun.write("members.csv", "group,member\ng1,ada\ng1,cyd\n")
        run(begun)
        people = {one["userPrincipalName"]: one for one in held["users"].values()}
        assert people["eve@example.com"]["accountEnabled"] is False
        cyd = people["cyd.new@example.com"]
        assert cyd["mailNickname"] == "cyd"
        assert set(staff["members"]) == {ada["id"], cyd["id"]}
        logged = begun.provisor("logs", "people", "--json").out
        assert ada["passwordProfile"]["password"] not in logged
