"""A store is opened by whoever may, brought up to date, and recognised when it is a copy."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations

from provisor.errors import Fenced, StoreFailed, StoreTooNew
from provisor.ports import Journal
from provisor.store.errors import StoreTooOld
from provisor.store.sqlite import migrations, opening
from provisor.store.sqlite.migrations import MIGRATIONS, migrate
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import (
    JOB,
    RULES,
    governed,
    job,
    key,
    now_or_never,
    recalled,
    seen,
    show,
)
from tests.contracts.store.versions.furnished import answers, furnish, restore, statements

ADA = key("ada")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def schema(path: Path) -> list[str]:
    return sorted(s for s in statements(path) if s.startswith("CREATE"))


def execute(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


# versions


def test_a_new_store_is_of_the_present_version(path: Path) -> None:
    SqliteStore(path).close()

    assert execute(path, "PRAGMA user_version") == [(opening.VERSION,)]
    assert len(MIGRATIONS) == opening.VERSION


@pytest.mark.parametrize("version", range(1, opening.VERSION + 1))
def test_a_store_of_each_version_is_read_as_it_was_written(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    restore(version, old)

    with closing(SqliteStore(new)) as fresh, closing(SqliteStore(old)) as migrated:
        now_or_never(furnish(fresh))
        assert now_or_never(answers(migrated)) == now_or_never(answers(fresh))

    assert schema(old) == schema(new)


def test_a_store_of_a_newer_version_is_refused_with_a_sentence(path: Path) -> None:
    SqliteStore(path).close()
    execute(path, f"PRAGMA user_version = {opening.VERSION + 1}")
    before = path.read_bytes()

    with pytest.raises(StoreTooNew, match="written by a newer Provisor") as refused:
        SqliteStore(path)

    assert refused.value.code == "StoreTooNew"
    assert path.read_bytes() == before


def test_a_file_that_another_has_open_is_migrated_when_he_is_gone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He is of the earlier version, and would go on writing as he used to."""
    monkeypatch.setattr(migrations, "PATIENCE_S", 0.1)
    restore(opening.VERSION - 1, path)
    execute(path, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        before = other.execute("SELECT * FROM job").fetchall()
        with pytest.raises(StoreTooOld, match="another process has it open") as refused:
            SqliteStore(path)
        assert refused.value.code == "StoreTooOld"
        assert other.execute("SELECT * FROM job").fetchall() == before
        assert other.execute("PRAGMA user_version").fetchone() == (opening.VERSION - 1,)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    SqliteStore(path).close()

    assert execute(path, "PRAGMA user_version") == [(opening.VERSION,)]
    assert execute(path, "PRAGMA journal_mode") == [("wal",)]


def remembers_colours(operations: Operations) -> None:
    operations.execute("ALTER TABLE application ADD COLUMN colour TEXT")


def breaks(operations: Operations) -> None:
    operations.execute("ALTER TABLE application ADD COLUMN taste TEXT")
    operations.execute("INSERT INTO nowhere VALUES (1)")


def test_a_store_of_an_older_version_is_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqliteStore(path)) as store:
        now_or_never(furnish(store))
        before = now_or_never(answers(store))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, remembers_colours))
    monkeypatch.setattr(opening, "VERSION", opening.VERSION + 1)

    with closing(SqliteStore(path)) as store:
        assert now_or_never(answers(store)) == before

    assert execute(path, "SELECT colour FROM application") == [(None,)]
    assert execute(path, "PRAGMA user_version") == [(opening.VERSION,)]


def test_a_migration_is_done_all_of_the_way_or_not_at_all(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqliteStore(path)) as store:
        now_or_never(furnish(store))
    before = list(statements(path))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, remembers_colours, breaks))
    monkeypatch.setattr(opening, "VERSION", opening.VERSION + 2)

    with pytest.raises(StoreFailed, match="no such table: nowhere"):
        SqliteStore(path)

    assert list(statements(path)) == before


def test_who_comes_second_to_a_migration_finds_it_done(path: Path) -> None:
    SqliteStore(path).close()
    before = list(statements(path))

    migrate(path, opening.VERSION)

    assert list(statements(path)) == before


def test_a_store_that_is_up_to_date_is_opened_without_the_tools_that_migrate(path: Path) -> None:
    SqliteStore(path).close()
    code = (
        "import sys; from pathlib import Path; from provisor.store.sqlite.store import SqliteStore;"
        "SqliteStore(Path(sys.argv[1])).close();"
        "sys.exit(bool({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )

    subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=True)


def test_another_database_is_left_alone(path: Path) -> None:
    execute(path, "CREATE TABLE somebody_elses (x)")
    before = path.read_bytes()

    with pytest.raises(StoreFailed, match=r"no store of Provisor's"):
        SqliteStore(path)

    assert path.read_bytes() == before


# files


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such bits")
def test_only_its_owner_may_read_a_store(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        now_or_never(furnish(store))
        now_or_never(store.backup(path.with_name("backup.db")))
        modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in path.parent.iterdir()}

    assert modes.keys() >= {"store.db", "store.db-wal", "store.db.mark", "backup.db"}
    assert set(modes.values()) == {0o600}


