"""Several tenants in one store: what is another's answers as what never was."""

from __future__ import annotations

import inspect
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from provisor.model.cycles import CycleKind
from provisor.model.jobs import Application
from provisor.model.notices import Notice, NoticeKind
from provisor.planner.status import Configured, Started
from provisor.ports import Ledger, Pending, RecordQuery, Registry, Vault
from provisor.store.keys import KeyFile
from provisor.store.owners import HOME
from provisor.store.sqlite.store import SqliteStore
from provisor.store.tenants import TenantLedger, TenantVault, view_of
from provisor.store.vault import SealedVault
from tests.contracts.store.building import RULES, START, governed, job, key, now_or_never

OURS, THEIRS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
BELONGS = {
    "application": "content",
    "job": "application",
    "document": "owner",
    "secret": "owner",
    "audit": "tenant",
    "mapping": "job",
    "cycle": "job",
    "departure": "job",
    "removal": "job",
    "listed": "job",
    "listed_answer": "job",
    "notice": "job",
    "standing": "mapping",
    "record": "cycle",
    "mark": "standing",
    "source": "standing",
    "image": "standing",
    "span": "standing",
    "reference": "standing",
    "meta": "",
    "shape": "",
}
"""How it is known whose a row of each table is; empty: it is nobody's, and names nobody."""


def application(id: str) -> Application:
    return Application(
        id=id,
        app_id=f"app {id}",
        principal_id=f"principal {id}",
        name=id,
        display_name=id,
        template_id="scim",
    )


