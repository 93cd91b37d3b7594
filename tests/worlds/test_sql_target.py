"""Databases as targets, on real servers: what only they do, and how they refuse.

What every target promises is in tests/contracts/targets.
"""

from __future__ import annotations

from typing import Any

import pytest

from provisor.errors import Denied, Rejected, Stale, Unanswered, Unreachable
from provisor.model.decisions import AttributeChange, Create, Delete, ReferencesChange, Update
from provisor.model.entries import Anchor, MatchQuery, Reference
from provisor.model.rules import AttributeDefinition
from provisor.testing.reading import run
from tests.contracts.targets.sql import COMMIT, tables, target
from tests.worlds.databases import Postgres
from tests.worlds.hands import DIALECTS, Dialect
from tests.worlds.sql import Make
from tests.worlds.tcp import Wire

NAMED = {"User": (AttributeDefinition(name="name"),)}
SERVERS: tuple[Dialect, ...] = ("postgresql", "mariadb")


def hire(name: str, **said: Any) -> Create:
    return Create("User", {"user_name": name, **said}, (MatchQuery("User", "user_name", name),))


async def anchor_of(subject: Any, name: str, **said: Any) -> Anchor:
    anchor = (await subject.export(hire(name, **said))).anchor
    assert anchor is not None
    return anchor


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_commit_without_answer_is_unanswered_and_one_not_sent_was_not_done(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(*tables(dialect))
        with Wire.to(made.port) as wire:
            address = made.url.replace(f":{made.port}/", f":{wire.port}/")
            subject = target(made, url=address, timeouts={"connect": 5, "read": 10})
            wire.swallow_answer_to(COMMIT[dialect])
            with pytest.raises(Unanswered):
                await subject.export(hire("ada"))
            assert len(await subject.find(MatchQuery("User", "user_name", "ada"))) == 1
            wire.cut_before(b"INSERT")
            with pytest.raises(Unreachable):
                await subject.export(hire("bob"))
            assert list(await subject.find(MatchQuery("User", "user_name", "bob"))) == []
            await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_refusal_is_about_the_object_and_says_why_without_its_values(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(*tables(dialect))
        subject = target(made)
        ada = await anchor_of(subject, "ada-secret-name")
        with pytest.raises(Stale) as taken:
            await subject.export(hire("ada-secret-name"))
        assert taken.value.code == "EntryConflict"
        bob = await anchor_of(subject, "bob")
        change = AttributeChange("user_name", "bob", "ada-secret-name")
        with pytest.raises(Stale) as also:
            await subject.export(Update("User", bob, (change,)))
        with pytest.raises(Rejected) as nobody:
            await subject.export(hire("cyd", manager_id=Reference("User", Anchor("999"))))
        assert nobody.value.code == "UnableToResolveReferenceAttributeValue"
        with pytest.raises(Rejected):
            await subject.export(Create("User", {"display_name": "nameless"}, ()))
        with pytest.raises(Rejected):
            await subject.export(hire("dan", rank="no number"))
        for failed in (taken, also, nobody):
            assert "secret" not in f"{failed.value} {failed.value.heard}"
        assert [row[0] for row in made.do("SELECT user_name FROM accounts ORDER BY id")] == [
            "ada-secret-name",
            "bob",
        ]
        assert await subject.fetch("User", ada) is not None
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_members_that_are_refused_are_named_and_the_others_are_in(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(*tables(dialect))
        subject = target(made)
        ada = await anchor_of(subject, "ada")
        team = (await subject.export(Create("Group", {"display_name": "All"}, ()))).anchor
        assert team is not None
        nobody = Reference("User", Anchor("999"))
        change = ReferencesChange(
            "members", frozenset({Reference("User", ada), nobody}), frozenset()
        )
        with pytest.raises(Rejected) as refusal:
            await subject.export(Update("Group", team, (change,)))
        assert refusal.value.refused == {nobody}
        assert [str(r[0]) for r in made.do("SELECT account_id FROM team_members")] == [ada]
        await subject.export(Delete("User", ada))
        assert made.do("SELECT * FROM team_members") == []
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", SERVERS)
def test_many_members_come_and_go_in_few_statements(make: Make, dialect: Dialect) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(*tables(dialect))
        with Wire.to(made.port) as wire:
            address = made.url.replace(f":{made.port}/", f":{wire.port}/")
            subject = target(made, url=address)
            people = [await anchor_of(subject, f"p{number}") for number in range(120)]
            named = (MatchQuery("Group", "display_name", "all"),)
            group = (await subject.export(Create("Group", {"display_name": "all"}, named))).anchor
            assert group is not None
            everybody = frozenset(Reference("User", one) for one in people)
            nobody = frozenset[Reference]()
            for change in (
                ReferencesChange("members", everybody, nobody),
                ReferencesChange("members", nobody, everybody),
            ):
                before = wire.requests
                await subject.export(Update("Group", group, (change,)))
                assert wire.requests - before < len(people), "one by one"
                said = await subject.referred("Group", group, "members", everybody)
                assert said.known == change.added
            await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_keys_of_ours_are_compared_byte_by_byte(make: Make, dialect: Dialect) -> None:
    """Under the usual collations `A` is `a`: the wrong row must not be changed or deleted."""

    async def story() -> None:
        made = make(dialect)
        folding = "COLLATE NOCASE" if dialect == "sqlite" else ""
        made.script(f"CREATE TABLE people (id VARCHAR(40) {folding}, name VARCHAR(40))")
        for key in ("a", "A", "a "):
            made.do("INSERT INTO people VALUES (?, ?)", key, f"name of {key!r}")
        users = {"table": "people"}
        subject = target(made, NAMED, users=users, groups=None)
        change = AttributeChange("name", None, "changed")
        await subject.export(Update("User", Anchor("A"), (change,)))
        await subject.export(Delete("User", Anchor("a ")))
        await subject.export(Delete("User", Anchor("A  ")))
        said = sorted(made.do("SELECT id, name FROM people"))
        assert said == [("A", "changed"), ("a", "name of 'a'")]
        await subject.close()

    run(story())


def test_a_key_of_ours_is_given_where_the_database_makes_none(make: Make) -> None:
    async def story() -> None:
        made = make("mariadb")
        made.script("CREATE TABLE people (id CHAR(36) PRIMARY KEY, name VARCHAR(40))")
        subject = target(made, NAMED, users={"table": "people", "generate": "uuid"}, groups=None)
        anchor = (await subject.export(Create("User", {"name": "Ada"}, ()))).anchor
        assert made.do("SELECT id, name FROM people") == [(anchor, "Ada")]
        await subject.close()

    run(story())


PROCEDURES: dict[Dialect, tuple[str, ...]] = {
    "postgresql": (
        "CREATE TABLE people (id SERIAL PRIMARY KEY, name TEXT UNIQUE)",
        """CREATE FUNCTION add_person(n TEXT) RETURNS INT LANGUAGE sql AS
           $$ INSERT INTO people (name) VALUES (upper(n)) RETURNING id $$""",
        """CREATE PROCEDURE rename_person(i INT, n TEXT) LANGUAGE sql AS
           $$ UPDATE people SET name = upper(n) WHERE id = i $$""",
        """CREATE PROCEDURE drop_person(i INT) LANGUAGE sql AS
           $$ DELETE FROM people WHERE id = i $$""",
    ),
    "mariadb": (
        "CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) UNIQUE)",
        """CREATE PROCEDURE add_person(n VARCHAR(40)) BEGIN
           INSERT INTO people (name) VALUES (upper(n)); SELECT last_insert_id(); END""",
        """CREATE PROCEDURE rename_person(i INT, n VARCHAR(40))
           UPDATE people SET name = upper(n) WHERE id = i""",
        "CREATE PROCEDURE drop_person(i INT) DELETE FROM people WHERE id = i",
    ),
}


@pytest.mark.parametrize("dialect", SERVERS)
def test_stored_procedures_write_where_tables_may_not_be_touched(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script(*PROCEDURES[dialect])
        schema = made.name
        procedures = {
            "create": {"name": "add_person", "arguments": ["name"]},
            "update": {"name": "rename_person", "arguments": ["anchor", "name"]},
            "delete": {"name": "drop_person", "arguments": ["anchor"]},
        }
        for one in procedures.values():
            one["schema"] = schema
        users = {"table": "people", "procedures": procedures}
        subject = target(made, NAMED, users=users, groups=None)
        done = await subject.export(Create("User", {"name": "ada"}, ()))
        assert done.anchor is not None
        assert done.attributes == {"name": "ADA"}, "what it made of it"
        change = AttributeChange("name", "ADA", "eve")
        assert (await subject.export(Update("User", done.anchor, (change,)))).attributes == {
            "name": "EVE"
        }
        with pytest.raises(Stale):
            await subject.export(Create("User", {"name": "eve"}, ()))
        await subject.export(Delete("User", done.anchor))
        assert made.do("SELECT * FROM people") == []
        procedures["create"]["name"] = "Add_Person; DROP TABLE people"
        wrong = target(made, NAMED, users=users, groups=None)
        with pytest.raises(Denied):
            await wrong.export(Create("User", {"name": "bob"}, ()))
        await subject.close()
        await wrong.close()

    run(story())


def test_lack_of_rights_is_about_the_object_and_a_probe_tells(
    make: Make, postgres: Postgres
) -> None:
    async def story() -> None:
        made = make("postgresql")
        with postgres.root("hr") as root:
            root.execute(
                f"CREATE TABLE {made.name}.people (id SERIAL PRIMARY KEY, name TEXT)".encode()
            )
            root.execute(f"GRANT SELECT ON {made.name}.people TO hr".encode())
        subject = target(made, NAMED, users={"table": "people"}, groups=None)
        await subject.probe()
        with pytest.raises(Rejected) as refusal:
            await subject.export(Create("User", {"name": "Ada"}, ()))
        assert refusal.value.code == "InsufficientRights"
        await subject.close()

    run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_mapped_and_not_there_is_denied_before_anything_is_written(
    make: Make, dialect: Dialect
) -> None:
    async def story() -> None:
        made = make(dialect)
        made.script("CREATE TABLE people (id INTEGER PRIMARY KEY, names VARCHAR(40))")
        subject = target(made, NAMED, users={"table": "people"}, groups=None)
        with pytest.raises(Denied) as denial:
            await subject.probe()
        assert "name" in str(denial.value)
        await subject.close()

    run(story())
