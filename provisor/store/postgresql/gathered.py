"""What the steps of many objects change, in a few statements that go out together.

A way to the server and back costs as much as ten rows. Rows are sent as arrays, a column each;
those of which the same columns changed go together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from provisor.model.entries import Anchor
from provisor.store.postgresql.connect import Session
from provisor.store.sql.database import Bound
from provisor.store.sql.foresight import Governor, Referred, Target
from provisor.store.sql.writes import RECORD

NUMBER, TEXT, BYTES, TRUTH = "bigint", "text", "bytea", "boolean"
OF_STANDING: Mapping[str, str] = {
    **dict.fromkeys(("absence", "target", "state", "kind"), TEXT),
    **dict.fromkeys(("attempt", "escrow", "references_escrow", "echoes", "print"), BYTES),
    **dict.fromkeys(
        ("is_assigned", "is_created_by_us", "has_references", "staged_approved",
         "references_staged_approved"), TRUTH
    ),
}  # fmt: skip
"""The types of columns; those that are not named are numbers."""
OF_RECORD = tuple(
    zip(
        RECORD,
        (NUMBER, TEXT, TEXT, NUMBER, *(TEXT,) * 4, *(TRUTH,) * 4, *(TEXT,) * 3, BYTES),
        strict=True,
    )
)
OF_IMAGE = {
    "standing": NUMBER, "shape": NUMBER, "content": BYTES, "version": TEXT, "print": NUMBER,
}  # fmt: skip
OF_SPAN = {"standing": NUMBER, "attribute": TEXT, "content": BYTES, "possible": NUMBER}
STIR = """
UPDATE standing SET references_seen = references_seen + asked.times,
    references_due_at = CASE WHEN state = 'managed' THEN 0 ELSE references_due_at END
FROM unnest(?::bigint[], ?::bigint[]) AS asked (number, times)
WHERE standing.number = asked.number {only}
"""
STIR_ALL = STIR.format(only="")
STIR_LINKED = STIR.format(only="AND state IS NOT NULL")
GOVERNORS = """
SELECT s.mapping, s.target, s.number, s.anchor
FROM unnest(?::bigint[], ?::text[]) AS asked (mapping, target)
JOIN standing s ON s.mapping = asked.mapping AND s.target = asked.target
"""
REFERRERS = """
SELECT asked.kind, asked.anchor, r.standing
FROM unnest(?::text[], ?::text[]) AS asked (kind, anchor)
JOIN reference r ON r.job = ? AND r.kind = asked.kind AND r.anchor = asked.anchor
"""
SOURCES = """
UPDATE source SET shape = asked.shape, content = asked.content, version = asked.version
FROM unnest(?::bigint[], ?::bigint[], ?::bytea[], ?::text[])
    AS asked (standing, shape, content, version)
