"""Runs each promise against each store: a test is a coroutine that is given an open one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any, Protocol, cast

import pytest

from provisor.ports import Journal, Ledger, Registry
from provisor.store.memory import MemoryStore
from provisor.store.postgresql import PostgresStore
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import JOB, RULES, job, now_or_never


class Store(Registry, Protocol):
    @property
    def ledger(self) -> Ledger: ...


@pytest.fixture(scope="session")
def fresh_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that was made once, to be copied: making one takes a while."""
    path = tmp_path_factory.mktemp("fresh") / "store.db"
    SqliteStore(path).close()
    return path


@pytest.fixture
def open_store(fresh_store: Path, tmp_path: Path) -> Iterator[Callable[[], SqliteStore]]:
    """Return what opens one and the same file, each time as another process would."""
    path, opened = Path(copy(fresh_store, tmp_path / "store.db")), list[SqliteStore]()

    def open() -> SqliteStore:
        opened.append(SqliteStore(path))
        return opened[-1]

    yield open
    for store in opened:
        store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Return a store with one job in it."""
    if request.param == "memory":
        made: Store = MemoryStore()
    elif request.param == "sqlite":
        made = cast("Callable[[], SqliteStore]", request.getfixturevalue("open_store"))()
    else:
        made = PostgresStore(request.getfixturevalue("pg_store"))
    now_or_never(made.put_job(job()))
    yield made
    if isinstance(made, PostgresStore):
        made.close()


@pytest.fixture
def journal(store: Store) -> Journal:
    """Return the job's journal, with rules for users and groups in force."""
    journal = now_or_never(store.open_journal(JOB, "test"))
    now_or_never(journal.adopt(RULES, "policy"))
    return journal


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine. A store never waits, so there is no event loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    now_or_never(pyfuncitem.obj(**given))
    return True
