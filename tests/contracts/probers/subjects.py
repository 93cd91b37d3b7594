"""The probers under test, each with a real system behind it, whole and spoiled.

To join, write what makes a `Subject` and add it to `MAKERS`: the suite asks for one of every side
that a connector of the catalog has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from provisor.connectors.catalog import CONNECTORS, Settings, Surroundings
from provisor.connectors.inbound.source import InboundDirectory
from provisor.connectors.inbound.wire import Upsert
from provisor.model.entries import Anchor, Reference
from provisor.model.rules import Rules
from provisor.ports import Prober
from provisor.testing.organisation import ORGANISATION, key
from provisor.testing.reading import LateClock
from provisor.testing.world import Dice
from tests.contracts.sources.msgraph import address, tenant
from tests.contracts.sources.sql import TABLES, VIEWS, settings_for
from tests.contracts.sources.subjects import Numbers, Shelf, files
from tests.contracts.targets import sql as sql_target
from tests.worlds import samba
from tests.worlds.hands import PASSWORD, Dialect, hands
from tests.worlds.samba import Samba
from tests.worlds.scim2 import Scim2, Variant

NO_RULES: Rules = {}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One side of one connector, with settings that hold and settings that do not."""

    connector: str
    side: str
    good: Settings
    base: Path
    off: Settings | None
    """Settings that lead nowhere; None where nothing can be unreachable."""
    denied: Settings | None = None
    """Settings whose credentials are wrong; None where there are none."""
    secrets: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset({"User", "Group"})
    """What discovery finds, at least."""
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict[str, "frozenset[str]"])
    """Some that discovery finds, by kind."""
    holds: Callable[[], object] = lambda: None
    """Return everything that the system holds, to see that a probe leaves it as it was."""
    documents: Shelf | None = None

    def prober(self, settings: Settings) -> Prober:
        """Return a prober as the product makes one."""
        chosen = CONNECTORS[self.connector]
        assert not chosen.check(settings, self.base), chosen.check(settings, self.base)
        opens = chosen.probe_source if self.side == "source" else chosen.probe_target
        assert opens is not None
        around = Surroundings(
            base=self.base,
            rules=NO_RULES,
            clock=LateClock(),
            entropy=Dice(),
            documents=self.documents,
            owner="people",
        )
        return opens(settings, around)


Maker: TypeAlias = Callable[[pytest.FixtureRequest, Path], Subject]


def _csv(_: pytest.FixtureRequest, folder: Path) -> Subject:
    for name, content in files({key(entry): entry for entry in ORGANISATION}).items():
        (folder / name).write_bytes(content)
    good = {"users": "users.csv", "groups": "groups.csv", "members": "members.csv"}
    return Subject(
        connector="csv",
        side="source",
        good=good,
        base=folder,
        off={**good, "users": "nowhere.csv"},
        attributes={
            "User": frozenset({"objectId", "displayName", "manager"}),
            "Group": frozenset({"objectId", "displayName", "members"}),
        },
        holds=lambda: {path.name: path.read_bytes() for path in folder.iterdir()},
    )


def _inbound(_: pytest.FixtureRequest, folder: Path) -> Subject:
    shelf = Shelf()
    directory = InboundDirectory(shelf, "people", Numbers(), match="objectId")
    manager = Reference("User", Anchor("u2"))
    pushed = (
        Upsert("User", {"objectId": "u1", "displayName": "Ada", "manager": manager}),
        Upsert("User", {"objectId": "u2", "tags": ("a", "b"), "accountEnabled": True}),
        Upsert("Group", {"objectId": "g1", "displayName": "Everyone"}),
    )
    asyncio.run(directory.push(pushed))
    return Subject(
        connector="inbound",
        side="source",
        good={},
        base=folder,
        off=None,
        attributes={"User": frozenset({"objectId", "manager", "tags", "accountEnabled"})},
        holds=lambda: dict(shelf.kept),
        documents=shelf,
    )


def _scim(request: pytest.FixtureRequest, folder: Path, **more: object) -> Subject:
    start = cast("Callable[[Variant], Scim2]", request.getfixturevalue("scim2_world"))
    server = start("full")
    good: dict[str, Any] = {"baseAddress": server.url, "token": server.token, **more}
    return Subject(
        connector="scim",
        side="target",
        good=good,
        base=folder,
        off={**good, "baseAddress": "http://127.0.0.1:9/v2"},
        denied={**good, "token": "a token that nobody gave"},
        secrets=(server.token, "a token that nobody gave"),
        attributes={
            "User": frozenset({"id", "externalId", "userName", "active"}),
            "Group": frozenset({"id", "displayName", "members"}),
        },
        holds=lambda: (server.says("User"), server.says("Group")),
    )


def _scim_source(request: pytest.FixtureRequest, folder: Path) -> Subject:
    return replace(
        _scim(request, folder),
        side="source",
        attributes={
            "User": frozenset({"objectId", "userPrincipalName", "accountEnabled", "manager"}),
            "Group": frozenset({"objectId", "displayName", "members"}),
        },
    )


