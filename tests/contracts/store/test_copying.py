"""A store moves between a file and PostgreSQL, there and back, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from provisor.errors import StoreFailed
from provisor.store.moving import move
from provisor.store.opened import home_of, open_rows
from provisor.store.place import Place
from provisor.store.sql.copying import KEYS, fingerprint
from tests.contracts.store.building import (
    JOB,
    governed,
    job,
    key,
    now_or_never,
    recalled,
    seen,
    show,
)
from tests.contracts.store.versions.furnished import answers, furnish

ADA = key("ada")


class BrokenOff(Exception):
    """The copying ended in the middle."""


def quietly(_table: str, _rows: int) -> None:
    """Nobody watches."""


def breaking_at(table: str) -> Callable[[str, int], None]:
    def told(done: str, _rows: int) -> None:
        if done == table:
            raise BrokenOff

    return told


def known_by(place: Place) -> str:
    with home_of(place) as home:
        database = home.look()
        with database.snapshot():
            found = fingerprint(database)
        database.close()
    return found


@pytest.fixture
def furnished(tmp_path: Path) -> Path:
    """Return the file of a store with something of everything in it."""
    path = tmp_path / "from.db"
    with closing(open_rows(path)) as store:
        now_or_never(furnish(store))
    return path


def test_a_store_goes_to_postgresql_and_back_and_is_the_same(
    furnished: Path, pg_store: str, tmp_path: Path
) -> None:
    back = tmp_path / "back.db"

    there = move(furnished, pg_store, quietly)
    assert move(pg_store, back, quietly) == there == known_by(furnished)

    with closing(open_rows(furnished)) as store:
        expected = now_or_never(answers(store))
    for place in (pg_store, back):
        with closing(open_rows(place)) as store:
            assert now_or_never(answers(store)) == expected


def test_who_comes_after_the_move_is_given_numbers_of_its_own(
    furnished: Path, pg_store: str
) -> None:
    move(furnished, pg_store, quietly)

    with closing(open_rows(pg_store)) as store:
        now_or_never(store.put_job(job("another")))
        journal = now_or_never(store.open_journal("another", "test"))
        now_or_never(show(journal, *(seen(key(f"new {n}"), name="New") for n in range(50))))
        now_or_never(governed(journal, ADA, "t-new"))


@pytest.mark.parametrize("table", [*KEYS][::4])
def test_broken_off_anywhere_it_goes_on_where_it_was(
    furnished: Path, pg_store: str, tmp_path: Path, table: str
) -> None:
    for source, target in ((furnished, pg_store), (pg_store, tmp_path / "back.db")):
        with pytest.raises(BrokenOff):
            move(source, target, breaking_at(table))
        with pytest.raises(StoreFailed, match="not finished"):
            open_rows(target)

        move(source, target, quietly)

        assert known_by(source) == known_by(target)


def test_a_store_that_was_written_to_between_two_attempts_is_found_out(
    furnished: Path, pg_store: str
) -> None:
    with pytest.raises(BrokenOff):
        move(furnished, pg_store, breaking_at("standing"))
    with closing(open_rows(furnished)) as store:
        now_or_never(store.put_document("aaa", "aaa", b"changed"))

    with pytest.raises(StoreFailed, match="does not say what the store says"):
        move(furnished, pg_store, quietly)


def test_what_is_there_already_is_left_alone(furnished: Path, pg_store: str) -> None:
    with closing(open_rows(pg_store)) as store:
        now_or_never(store.put_job(job("theirs")))

    with pytest.raises(StoreFailed, match="a store already"):
        move(furnished, pg_store, quietly)
    with pytest.raises(StoreFailed, match="the store itself"):
        move(furnished, furnished.parent / "." / furnished.name, quietly)
    with pytest.raises(StoreFailed, match="there is no store"):
        move(furnished.with_name("nothing.db"), pg_store, quietly)

    with closing(open_rows(pg_store)) as store:
        assert [one.id for one in now_or_never(store.jobs())] == ["theirs"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_restored_by_copying_it_back_and_trusts_no_image(
    kind: str, tmp_path: Path, pg_store: str
) -> None:
    """The drill: back up while in use, lose the store, copy the backup to a new one."""
    place: Place = pg_store if kind == "postgresql" else tmp_path / "store.db"
    backup, restored = tmp_path / "backup.db", tmp_path / "restored.db"
    with closing(open_rows(place)) as store:
        now_or_never(store.put_job(job()))
        journal = now_or_never(store.open_journal(JOB, "test"))
        now_or_never(governed(journal, ADA, "t1"))
        now_or_never(store.backup(backup))
        now_or_never(show(journal, seen(key("late"), name="Late")))

    move(backup, restored, quietly)

    with closing(open_rows(restored)) as store:
        assert store.is_restored
        journal = now_or_never(store.open_journal(JOB, "test"))
        link = now_or_never(recalled(journal, ADA)).link
        assert link is not None
        assert (link.target, link.image) == ("t1", None)
        assert now_or_never(journal.recall([key("late")])) == []
        (act,) = now_or_never(store.audited(5))
        assert act.activity == "recognise"
