"""Where the steps of single objects leave what they change.

A database in the same process takes each statement at once. One at the end of a wire is given what
the steps of many objects come to together (`store/postgresql/gathered.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from provisor.store.sql.database import NUMBERS, Bound, Connection
from provisor.store.sql.documents import to_json

RECORD = (
    "cycle", "mapping", "anchor", "at", "change", "action", "verdict", "code", "is_export_due",
    "is_exported", "is_entitled", "is_effectively_entitled", "target", "source_name",
    "target_name", "content",
)  # fmt: skip
INSERT_RECORD = f"""
INSERT INTO record ({", ".join(RECORD)}) VALUES ({", ".join("?" for _ in RECORD)})
"""  # noqa: S608
SAVE_MARKS = f"UPDATE mark SET generation = ? WHERE standing IN {NUMBERS}"  # noqa: S608
SAVE_SOURCE = "UPDATE source SET shape = ?, content = ?, version = ? WHERE standing = ?"
SAVE_IMAGE = """
INSERT INTO image (standing, shape, content, version) VALUES (?, ?, ?, ?)
ON CONFLICT (standing) DO UPDATE
SET shape = excluded.shape, content = excluded.content, version = excluded.version, print = NULL
"""
SAVE_SPAN = """
INSERT INTO span (standing, attribute, content, possible) VALUES (?, ?, ?, ?)
ON CONFLICT (standing, attribute) DO UPDATE
SET content = excluded.content, possible = excluded.possible
"""


STIR_ONE = """
UPDATE standing
SET references_seen = references_seen + 1,
    references_due_at = CASE WHEN state = 'managed' THEN 0 ELSE references_due_at END
WHERE number = ? {only}
"""


class Writes(Protocol):
    """Nothing that is written here is read before `flush`, but for what is held in memory."""

    def standing(self, number: int, changed: Mapping[str, object]) -> None:
        """Write these columns of a standing."""
        ...

    def source(self, number: int, shape: int, content: bytes, version: str | None) -> None:
        """Write what a source entry says now."""
        ...

    def image(self, number: int, shape: int, content: bytes, version: str | None) -> None: ...

    def no_image(self, number: int) -> None: ...

    def span(self, number: int, attribute: str, content: bytes, possible: int) -> None: ...

    def no_span(self, number: int, attribute: str) -> None: ...

    def stir(self, number: int, *, only_linked: bool) -> None:
        """Unsettle the references of a standing that is not held, if it is linked or need not
        be."""
        ...

    def record(self, row: tuple[object, ...]) -> None:
        """Append to the ledger: the values of RECORD."""
        ...

    def marks(self, numbers: list[int], generation: int) -> None:
        """Note of standings that a snapshot showed them."""
        ...

    def then(self, statement: str, bound: Bound) -> None:
        """Write what nobody reads in this transaction."""
        ...

    def flush(self) -> None:
        """Have everything so far be in the tables, for whoever reads them next."""
        ...


class AtOnce:
    """Implements `Writes`, statement by statement."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.execute

    def standing(self, number: int, changed: Mapping[str, object]) -> None:
        columns = ", ".join(f"{name} = ?" for name in changed)
        self._run(
            f"UPDATE standing SET {columns} WHERE number = ?",  # noqa: S608
            (*changed.values(), number),
        )

    def source(self, number: int, shape: int, content: bytes, version: str | None) -> None:
        self._run(SAVE_SOURCE, (shape, content, version, number))

    def image(self, number: int, shape: int, content: bytes, version: str | None) -> None:
        self._run(SAVE_IMAGE, (number, shape, content, version))

    def no_image(self, number: int) -> None:
        self._run("DELETE FROM image WHERE standing = ?", (number,))

    def span(self, number: int, attribute: str, content: bytes, possible: int) -> None:
        self._run(SAVE_SPAN, (number, attribute, content, possible))

    def no_span(self, number: int, attribute: str) -> None:
        self._run("DELETE FROM span WHERE standing = ? AND attribute = ?", (number, attribute))

    def stir(self, number: int, *, only_linked: bool) -> None:
        self._run(STIR_ONE.format(only="AND state IS NOT NULL" if only_linked else ""), (number,))

    def record(self, row: tuple[object, ...]) -> None:
        self._run(INSERT_RECORD, row)

    def marks(self, numbers: list[int], generation: int) -> None:
        self._run(SAVE_MARKS, (generation, to_json(numbers)))

    def then(self, statement: str, bound: Bound) -> None:
        self._run(statement, bound)

    def flush(self) -> None:
        """Nothing waits."""