def _sql_source(dialect: Dialect) -> Maker:
    def make(request: pytest.FixtureRequest, folder: Path) -> Subject:
        made = hands(dialect, folder, request)
        made.script(*TABLES, *VIEWS)
        made.do("INSERT INTO people VALUES ('u1', 'Ada', NULL, 1)")
        good = {**made.settings, **settings_for("watermark")}
        elsewhere = f"sqlite:///{folder}/nowhere.db"
        if dialect != "sqlite":
            elsewhere = made.url.replace(f":{made.port}/", ":9/")
        return Subject(
            connector="sql",
            side="source",
            good=good,
            base=folder,
            off={**good, "url": elsewhere},
            denied={**good, "password": "not-the-password"} if dialect != "sqlite" else None,
            secrets=(PASSWORD, "not-the-password"),
            attributes={
                "User": frozenset({"objectId", "displayName", "manager"}),
                "Group": frozenset({"objectId", "displayName", "members"}),
            },
            holds=lambda: made.do("SELECT * FROM people"),
        )

    return make


def _ad(request: pytest.FixtureRequest, folder: Path) -> Subject:
    server = cast("Samba", request.getfixturevalue("samba_server"))
    good: dict[str, Any] = {
        "url": server.url,
        "bindDn": samba.ADMIN,
        "password": samba.PASSWORD,
        "base": f"CN=Users,{samba.SUFFIX}",
    }
    return Subject(
        connector="activedirectory",
        side="source",
        good=good,
        base=folder,
        off={**good, "url": "ldap://127.0.0.1:9"},
        denied={**good, "password": "a password that nobody has"},
        secrets=(samba.PASSWORD, "a password that nobody has"),
        attributes={
            "User": frozenset({"objectId", "userPrincipalName", "surname", "accountEnabled"}),
            "Group": frozenset({"objectId", "displayName", "members"}),
        },
        holds=lambda: _counted(server),
    )


def _ad_target(request: pytest.FixtureRequest, folder: Path) -> Subject:
    server = cast("Samba", request.getfixturevalue("samba_server"))
    source = _ad(request, folder)
    tls: dict[str, Any] = {"url": server.tls_url, "caFile": server.ca_file}
    return replace(
        source,
        side="target",
        good={**source.good, **tls},
        denied={**(source.denied or {}), **tls},
        attributes={
            "User": frozenset({"objectGUID", "cn", "sAMAccountName", "unicodePwd", "manager"}),
            "Group": frozenset({"objectGUID", "cn", "member"}),
        },
    )


def _counted(server: Samba) -> object:
    """Return how far a domain controller has counted: each change counts."""
    found = server.entry("", "highestCommittedUSN")
    assert found is not None
    return found["highestCommittedUSN"]


def _sql_target(dialect: Dialect) -> Maker:
    def make(request: pytest.FixtureRequest, folder: Path) -> Subject:
        made = hands(dialect, folder, request)
        made.script(*sql_target.tables(dialect))
        made.do("INSERT INTO accounts (user_name) VALUES ('ada')")
        good = {**made.settings, **sql_target.SETTINGS}
        elsewhere = f"sqlite:///{folder}/nowhere.db"
        if dialect != "sqlite":
            elsewhere = made.url.replace(f":{made.port}/", ":9/")
        return Subject(
            connector="sql",
            side="target",
            good=good,
            base=folder,
            off={**good, "url": elsewhere},
            denied={**good, "password": "not-the-password"} if dialect != "sqlite" else None,
            secrets=(PASSWORD, "not-the-password"),
            attributes={
                "User": frozenset({"id", "user_name", "active", "tags", "manager_id"}),
                "Group": frozenset({"id", "display_name", "members"}),
            },
            holds=lambda: made.do("SELECT id, user_name FROM accounts"),
        )

    return make


def _tenant(request: pytest.FixtureRequest, side: str) -> Subject:
    token = "a token that nobody may see"
    opened = tenant()
    subject = opened.__enter__()
    request.addfinalizer(lambda: opened.__exit__(None, None, None))
    asyncio.run(subject.hold(*ORGANISATION))
    subject.fake.switches.token = token
    good: dict[str, Any] = {"baseAddress": address(subject.server), "token": token, "tenant": "t"}
    user = {"objectId" if side == "source" else "id", "userPrincipalName", "manager"}
    return Subject(
        connector="msgraph",
        side=side,
        good=good,
        base=Path(),
        off={**good, "baseAddress": "http://127.0.0.1:9/v1.0"},
        denied={**good, "token": "a token that nobody gave"},
        secrets=(token, "a token that nobody gave"),
        attributes={"User": frozenset(user), "Group": frozenset({"displayName", "members"})},
        holds=lambda: repr(subject.fake.held),
        documents=subject.shelf,
    )


MAKERS: Mapping[str, Maker] = {
    "activedirectory": _ad,
    "activedirectory target": _ad_target,
    "csv": _csv,
    "inbound": _inbound,
    "msgraph": lambda request, _: _tenant(request, "target"),
    "msgraph source": lambda request, _: _tenant(request, "source"),
    "scim": _scim,
    "scim source": _scim_source,
    "sqlite target": _sql_target("sqlite"),
    "postgresql target": _sql_target("postgresql"),
    "mariadb target": _sql_target("mariadb"),
    "sqlite source": _sql_source("sqlite"),
    "postgresql source": _sql_source("postgresql"),
    "mariadb source": _sql_source("mariadb"),
    "scim that is tried": lambda request, folder: _scim(request, folder, probeWrites=True),
}