WHERE source.standing = asked.standing
"""
SAVE_MARKS = "UPDATE mark SET generation = ? WHERE standing = ANY(?::bigint[])"
NO_IMAGES = "DELETE FROM image WHERE standing = ANY(?::bigint[])"
NO_SPANS = """
DELETE FROM span USING unnest(?::bigint[], ?::text[]) AS asked (standing, attribute)
WHERE span.standing = asked.standing AND span.attribute = asked.attribute
"""


class GatheredWrites:
    """Implements `sql.foresight.Gathered`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._standings = defaultdict[int, dict[str, object]](dict)
        self._stirred, self._stirred_linked = Counter[int](), Counter[int]()
        self._sources: dict[int, tuple[int, bytes, str | None]] = {}
        self._images: dict[int, tuple[int, bytes, str | None] | None] = {}
        self._spans: dict[tuple[int, str], tuple[bytes, int] | None] = {}
        self._records: list[tuple[object, ...]] = []
        self._later: list[tuple[str, Bound]] = []
        self._is_empty = True

    def standing(self, number: int, changed: Mapping[str, object]) -> None:
        self._standings[number].update(changed)
        self._is_empty = False

    def stir(self, number: int, *, only_linked: bool) -> None:
        (self._stirred_linked if only_linked else self._stirred)[number] += 1
        self._is_empty = False

    def source(self, number: int, shape: int, content: bytes, version: str | None) -> None:
        self._sources[number] = (shape, content, version)
        self._is_empty = False

    def image(self, number: int, shape: int, content: bytes, version: str | None) -> None:
        self._images[number] = (shape, content, version)
        self._is_empty = False

    def no_image(self, number: int) -> None:
        self._images[number] = None
        self._is_empty = False

    def span(self, number: int, attribute: str, content: bytes, possible: int) -> None:
        self._spans[number, attribute] = (content, possible)
        self._is_empty = False

    def no_span(self, number: int, attribute: str) -> None:
        self._spans[number, attribute] = None
        self._is_empty = False

    def marks(self, numbers: list[int], generation: int) -> None:
        # A copy: whoever asks goes on to fill his list.
        self.then(SAVE_MARKS, (generation, list(numbers)))

    def then(self, statement: str, bound: Bound) -> None:
        self._later.append((statement, bound))
        self._is_empty = False

    def record(self, row: tuple[object, ...]) -> None:
        self._records.append(row)
        self._is_empty = False

    def flush(self) -> None:
        if not self._is_empty:
            with self._session.together():
                self.send()

    def commit(self) -> None:
        """Write everything and end the transaction, in one go."""
        if self._is_empty:
            self._session.commit()
        else:
            with self._session.together():
                self.send()
                self._session.commit()

    def clear(self) -> None:
        for waiting in (self._standings, self._stirred, self._stirred_linked):
            waiting.clear()
        self._sources.clear()
        self._images.clear()
        self._spans.clear()
        self._records.clear()
        self._later.clear()
        self._is_empty = True

    def ask(
        self, job: int, targets: Collection[Target], moving: Collection[Referred]
    ) -> tuple[dict[Target, Governor], dict[Referred, list[int]]]:
        governors = referrers = None
        with self._session.together():
            if targets:
                governors = self._session.execute(GOVERNORS, _columns(targets))
            if moving:
                referrers = self._session.execute(REFERRERS, (*_columns(moving), job))
        governed: dict[Target, Governor] = {}
        for mapping, target, number, anchor in governors or ():
            governed[mapping, target] = (number, Anchor(anchor))
        referring = defaultdict[Referred, list[int]](list)
        for kind, anchor, number in referrers or ():
            referring[kind, anchor].append(number)
        return governed, referring

    # how it goes out

    def send(self) -> None:
        """Ask for all of it; what comes of that is seen at the end of `together`."""
        execute = self._session.execute
        for statement, rows in self._updates():
            execute(statement, _columns(rows))
        for statement, stirred in ((STIR_ALL, self._stirred), (STIR_LINKED, self._stirred_linked)):
            if stirred:
                execute(statement, _columns(stirred.items()))
        if self._sources:
            rows = [(number, *said) for number, said in self._sources.items()]
            execute(SOURCES, _columns(rows))
        if gone := [number for number, image in self._images.items() if image is None]:
            execute(NO_IMAGES, (gone,))
        # What is written anew was not listed yet.
        if images := [(number, *image, None) for number, image in self._images.items() if image]:
            execute(_insert("image", tuple(OF_IMAGE.items()), "standing"), _columns(images))
        if parted := [key for key, span in self._spans.items() if span is None]:
            execute(NO_SPANS, _columns(parted))
        if spans := [(*key, *span) for key, span in self._spans.items() if span]:
            keys = "standing, attribute"
            execute(_insert("span", tuple(OF_SPAN.items()), keys), _columns(spans))
        if self._records:
            execute(_insert("record", OF_RECORD), _columns(self._records))
        for statement, bound in self._later:
            execute(statement, bound)
        self.clear()

    def _updates(self) -> Iterable[tuple[str, list[tuple[object, ...]]]]:
        """Yield statements with their rows; what is let go goes before what is taken."""
        alike = defaultdict[tuple[str, ...], list[tuple[object, ...]]](list)
        freed = list[tuple[str, list[tuple[object, ...]]]]()
        for number, changed in self._standings.items():
            columns = tuple(sorted(changed))
            row = (number, *(changed[name] for name in columns))
            if "target" in changed and changed["target"] is None:
                freed.append((_update(columns), [row]))
            else:
                alike[columns].append(row)
        yield from freed
        for columns, rows in alike.items():
            yield _update(columns), rows


def _columns(rows: Collection[Sequence[object]]) -> list[list[object]]:
    """Return rows column by column; words of ours go as plain text."""
    return [
        [str(v) if isinstance(v, str) else v for v in column] for column in zip(*rows, strict=True)
    ]


@cache
def _update(columns: tuple[str, ...]) -> str:
    assigned = ", ".join(f"{name} = asked.{name}" for name in columns)
    places = ", ".join(f"?::{OF_STANDING.get(name, NUMBER)}[]" for name in columns)
    return (
        f"UPDATE standing SET {assigned}"  # noqa: S608
        f" FROM unnest(?::bigint[], {places}) AS asked (number, {', '.join(columns)})"
        " WHERE standing.number = asked.number"
    )


@cache
def _insert(table: str, types: tuple[tuple[str, str], ...], keys: str = "") -> str:
    names = ", ".join(name for name, _ in types)
    places = ", ".join(f"?::{type_}[]" for _, type_ in types)
    statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({places})"  # noqa: S608
    if not keys:
        return statement
    others = [name for name, _ in types if name not in keys.split(", ")]
    changed = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f"{statement} ON CONFLICT ({keys}) DO UPDATE SET {changed}"
