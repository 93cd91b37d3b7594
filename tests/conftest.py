"""What all tests share: how hard Hypothesis tries, which part a test belongs to, real servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.worlds import databases, openldap, pgstores, samba
from tests.worlds.databases import MariaDb, Postgres
from tests.worlds.openldap import OpenLdap
from tests.worlds.samba import Samba
from tests.worlds.scim2 import Scim2, Variant

TESTS = Path(__file__).parent
QUICK = ("unit", "golden", "properties", "table")
PARTS = ("contracts", "simulation", "crash", "endtoend", "worlds", "browser", "tidy")

# No deadlines: a test says what is true, and a busy machine is no defect. `make bench` measures.
# Choose with HYPOTHESIS_PROFILE, or with pytest's own --hypothesis-profile, which wins.
SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,
    derandomize=True,  # the same histories each time: new ones are `make simulate`'s to find
    print_blob=True,
    suppress_health_check=SLOW_IS_FINE,
)
settings.register_profile("ci", settings.get_profile("quick"), max_examples=100)
settings.register_profile(
    "long",
    settings.get_profile("quick"),
    max_examples=int(os.environ.get("EXAMPLES", "5000")),
    derandomize=False,
    database=None,  # new histories each time, none remembered: the seed tells them all
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the part of the suite that its folder is."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if folder in QUICK:
            item.add_marker(pytest.mark.quick)
        elif folder in PARTS:
            item.add_marker(getattr(pytest.mark, folder))


@pytest.fixture(scope="session")
def scim2_servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Variant], Scim2]]:
    """Return what starts each variant once a run and hands it out again; use `scim2` instead."""
    running: dict[Variant, Scim2] = {}
    with ExitStack() as stack:

        def server(variant: Variant) -> Scim2:
            if variant not in running:
                log = tmp_path_factory.mktemp("scim2") / f"{variant}.jsonl"
                running[variant] = stack.enter_context(Scim2.run(variant, access_log=log))
            return running[variant]

        yield server


@pytest.fixture
def scim2_world(scim2_servers: Callable[[Variant], Scim2]) -> Callable[[Variant], Scim2]:
    """Return what gives a real SCIM server of a variant: empty, no faults, nothing in its log."""

    def world(variant: Variant) -> Scim2:
        server = scim2_servers(variant)
        server.reset()
        return server

    return world


@pytest.fixture
def scim2(scim2_world: Callable[[Variant], Scim2]) -> Scim2:
    """Return a real SCIM server that can do everything, empty."""
    return scim2_world("full")


@pytest.fixture(scope="session")
def openldap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    """Return a real directory server that tests share; use `realm` to have a part for oneself."""
    if not openldap.IS_THERE:
        pytest.skip(openldap.NOT_THERE)
    with OpenLdap.run(tmp_path_factory.mktemp("openldap")) as server:
        yield server


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[OpenLdap]:
    """Return a real directory server for one test, which may stop it, or restore it."""
    if not openldap.IS_THERE:
        pytest.skip(openldap.NOT_THERE)
    with OpenLdap.run(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a running PostgreSQL server; each test makes a database of its own in it."""
    if not databases.POSTGRES:
        pytest.skip(databases.NO_POSTGRES)
    with Postgres.run() as server:
        yield server


@pytest.fixture(scope="session")
def pg_address(postgres: Postgres) -> str:
    """Return the address of a store on PostgreSQL, which each test empties."""
    return pgstores.make(postgres)


@pytest.fixture
def pg_store(pg_address: str) -> str:
    """Return the address of an empty store on PostgreSQL."""
    pgstores.empty(pg_address)
    return pg_address


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """Return a running MariaDB server; each test makes a database of its own in it."""
    if not databases.MARIADB:
        pytest.skip(databases.NO_MARIADB)
    with MariaDb.run() as server:
        yield server


@pytest.fixture(scope="session")
def samba_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a domain is provisioned once, for all processes of this run."""
    if not samba.IS_THERE:
        pytest.skip(samba.NOT_THERE)
    folder = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    return (folder.parent if is_worker else folder) / "samba-seed"


@pytest.fixture(scope="session")
def samba_server(samba_seed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    """Return a real domain controller that tests share; each has a container for itself."""
    with Samba.run(tmp_path_factory.mktemp("samba"), samba_seed) as server:
        yield server


@pytest.fixture
def domain_controller(samba_seed: Path, tmp_path: Path) -> Iterator[Samba]:
    """Return a real domain controller for one test, which may stop it, or restore it."""
    with Samba.run(tmp_path / "samba", samba_seed) as server:
        yield server
