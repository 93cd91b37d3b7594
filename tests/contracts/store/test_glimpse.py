"""Who only looks into a store is told what whoever opens it is told, and of no other tenant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisor.errors import StoreFailed, StoreTooNew
from provisor.planner.status import Configured, Started
from provisor.store.glimpse import look
from provisor.store.owners import HOME
from provisor.store.sqlite import opening
from provisor.store.sqlite.store import SqliteStore
from provisor.store.tenants import add_tenant, view_of
from tests.contracts.store.building import job, now_or_never
from tests.contracts.store.test_tenants import OURS, THEIRS, application


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    now_or_never(add_tenant(store, OURS))
    for tenant, name in ((HOME, "home"), (OURS, "ours")):
        view = view_of(store, tenant)
        now_or_never(view.put_application(application(name)))
        for number in range(3):
            mine = replace(job(f"job {number} of {name}"), application_id=name)
            now_or_never(view.put_job(mine))
            now_or_never(view.note(mine.id, Configured(is_usable=True), Started()))
        now_or_never(view.put_document("workspace", "applied", name.encode()))
    store.close()
    return path


@pytest.mark.parametrize("tenant", [HOME, OURS])
def test_a_look_tells_what_the_opened_store_tells(path: Path, tenant: str) -> None:
    store = SqliteStore(path)
    view = view_of(store, tenant)
    jobs = now_or_never(view.jobs())
    document = now_or_never(view.document("workspace", "applied"))
    store.close()

    seen = look(path, tenant, "applied")

    assert seen is not None
    assert len(jobs) == 3
    assert sorted(seen.jobs, key=lambda one: one.id) == list(jobs)
    assert seen.document == document


def test_who_is_no_tenant_is_told_nothing(path: Path) -> None:
    assert look(path, THEIRS, "applied") is None


def test_a_look_refuses_what_opening_refuses(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database, whatever its name says" * 100)
    with pytest.raises(StoreFailed):
        look(damaged, HOME, "applied")

    monkeypatch.setattr(opening, "VERSION", opening.VERSION - 1)
    with pytest.raises(StoreTooNew):
        look(path, HOME, "applied")
