"""Rows taken from one database to another: a job to be planned with, a store that moves.

Tables and columns are alike on all databases, so that a row is a row; only truth values have a type
of their own on some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import xxhash

from provisor.errors import StoreFailed
from provisor.store.sql.codec import pack
from provisor.store.sql.database import Database

BATCH = 2_000
OF_MAPPING = "mapping IN (SELECT number FROM mapping WHERE job = ?)"
OF_STANDING = f"standing IN (SELECT number FROM standing WHERE {OF_MAPPING})"  # noqa: S608
KEYS: Mapping[str, tuple[str, ...]] = {
    "application": ("id",),
    "document": ("owner", "name"),
    "secret": ("owner", "name"),
    "audit": ("number",),
    "shape": ("number",),
    "job": ("number",),
    "mapping": ("number",),
    "standing": ("number",),
    "mark": ("standing",),
    "source": ("standing",),
    "image": ("standing",),
    "span": ("standing", "attribute"),
    "reference": ("standing", "attribute", "is_single", "kind", "anchor"),
    "departure": ("job", "mapping", "anchor"),
    "removal": ("job", "mapping", "anchor", "kind", "target"),
    "listed": ("number",),
    "listed_answer": ("job", "query", "listed"),
    "cycle": ("number",),
    "record": ("position",),
    "notice": ("number",),
}
"""Every table but `meta`, which says what a store is, with what its rows are known by."""
OF_JOB: Mapping[str, str] = {
    "job": "number = ?",
    "mapping": "job = ?",
    "standing": OF_MAPPING,
    **dict.fromkeys(("mark", "source", "image", "span", "reference"), OF_STANDING),
    "departure": "job = ?",
    "removal": "job = ?",
    "listed": "job = ?",
    "listed_answer": "job = ?",
    "cycle": "job = ?",
    "record": "cycle = (SELECT cycle FROM job WHERE number = ?)",
}
COPYING = "copying"
"""Stands in `meta` of a store that is not all there yet."""


def copy_job(source: Database, target: Database, job: int) -> int:
    """Copy one job into an empty store; return the epoch under which it may be written.

    Call it inside a snapshot of the source. The log of closed cycles is left where it is.
    """
    with target.transaction():
        _bring(target, "shape", _columns(source, "shape"), _rows(source, "shape"))
        for table, condition in OF_JOB.items():
            columns = _columns(source, table)
            statement = f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"  # noqa: S608
            _bring(target, table, columns, source.stream(statement, (job,)))
    (epoch,) = target.connection.execute("SELECT epoch FROM job").fetchone()
    return epoch


# whole stores


def _nobody(table: str, rows: int) -> None:
    """Nobody is told."""


def copy_store(
    source: Database, target: Database, told: Callable[[str, int], object] = _nobody
) -> str:
    """Copy all of a store into an empty one, or go on where an earlier attempt ended; return what
    both are known by. `told` hears of each table, and how many rows it has had.

    Raises StoreFailed where the target holds something else, or the source was written to.
    """
    with target.transaction():
        _claim(target)
    with source.snapshot():
        for table in KEYS:
            told(table, _copy_table(source, target, table))
        before = fingerprint(source)
    with target.snapshot():
        after = fingerprint(target)
    if before != after:
        raise StoreFailed(
            "the copy does not say what the store says: it was begun from another store, or the"
            " store was written to between two attempts. Empty the copy, and begin anew"
        )
    with target.transaction():
        target.brought()
        for name in ("mark", COPYING):
            target.connection.execute("DELETE FROM meta WHERE name = ?", (name,))
        _keep(target, "changes", "1")
        _keep(target, "mark", "copied")
    return after


def refuse_partial(database: Database) -> None:
    """Raise StoreFailed where a store is a copy that was not finished."""
    if is_partial(database):
        database.close()
        raise StoreFailed(
            "this store is a copy that was not finished: give the command that copied it again"
        )


def is_partial(database: Database) -> bool:
    """Tell whether a store is a copy that was not finished."""
    row = database.connection.execute(
        "SELECT value FROM meta WHERE name = ?", (COPYING,)
    ).fetchone()
    return row is not None


def _claim(target: Database) -> None:
    if is_partial(target):
        return
    for table in ("application", "job", "document", "secret"):
        row = target.connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608
        if row is not None:
            raise StoreFailed("there is a store already where this one is to be copied to")
    _keep(target, COPYING, "1")


def _keep(target: Database, name: str, value: str) -> None:
    target.connection.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def _copy_table(source: Database, target: Database, table: str) -> int:
    """Rows go in the order of their keys, so that the last one there says where to go on."""
    columns, keys = _columns(source, table), ", ".join(KEYS[table])
    last = target.connection.execute(
        f"SELECT {keys} FROM {table} ORDER BY {_descending(table)} LIMIT 1"  # noqa: S608
    ).fetchone()
    count = 0
    rows = _rows(source, table, last)
    while batch := list(islice(rows, BATCH)):
        with target.transaction():
            _bring(target, table, columns, batch)
        count += len(batch)
    return count


def _descending(table: str) -> str:
    return ", ".join(f"{key} DESC" for key in KEYS[table])


def _rows(
    source: Database, table: str, after: Sequence[object] | None = None
) -> Iterator[Sequence[object]]:
    keys, columns = ", ".join(KEYS[table]), ", ".join(_columns(source, table))
    condition, bound = "", ()
    if after is not None:
        types = source.columns(table)
        bound = tuple(_typed(v, types[k]) for k, v in zip(KEYS[table], after, strict=True))
        condition = f"WHERE ({keys}) > ({', '.join('?' * len(bound))})"
    return source.stream(
        f"SELECT {columns} FROM {table} {condition} ORDER BY {keys}",  # noqa: S608
        bound,
    )


def _columns(database: Database, table: str) -> tuple[str, ...]:
    return tuple(sorted(database.columns(table)))


def _typed(value: object, is_boolean: bool) -> object:
    return bool(value) if is_boolean and value is not None else value


def _bring(
    target: Database, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    types = target.columns(table)
    if set(columns) != set(types):
        raise StoreFailed(
            f"the two stores do not agree on what a {table} is: bring both up to date"
        )
    truths = [types[column] for column in columns]
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        made = [tuple(map(_typed, row, truths)) for row in batch] if any(truths) else batch
        target.bring(table, columns, made)


def fingerprint(database: Database) -> str:
    """Return what is another for any store that says something else; call it in a snapshot."""
    digest = xxhash.xxh3_128()
    for table in KEYS:
        digest.update(pack(table))
        for row in _rows(database, table):
            digest.update(pack([int(v) if isinstance(v, bool) else v for v in row]))
    return digest.hexdigest()
