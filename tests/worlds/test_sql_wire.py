"""Wires that break and servers that die, while a database is read: nobody looks gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provisor.connectors.sql.source import SqlSource
from provisor.errors import AdapterError, Unreachable
from provisor.model.entries import Page
from provisor.testing.reading import (
    Read,
    check_fetch_never_denies,
    check_no_false_absence,
    read,
    run,
    take,
)
from tests.worlds.databases import MariaDb, Postgres
from tests.worlds.hands import PASSWORD, Dialect, Hands
from tests.worlds.sql import Make, source, user
from tests.worlds.tcp import Wire


def organisation(made: Hands, people: int) -> None:
    made.script(
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40))",
        "CREATE TABLE teams (id INT PRIMARY KEY, name VARCHAR(40))",
        "CREATE TABLE members (team INT, person INT)",
    )
    made.many("INSERT INTO people VALUES (?, ?)", [(n, f"Person {n} ü") for n in range(people)])
    made.many("INSERT INTO teams VALUES (?, ?)", [(n, f"Team {n}") for n in range(20)])
    made.many("INSERT INTO members VALUES (?, ?)", [(n % 20, n) for n in range(people)])


def through(wire: Wire, made: Hands, **timeouts: float) -> SqlSource:
    return source(
        made,
        url=made.url.replace(f":{made.port}/", f":{wire.port}/"),
        users={"table": "people"},
        groups={
            "table": "teams",
            "members": {"table": "members", "group": "team", "member": "person"},
        },
        timeouts={"connect": 5, "read": 20, **timeouts},
        pageRows=100,
    )


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_wherever_the_wire_is_cut_nobody_looks_gone(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        organisation(made, 1000)
        with Wire.to(made.port) as wire:
            subject = through(wire, made)
            truth = (await read(subject)).entries
            assert len(truth) == 1020
            broken = 0
            for cut in (0, 1, 300, 2_000, 9_000, 12_000, 28_000, 34_000, 40_000, 45_000, 50_000):
                await subject.close()
                subject = through(wire, made)
                wire.cut_after(cut)
                found = await read(subject)
                wire.heal()
                check_no_false_absence(truth, found)
                broken += found.error is not None
                assert found.error is None or isinstance(found.error, Unreachable)
                wire.cut_after(cut // 10)
                await check_fetch_never_denies({user("7"): truth[user("7")]}, subject)
                wire.heal()
            assert broken > 5
            assert (await read(subject)).entries == truth
            await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_a_server_that_falls_silent_holds_nobody_up(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        organisation(made, 2000)
        with Wire.to(made.port) as wire:
            subject = through(wire, made, connect=1, read=1)
            found = Read()
            failed = await broken_off(subject, found, lambda _: wire.fall_silent())
            assert isinstance(failed, Unreachable)
            assert found.receipt is None
            with pytest.raises(Unreachable):
                await subject.fetch(user("7"))
            wire.heal()
            await subject.close()

    run(story())


async def broken_off(
    subject: SqlSource, found: Read, after_page: Callable[[int], None]
) -> AdapterError | None:
    """Read, and let something happen after each page; return what ended the read."""
    try:
        async for part in subject.pull(None):
            take(found, part)
            after_page(len(found.pages))
    except AdapterError as error:
        return error
    return None


@pytest.mark.parametrize("kind", [Postgres, MariaDb])
def test_a_server_killed_in_the_middle_of_a_read_proves_nothing(
    kind: type[Postgres | MariaDb], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    request.getfixturevalue("postgres" if kind is Postgres else "mariadb")  # or skip

    async def story() -> None:
        with kind.run() as server:
            name = server.database()
            made = Hands(
                dialect="postgresql" if kind is Postgres else "mariadb",
                connection=None,
                url=server.url(name),
                settings={"url": server.url(name), "password": PASSWORD},
                port=server.port,
                name=name,
            )
            made.connection = made.another()
            organisation(made, 12_000)
            made.script(
                "ALTER TABLE people ADD COLUMN about VARCHAR(3000)",
                "UPDATE people SET about = repeat('x', 3000)",  # more than all buffers on the way
            )
            subject = source(made, users={"table": "people"}, pageRows=50)
            found = Read()
            failed = await broken_off(
                subject, found, lambda pages: server.kill() if pages == 2 else None
            )
            assert isinstance(failed, Unreachable)
            assert failed.code == "SourceReadIncomplete"
            assert 100 <= len(found.entries) < 12_000
            with pytest.raises(Unreachable):
                await subject.fetch(user("7"))
            server.start()
            assert await subject.fetch(user("7")) is not None
            assert len((await read(subject)).entries) == 12_000
            await subject.close()
            made.connection.close()

    run(story())


def test_a_page_is_shown_before_the_last_row_was_read(make: Make) -> None:
    """Rows stream by: what has been read is with the engine, not in memory."""

    async def story() -> None:
        made = make("postgresql")
        organisation(made, 2000)
        subject = source(made, users={"table": "people"}, pageRows=100)
        pages = [part async for part in subject.pull(None) if isinstance(part, Page)]
        assert {len(page.changes) for page in pages} == {100}
        await subject.close()

    run(story())
