"""Databases as sources, on real servers: late commits, broken wires, odd keys, missing rows.

What every source promises is in tests/contracts/sources; here is what only databases do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest

from provisor.connectors.sql.source import SqlSource
from provisor.errors import AdapterError, Denied, Unreachable, WatermarkExpired
from provisor.model.entries import (
    Absence,
    Anchor,
    EntryKey,
    Gone,
    Page,
    Reference,
    Seen,
    Watermark,
)
from provisor.testing.reading import (
    LateClock,
    Read,
    read,
    run,
)
from tests.worlds.databases import Postgres
from tests.worlds.hands import DIALECTS, Dialect
from tests.worlds.sql import Make, source, user


async def whole(subject: SqlSource) -> tuple[Read, Watermark]:
    found = await read(subject)
    assert found.error is None, found.error
    assert found.receipt is not None
    assert found.receipt.watermark is not None
    return found, found.receipt.watermark


# commits in another order


PEOPLE: dict[Dialect, str] = {
    "sqlite": "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, changed TEXT)",
    "postgresql": "CREATE TABLE people (id INT PRIMARY KEY, name TEXT, changed TIMESTAMPTZ)",
    "mariadb": "CREATE TABLE people (id INT PRIMARY KEY, name TEXT, changed TIMESTAMP(6) NULL)",
}
BY_TIME: dict[str, Any] = {"users": {"table": "people", "watermark": "changed"}}


def test_a_transaction_that_commits_late_is_read_however_old_its_times_are(make: Make) -> None:
    """PostgreSQL: `now()` is when the transaction began, which may be long before it ended."""

    async def story() -> None:
        made = make("postgresql")
        made.do(PEOPLE["postgresql"])
        subject = source(made, **BY_TIME)
        late = made.another()
        late.execute("BEGIN")
        late.execute("INSERT INTO people VALUES (1, 'late', now() - interval '1 hour')")
        made.do("INSERT INTO people VALUES (2, 'early', now())")

        found, mark = await whole(subject)
        assert set(found.entries) == {user("2")}
        made.do("INSERT INTO people VALUES (3, 'next', now())")
        late.execute("COMMIT")
        late.close()

        after = await read(subject, mark)
        assert set(after.entries) >= {user("1"), user("3")}
        await subject.close()

    run(story())


def test_one_that_stays_open_over_several_reads_is_read_in_the_end(make: Make) -> None:
    async def story() -> None:
        made = make("postgresql")
        made.do(PEOPLE["postgresql"])
        subject = source(made, **BY_TIME)
        made.do("INSERT INTO people VALUES (9, 'first', now())")
        late = made.another()
        late.execute("BEGIN")
        late.execute("UPDATE people SET name = 'changed' WHERE id = 9")
        _, mark = await whole(subject)
        for number in range(3):
            made.do("INSERT INTO people VALUES (?, 'x', now())", number)
            found = await read(subject, mark)
            assert found.receipt is not None
            assert found.receipt.watermark is not None
            mark = found.receipt.watermark
        late.execute("COMMIT")
        late.close()

        after = await read(subject, mark)
        assert after.entries[user("9")].attributes["name"] == "changed"
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", ["sqlite", "mariadb"])
def test_elsewhere_the_overlap_catches_who_commits_late(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.do(PEOPLE[dialect])
        made.do("INSERT INTO people VALUES (2, 'early', '2026-01-02 10:05:00')")
        subject = source(made, **BY_TIME)
        _, mark = await whole(subject)
        made.do("INSERT INTO people VALUES (1, 'late', '2026-01-02 09:59:00')")
        made.do("INSERT INTO people VALUES (3, 'too late', '2026-01-01 00:00:00')")

        after = await read(subject, mark)

        assert set(after.entries) == {user("1")}, "and what was shown before is not shown again"
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", ["sqlite", "mariadb"])
def test_who_came_in_the_same_moment_as_the_last_is_read(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.do(PEOPLE[dialect])
        made.do("INSERT INTO people VALUES (1, 'Ada', '2026-01-02 10:05:00')")
        subject = source(made, users=BY_TIME["users"] | {"overlap": "PT0S"})
        _, mark = await whole(subject)
        made.do("INSERT INTO people VALUES (2, 'Bob', '2026-01-02 10:05:00')")

        assert set((await read(subject, mark)).entries) == {user("2")}
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_row_without_a_mark_is_always_read(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.do(PEOPLE[dialect])
        made.do("INSERT INTO people VALUES (1, 'Ada', NULL)")
        made.do("INSERT INTO people VALUES (2, 'Bob', '2026-01-02 10:05:00')")
        subject = source(made, **BY_TIME)
        _, mark = await whole(subject)
        made.do("UPDATE people SET name = 'Eve' WHERE id = 1")
        made.do("INSERT INTO people VALUES (3, 'Cyd', NULL)")

        assert set((await read(subject, mark)).entries) == {user("1"), user("3")}
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_row_from_the_future_hides_nobody(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.do(PEOPLE[dialect])
        made.do("INSERT INTO people VALUES (1, 'Ada', '2037-01-01 00:00:00')")
        subject = source(made, **BY_TIME)
        _, mark = await whole(subject)
        made.do("INSERT INTO people VALUES (2, 'Bob', CURRENT_TIMESTAMP)")

        assert user("2") in (await read(subject, mark)).entries
        await subject.close()

    run(story())


def test_a_database_restored_from_a_backup_is_read_as_a_whole(make: Make) -> None:
    async def story() -> None:
        made = make("postgresql")
        made.do(PEOPLE["postgresql"])
        made.do("INSERT INTO people VALUES (1, 'Ada', now())")
        subject = source(made, **BY_TIME)
        _, mark = await whole(subject)
        assert (ahead := mark.replace(str(xmin_of(mark)), str(xmin_of(mark) + 1_000_000))) != mark

        assert isinstance((await read(subject, Watermark(ahead))).error, WatermarkExpired)
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_a_snapshot_is_of_one_moment_whatever_happens_between_its_pages(
    make: Make, dialect: Dialect
) -> None:
    """Else somebody would be shown, and missing from a group that he left only with his account."""

    async def story() -> None:
        made = make(dialect)
        made.do(PEOPLE[dialect])
        made.do("CREATE TABLE crews (id INT PRIMARY KEY, name TEXT)")
        made.do("CREATE TABLE members (crew INT, person INT)")
        made.do("INSERT INTO crews VALUES (1, 'first')")
        for number in (1, 2, 3):
            made.do("INSERT INTO people VALUES (?, 'x', NULL)", number)
            made.do("INSERT INTO members VALUES (1, ?)", number)
        members = {"table": "members", "group": "crew", "member": "person"}
        groups = {"table": "crews", "members": members}
        subject = source(made, users={"table": "people"}, groups=groups, pageRows=1)
        reading = subject.pull(None)

        parts = [await anext(reading)]
        made.do("DELETE FROM members WHERE person = 3")
        made.do("DELETE FROM people WHERE id = 3")
        parts += [part async for part in reading]

        pages = [part for part in parts if isinstance(part, Page)]
        seen = [one.entry for page in pages for one in page.changes if isinstance(one, Seen)]
        (crew,) = (one for one in seen if one.kind == "Group")
        there = {Reference("User", one.anchor) for one in seen if one.kind == "User"}
        assert set(cast("tuple[Reference, ...]", crew.attributes["members"])) == there
        assert len(there) == 3
        await subject.close()

    run(story())


def xmin_of(mark: Watermark) -> int:
    from provisor.connectors.sql.marks import read_marks

    found = read_marks(mark).tables["User"].xmin
    assert found is not None
    return found


def test_since_a_watermark_shows_no_deletion_everything_is_read_every_day(make: Make) -> None:
    async def story() -> None:
        made = make("sqlite")
        made.do(PEOPLE["sqlite"])
        clock = LateClock()
        subject = source(made, clock, **BY_TIME)
        made.do("INSERT INTO people VALUES (1, 'Ada', '2026-01-02 10:05:00')")
        _, mark = await whole(subject)
        await clock.sleep(timedelta(hours=23).total_seconds())
        assert (await read(subject, mark)).error is None
        await clock.sleep(timedelta(hours=2).total_seconds())
        assert isinstance((await read(subject, mark)).error, WatermarkExpired)
        other = source(made, clock, users={**BY_TIME["users"], "attributes": {"name": None}})
        assert isinstance((await read(other, mark)).error, WatermarkExpired)
        await other.close()
        await subject.close()

    run(story())


# how deletions are told


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_row_that_says_it_is_deleted_is_gone_softly(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(
            "CREATE TABLE people (id VARCHAR(9) PRIMARY KEY, v INT, deleted_at VARCHAR(30))",
            "INSERT INTO people VALUES ('a', 1, NULL), ('b', 1, NULL), ('c', 1, '2020-01-01')",
        )
        chosen = {"table": "people", "watermark": "v", "softDelete": {"column": "deleted_at"}}
        subject = source(made, users={**chosen, "overlap": "PT0S"})
        found, mark = await whole(subject)
        assert set(found.entries) == {user("a"), user("b")}
        assert found.receipt is not None
        assert found.receipt.rows == {"User": 2}
        made.do("UPDATE people SET v = 2, deleted_at = '2026-01-01' WHERE id = 'b'")

        after = await read(subject, mark)

        gone = [c for page in after.pages for c in page.changes if isinstance(c, Gone)]
        assert gone == [Gone(user("b"), Absence.ABSENT)]
        assert await subject.fetch(user("b")) is None
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_change_table_says_who_was_deleted_and_a_look_agrees(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(
            "CREATE TABLE people (id VARCHAR(9) PRIMARY KEY, name VARCHAR(9))",
            "CREATE TABLE log (n INT PRIMARY KEY, id VARCHAR(9), op VARCHAR(9))",
            "INSERT INTO people VALUES ('a', '1'), ('b', '2'), ('c', '3')",
            "INSERT INTO log VALUES (1, 'a', 'I')",
        )
        told = {"table": "log", "anchor": "id", "sequence": "n", "operation": "op"}
        subject = source(made, users={"table": "people", "changes": told, "overlap": "PT0S"})
        _, mark = await whole(subject)
        made.script(
            "DELETE FROM people WHERE id = 'b'",
            "UPDATE people SET name = '4' WHERE id = 'c'",
            "INSERT INTO log VALUES (2, 'b', 'D'), (3, 'c', 'D'), (4, 'x', 'U')",
        )

        after = await read(subject, mark)

        said = {
            c.key.anchor: c.absence for p in after.pages for c in p.changes if isinstance(c, Gone)
        }
        assert said == {"b": Absence.DELETED, "x": Absence.ABSENT}
        assert set(after.entries) == {user("c")}, "it is there, whatever the table says"
        made.script("DELETE FROM log WHERE n <= 4", "INSERT INTO log VALUES (9, 'a', 'U')")
        assert isinstance((await read(subject, mark)).error, WatermarkExpired)
        await subject.close()

    run(story())


# keys


@pytest.mark.parametrize("dialect", DIALECTS)
def test_keys_are_compared_byte_by_byte(make: Make, dialect: Dialect) -> None:
    """Under the usual collations `Ę` is `e`, and blanks at the end mean nothing."""

    async def story() -> None:
        made = make(dialect)
        made.script(
            "CREATE TABLE people (nr INT PRIMARY KEY, id VARCHAR(20), name VARCHAR(20))",
            "CREATE TABLE tags (person VARCHAR(20), tag VARCHAR(20))",
        )
        keys = ["e", "E", "ę", "e ", "e  ", "é"]
        for number, name in enumerate(keys):
            made.do("INSERT INTO people VALUES (?, ?, ?)", number, name, f"n{number}")
            made.do("INSERT INTO tags VALUES (?, ?)", name, f"t{number}")
        values = {"tags": {"table": "tags", "parent": "person", "value": "tag"}}
        users = {"table": "people", "anchor": "id", "attributes": {"nr": None}, "values": values}
        subject = source(made, users=users)

        found = await read(subject)

        said = {
            k.anchor: (e.attributes["name"], e.attributes["tags"]) for k, e in found.entries.items()
        }
        assert said == {name: (f"n{n}", (f"t{n}",)) for n, name in enumerate(keys)}
        for name in keys:
            entry = await subject.fetch(user(name))
            assert entry is not None
            assert entry == found.entries[user(name)]
        for stranger in ("Ę", "e   ", " e", ""):
            assert await subject.fetch(user(stranger)) is None
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_the_blanks_that_fill_up_a_key_mean_nothing(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(
            "CREATE TABLE people (id CHAR(10) PRIMARY KEY, boss CHAR(12))",
            "CREATE TABLE teams (id VARCHAR(10) PRIMARY KEY)",
            "CREATE TABLE members (team VARCHAR(10), person VARCHAR(10))",
            "INSERT INTO people VALUES ('ada', NULL), ('bob', 'ada')",
            "INSERT INTO teams VALUES ('t')",
            "INSERT INTO members VALUES ('t', 'bob')",
        )
        subject = source(
            made,
            users={"table": "people", "attributes": {"boss": "manager"}},
            groups={
                "table": "teams",
                "members": {"table": "members", "group": "team", "member": "person"},
            },
        )
        found = await read(subject)
        assert found.entries[user("bob")].attributes["manager"] == Reference("User", Anchor("ada"))
        team = found.entries[EntryKey("Group", Anchor("t"))]
        assert team.attributes["members"] == (Reference("User", Anchor("bob")),)
        assert await subject.fetch(user("bob")) == found.entries[user("bob")]
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_that_share_a_key_or_have_none_prove_nobody_gone(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(
            "CREATE TABLE people (id VARCHAR(9), name VARCHAR(9))",
            "INSERT INTO people VALUES ('a', '1'), ('b', '2'), ('a', '3'), (NULL, '4'), ('', '5')",
        )
        subject = source(made, users={"table": "people"})
        found = await read(subject)
        assert set(found.entries) == {user("a"), user("b")}
        assert len(found.faults) == 3
        assert not found.proves("User")
        with pytest.raises(Unreachable):
            await subject.fetch(user("a"))
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_odd_names_of_tables_and_columns_do_no_harm(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        mark = "`" if dialect == "mariadb" else '"'
        odd = "pe%op'le; --"
        made.script(
            f"CREATE TABLE {mark}{odd}{mark} ({mark}i d{mark} VARCHAR(9) PRIMARY KEY,"
            f" {mark}Select:x{mark} VARCHAR(9))"
        )
        made.connection.cursor().execute(f"INSERT INTO {mark}{odd}{mark} VALUES ('a', 'b:c%d')")
        subject = source(made, users={"table": odd, "anchor": "i d"})
        found = await read(subject)
        assert found.entries[user("a")].attributes == {"i d": "a", "Select:x": "b:c%d"}
        assert await subject.fetch(user("a' OR '1'='1")) is None
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_query_is_a_source_and_a_name_that_is_not_there_is_an_error(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(
            "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), at VARCHAR(20))",
            "INSERT INTO people VALUES (1, 'Ada 100%', '10:30'), (2, 'Bob', '11:00')",
        )
        query = "SELECT id AS nr, name FROM people WHERE at = '10:30' AND name LIKE '%100%'"
        subject = source(made, users={"query": query, "anchor": "nr"})
        found = await read(subject)
        assert found.entries[user("1")].attributes == {"nr": 1, "name": "Ada 100%"}
        assert set(found.entries) == {user("1")}
        assert await subject.fetch(user("1")) == found.entries[user("1")]
        assert await subject.fetch(user("2")) is None
        await subject.close()
        for users in (
            {"table": "peple"},
            {"table": "people", "anchor": "Id"},
            {"query": "SELECT x"},
        ):
            wrong = source(made, users=users)
            failed = (await read(wrong)).error
            assert isinstance(failed, Unreachable)
            assert failed.code == "SourceReadIncomplete"
            await wrong.close()

    run(story())


def test_values_are_what_their_columns_hold(make: Make) -> None:
    async def story() -> None:
        made = make("postgresql")
        made.script(
            "CREATE TABLE people (id UUID PRIMARY KEY, n NUMERIC(10,2), b BOOLEAN, d DATE,"
            " t TIMESTAMP, z TIMESTAMPTZ, a TEXT[], x BYTEA, j JSONB, account_enabled INT)",
            "INSERT INTO people VALUES ('2b6ce0d8-5cb1-4a5a-9c0d-1f0f3a0d7c11', 1.50, true,"
            " '2026-02-28', '2026-01-01 10:00', '2026-01-01 10:00+02', '{a,b}', '\\x00ff',"
            " '{\"k\": 1}', 0)",
        )
        subject = source(made, users={"table": "people"})
        anchor = "2b6ce0d8-5cb1-4a5a-9c0d-1f0f3a0d7c11"
        said = dict((await read(subject)).entries[user(anchor)].attributes)
        assert said.pop("objectId") == anchor
        moments = [str(said.pop(name)) for name in ("t", "z")]
        assert moments == ["2026-01-01 10:00:00+00:00", "2026-01-01 08:00:00+00:00"]
        assert said == {
            "n": "1.50", "b": True, "d": "2026-02-28", "a": ("a", "b"), "x": b"\x00\xff",
            "j": '{"k": 1}', "accountEnabled": False,
        }  # fmt: skip
        assert await subject.fetch(user(anchor)) is not None
        assert await subject.fetch(user(anchor.upper())) is None
        assert await subject.fetch(user("no uuid")) is None
        await subject.close()

    run(story())


# rights


def test_a_right_that_was_taken_away_is_no_deletion(make: Make, postgres: Postgres) -> None:
    async def story() -> None:
        made = make("postgresql")
        with postgres.root("hr") as root:
            root.execute(f"CREATE TABLE {made.name}.people (id INT PRIMARY KEY)".encode())
            root.execute(f"INSERT INTO {made.name}.people VALUES (1)".encode())
            root.execute(f"GRANT SELECT ON {made.name}.people TO hr".encode())
            subject = source(made, users={"table": "people"})
            assert set((await read(subject)).entries) == {user("1")}
            root.execute(f"REVOKE SELECT ON {made.name}.people FROM hr".encode())
        assert isinstance((await read(subject)).error, Denied)
        with pytest.raises(Denied):
            await subject.fetch(user("1"))
        await subject.close()

    run(story())


def test_credentials_that_are_wrong_and_servers_that_are_not_there(make: Make) -> None:
    async def story() -> None:
        made = make("postgresql")
        wrong: list[tuple[dict[str, Any], type[AdapterError]]] = [
            ({"password": "wrong"}, Denied),
            ({"url": made.url.replace("hr@", "nobody@")}, Denied),
            ({"url": made.url.replace(f":{made.port}", ":9")}, Unreachable),
        ]
        for chosen, expected in wrong:
            subject = source(made, users={"table": "people"}, **chosen)
            assert isinstance((await read(subject)).error, expected), chosen
            await subject.close()

    run(story())