async def furnish(view: Registry, vault: Vault, name: str) -> None:
    """Put something of everything into a tenant."""
    await view.put_application(application(name))
    await vault.put(name, "SecretToken", f"secret of {name}")
    await view.put_document("workspace", "tenant", f"tenant {name}".encode())
    await view.put_document(name, "connections", b"{}")
    id = f"job of {name}"
    await view.put_job(replace(job(id), application_id=name))
    await view.put_document(id, "schema", b"{}")
    await view.audit(START, name, "did", name)
    journal = await view.open_journal(id, name)
    await journal.adopt(RULES, "policy")
    await journal.begin_cycle(f"cycle of {name}", CycleKind.INITIAL, START)
    await governed(journal, key("ada"), "t1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[SqliteStore, Vault]]:
    opened = SqliteStore(tmp_path / "store.db")
    keys = KeyFile(tmp_path / "key", {})
    keys.make()
    vault = SealedVault(opened, keys, "workspace")
    for tenant, name in ((HOME, "home"), (OURS, "ours"), (THEIRS, "theirs")):
        now_or_never(furnish(view_of(opened, tenant), TenantVault(vault, opened, tenant), name))
    yield opened, vault
    opened.close()


def test_of_every_table_it_is_known_whose_its_rows_are(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "store.db").close()
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert {name for (name,) in connection.execute(tables)} == set(BELONGS)
    connection.close()


def methods(port: type) -> list[str]:
    return sorted(
        name
        for base in port.__mro__
        for name, found in vars(base).items()
        if not name.startswith("_") and inspect.iscoroutinefunction(found)
    )


def arguments(port: type, name: str, whose: str) -> list[Any]:
    """Return what a method is asked with, about something of somebody."""
    method = cast("Callable[..., object]", getattr(port, name))
    notice = Notice(key="x", kind=NoticeKind.QUARANTINED, at=START)
    pending = Pending(number=999_999, job=f"job of {whose}", notice=notice)
    by_name: dict[str, Any] = {
        "application": application(whose) if name == "put_application" else whose,
        "id": {"job": f"job of {whose}", "delete_job": f"job of {whose}"}.get(
            name, whose if name == "delete_application" else f"principal {whose}"
        ),
        "job": replace(job(f"job of {whose}"), application_id=whose)
        if name == "put_job"
        else f"job of {whose}",
        "owner": whose,
        "keys": [(whose, "connections")],
        "name": "connections" if port is Registry else "SecretToken",
        "content": b"changed",
        "value": "changed",
        "jobs": [f"job of {whose}"],
        "events": Started(),
        "asked": None,
        "notice": notice,
        "now": START,
        "until": START + timedelta(1),
        "pending": pending,
        "sent": frozenset[str](),
        "again_at": None,
        "hash": "x",
        "by": "mal",
        "holder": "mal",
        "query": RecordQuery(job=f"job of {whose}"),
        "limit": 5,
        "before": START,
        "at": START,
        "activity": "did",
        "about": whose,
    }
    parameters = inspect.signature(method).parameters.values()
    return [by_name[p.name] for p in parameters
            if p.name != "self" and p.kind is not p.KEYWORD_ONLY]  # fmt: skip


EVERYBODYS = ("job of home", "job of ours", "job of theirs")
STOREWIDE = {"take_notice", "rotate", "fold", "audit", "audited", "applications", "jobs", "due"}
"""What is about no single thing; what the lists show is tested apart."""


def outcome(asked: Any, name: str, given: list[Any]) -> str:
    async def tell() -> object:
        return await getattr(asked, name)(*given)

    try:
        return repr(now_or_never(tell()))
    except Exception as failure:  # noqa: BLE001
        return f"{type(failure).__name__}: {failure}"


@pytest.mark.parametrize("port", [Registry, Ledger, Vault])
def test_every_question_about_anothers_is_answered_as_about_nobodys(
    store: tuple[SqliteStore, Vault], port: type
) -> None:
    opened, vault = store
    view = view_of(opened, OURS)
    asked: dict[type, object] = {
        Registry: view,
        Ledger: TenantLedger(opened.ledger, view),
        Vault: TenantVault(vault, opened, OURS),
    }
    before = dump(opened)
    for name in methods(port):
        if name in STOREWIDE or name in ("put_application", "put"):
            continue
        of_theirs = outcome(asked[port], name, arguments(port, name, "theirs"))
        of_nobody = outcome(asked[port], name, arguments(port, name, "nobody"))
        assert of_theirs.replace("theirs", "nobody") == of_nobody, name
        assert dump(opened) == before, f"{name} changed what is another's"


def dump(store: SqliteStore) -> str:
    rows = {
        table: store._run(f"SELECT * FROM {table}").fetchall()  # pyright: ignore[reportPrivateUsage]
        for table in BELONGS
    }
    return json.dumps(rows, default=repr, sort_keys=True)


def test_nothing_of_anothers_is_overwritten_under_its_id(
    store: tuple[SqliteStore, Vault],
) -> None:
    opened, vault = store
    before = dump(opened)
    view = view_of(opened, OURS)
    with pytest.raises(Exception, match="there is no application"):
        now_or_never(view.put_application(application("theirs")))
    with pytest.raises(Exception, match="there is no application"):
        now_or_never(TenantVault(vault, opened, OURS).put("theirs", "SecretToken", "x"))
    assert dump(opened) == before


def test_lists_show_what_is_ones_own(store: tuple[SqliteStore, Vault]) -> None:
    opened, vault = store
    for tenant, name in ((HOME, "home"), (OURS, "ours"), (THEIRS, "theirs")):
        view = view_of(opened, tenant)
        ledger = TenantLedger(opened.ledger, view)
        assert [one.name for one in now_or_never(view.applications())] == [name]
        assert [one.id for one in now_or_never(view.jobs())] == [f"job of {name}"]
        now_or_never(view.note(f"job of {name}", Configured(is_usable=True), Started()))
        assert [one.job for one in now_or_never(view.due(START))] == [f"job of {name}"]
        assert [*now_or_never(view.tenants_of(EVERYBODYS))] == [f"job of {name}"]
        assert [act.by for act in now_or_never(view.audited(9))] == [name]
        found = now_or_never(ledger.records(RecordQuery(limit=1)))
        assert [of for _, of, _ in found] == [f"job of {name}"]
        assert now_or_never(view.document("workspace", "tenant")) == f"tenant {name}".encode()
        mine = TenantVault(vault, opened, tenant)
        assert now_or_never(mine.get(name, "SecretToken")) == f"secret of {name}"
        assert now_or_never(mine.names("theirs")) == (["SecretToken"] if name == "theirs" else [])