def test_a_backup_is_a_store_as_it_was(path: Path) -> None:
    backup = path.with_name("backup.db")
    with closing(SqliteStore(path)) as store:
        now_or_never(furnish(store))
        before = now_or_never(answers(store))

        now_or_never(store.backup(backup))
        now_or_never(store.put_job(job("another")))

    with closing(SqliteStore(backup)) as copy:
        assert now_or_never(answers(copy)) == before
    assert {file.name for file in path.parent.iterdir()} <= {
        *("store.db", "store.db-wal", "store.db-shm", "store.db.mark"),
        *("backup.db", "backup.db-wal", "backup.db-shm"),
    }


def test_a_backup_that_cannot_be_written_says_so(path: Path) -> None:
    with closing(SqliteStore(path)) as store, pytest.raises(StoreFailed, match="cannot be written"):
        now_or_never(store.backup(path.parent / "nowhere" / "backup.db"))


# several processes


def test_two_that_have_the_store_open_fence_each_other(path: Path) -> None:
    with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as other:
        now_or_never(one.put_job(job()))
        first = now_or_never(one.open_journal(JOB, "one"))
        now_or_never(show(first, seen(ADA, name="Ada")))
        second = now_or_never(other.open_journal(JOB, "other"))

        with pytest.raises(Fenced):
            now_or_never(first.doubt([ADA]))
        now_or_never(second.doubt([ADA]))

        assert now_or_never(recalled(first, ADA)) == now_or_never(recalled(second, ADA))


def test_a_closed_journal_leaves_the_store_open(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        now_or_never(furnish(store))
        overlay = now_or_never(store.overlay_journal(JOB))
        now_or_never(overlay.doubt([ADA]))

        assert now_or_never(store.jobs())
    with pytest.raises(StoreFailed):
        now_or_never(overlay.doubt([ADA]))


def test_a_journal_that_nobody_holds_any_more_holds_no_file(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        now_or_never(store.put_job(job()))
        for _ in range(3):
            now_or_never(store.open_journal(JOB, "test"))
            now_or_never(store.view_journal(JOB))
            now_or_never(store.overlay_journal(JOB))

    assert {file.name for file in path.parent.iterdir()} == {"store.db", "store.db.mark"}


def test_a_journal_that_is_dropped_in_another_thread_is_closed_in_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage is collected in whatever thread has its turn."""
    raised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", raised.append)
    with closing(SqliteStore(path)) as store:
        now_or_never(store.put_job(job()))
        held = [now_or_never(store.open_journal(JOB, "test"))]
        dropping = threading.Thread(target=lambda: (held.clear(), gc.collect()))
        dropping.start()
        dropping.join()

    assert not raised
    assert {file.name for file in path.parent.iterdir()} == {"store.db", "store.db.mark"}


# copies


@pytest.fixture
def governing(path: Path) -> Iterator[SqliteStore]:
    """Return a store that governs one target object, as somebody else left it."""
    with closing(SqliteStore(path)) as store:
        now_or_never(store.put_job(job()))
        now_or_never(_govern(now_or_never(store.open_journal(JOB, "test"))))
    with closing(SqliteStore(path)) as store:
        yield store


async def _govern(journal: Journal) -> None:
    await journal.adopt(RULES, "policy")
    await governed(journal, ADA, "t1")


def trusts(store: SqliteStore) -> bool:
    """Take the job over; tell whether the image is still trusted."""
    journal = now_or_never(store.open_journal(JOB, "test"))
    link = now_or_never(recalled(journal, ADA)).link
    assert link is not None
    return link.image is not None


def test_a_store_that_is_itself_is_trusted(governing: SqliteStore) -> None:
    assert not governing.is_restored
    assert trusts(governing)
    assert trusts(governing)
    assert now_or_never(governing.audited(5)) == []


def test_a_new_store_is_no_copy(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        assert not store.is_restored


def test_a_store_that_was_copied_elsewhere_trusts_no_image(
    governing: SqliteStore, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    now_or_never(governing.backup(elsewhere))

    with closing(SqliteStore(elsewhere)) as copy:
        assert copy.is_restored
        assert not trusts(copy)
        (act,) = now_or_never(copy.audited(5))
        assert (act.activity, act.about[:21]) == ("recognise", "the store was restore")

        assert not copy.is_restored


def test_an_older_store_put_back_in_its_place_trusts_no_image(
    governing: SqliteStore, path: Path
) -> None:
    backup = path.with_name("backup.db")
    now_or_never(governing.backup(backup))
    assert trusts(governing)
    governing.close()
    for left_over in ("-wal", "-shm"):
        path.with_name(path.name + left_over).unlink(missing_ok=True)
    shutil.copy(backup, path)

    with closing(SqliteStore(path)) as restored:
        assert restored.is_restored
        assert not trusts(restored)


def test_a_crash_while_a_job_is_taken_over_makes_no_copy(
    governing: SqliteStore, path: Path
) -> None:
    """Whichever of the file and the transaction was written, they agree."""

    class Dies(sqlite3.Connection):
        dies_at = 0

        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            Dies.dies_at -= 1
            if Dies.dies_at == 0:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(*arguments)

    dying = SqliteStore(path, Dies)
    for statement in range(1, 30):
        Dies.dies_at = statement
        try:
            now_or_never(dying.open_journal(JOB, "test"))
        except StoreFailed:
            Dies.dies_at = 0
            assert not governing.is_restored
        else:
            break
    else:
        raise AssertionError("it never got through")
    assert statement > 5
    dying.close()
    assert trusts(governing)
