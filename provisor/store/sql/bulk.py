"""What befalls many standings at once, said in SQL. Each says what a pure step of
`provisor.store.transitions` says of one; contract tests hold them to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from provisor.model.entries import Anchor
from provisor.model.jobs import ResetScope
from provisor.model.rules import MappingName, Rules
from provisor.store import spans
from provisor.store.expected import Adoption, adoption
from provisor.store.frame import MappingNote
from provisor.store.sql import ask, rows
from provisor.store.sql.codec import decode_span, encode_span, to_micros
from provisor.store.sql.database import Connection
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json

NO_IMAGES = "DELETE FROM image WHERE standing IN (SELECT number FROM standing WHERE mapping = ?)"
NO_SPANS = """
DELETE FROM span WHERE standing IN
    (SELECT number FROM standing WHERE mapping = ? AND state = 'released')
"""
SPANS = """
SELECT p.standing, p.attribute, p.content FROM span p JOIN standing s ON s.number = p.standing
WHERE s.mapping = ? AND s.target IS NOT NULL
"""
ALL_SPANS = """
SELECT p.standing, p.attribute, p.content FROM span p JOIN standing s ON s.number = p.standing
WHERE s.target IS NOT NULL
"""
UNSETTLE = "seen = seen + 1, due_at = 0"
STIR = """
references_seen = references_seen + 1,
references_due_at =
    CASE WHEN state = 'managed' AND has_references THEN 0 ELSE references_due_at END
"""
REMAPPED = f"""
UPDATE standing
SET {UNSETTLE}, escrow = NULL, references_escrow = NULL, references_seen = references_seen + 1,
    references_due_at = CASE
        WHEN state = 'managed' AND (has_references OR references_staged_at IS NOT NULL) THEN 0
    END
WHERE mapping = ?
"""  # noqa: S608
DISOWN = """
UPDATE standing
SET target = CASE WHEN state <> 'released' THEN target END,
    is_created_by_us = state <> 'released' AND is_created_by_us,
    echoes = CASE WHEN state <> 'released' THEN echoes END,
    state = CASE WHEN state <> 'released' THEN 'claimed' END,
    spans = (SELECT count(*) FROM span p WHERE p.standing = standing.number),
    references_due_at = NULL,
    has_references = EXISTS (SELECT 1 FROM reference r WHERE r.standing = standing.number)
        OR EXISTS (SELECT 1 FROM span p WHERE p.standing = standing.number)
WHERE mapping = ? AND target IS NOT NULL
"""
UNESCROW = """
UPDATE standing
SET escrow = NULL, references_escrow = NULL,
    due_at = CASE WHEN seen <> settled THEN 0 END,
    references_due_at = CASE
        WHEN state = 'managed' AND (references_staged_at IS NOT NULL
             OR has_references AND references_seen <> references_settled) THEN 0
    END
WHERE mapping = ?
"""
REREAD_ALL = f"""
UPDATE standing
SET {UNSETTLE}, {STIR},
    staged_seen = staged_seen + CASE WHEN staged_seen = seen THEN 1 ELSE 0 END,
    references_staged_seen = references_staged_seen
        + CASE WHEN references_staged_seen = references_seen THEN 1 ELSE 0 END
"""  # noqa: S608
REREAD = f"{REREAD_ALL} WHERE mapping = ?"
FORGETTABLE = """
SELECT number FROM standing
WHERE mapping = ? AND absence = 'deleted' AND seen = settled
  AND target IS NULL AND escrow IS NULL AND attempt IS NULL
"""


ABSENT = "absence = 'absent' AND absent_since <= ?"


def adopt(desk: Desk, rules: Rules, policy_hash: str) -> bool:
    is_new_policy = policy_hash != desk.frame.policy_hash
    is_new = not _is_known(desk, rules, policy_hash)
    known, noted = _notes(desk, rules)
    remapped = adoption(known, rules, is_new_policy=is_new_policy).remapped
    if is_new or noted != known:
        for name, note in noted.items():
            desk.put_mapping(name, note)
        for name, mapped in desk.mappings().items():
            if name in remapped:
                if not remapped[name]:
                    desk.run(NO_IMAGES, (mapped.number,))
                desk.run(REMAPPED, (mapped.number,))
            elif is_new_policy:
                desk.run(
                    f"UPDATE standing SET {UNSETTLE}, {STIR} WHERE mapping = ?",  # noqa: S608
                    (mapped.number,),
                )
        desk.set(adopted=to_json(_adopted(rules)), policy_hash=policy_hash)
    return is_new


def foreseen_adoption(desk: Desk, rules: Rules, policy_hash: str) -> Adoption:
    """Return what `adopt` would do to objects."""
    known, _ = _notes(desk, rules)
    return adoption(known, rules, is_new_policy=policy_hash != desk.frame.policy_hash)


def is_adopted(desk: Desk, rules: Rules, policy_hash: str) -> bool:
    """Tell whether `adopt` would change nothing."""
    known, noted = _notes(desk, rules)
    return noted == known and _is_known(desk, rules, policy_hash)


def _is_known(desk: Desk, rules: Rules, policy_hash: str) -> bool:
    before = desk.frame.adopted
    is_same = before is not None and from_json(before, list[tuple[str, str]]) == _adopted(rules)
    return is_same and policy_hash == desk.frame.policy_hash


def _adopted(rules: Rules) -> list[tuple[str, str]]:
    return [(name, mapping.hash) for name, mapping in rules.items()]


def _notes(
    desk: Desk, rules: Rules
) -> tuple[dict[MappingName, MappingNote], dict[MappingName, MappingNote]]:
    """Return what is noted of the mappings, and what is to be under these rules."""
    known = {name: mapped.note for name, mapped in desk.mappings().items()}
    noted = {name: replace(note, hash=None, is_enabled=False) for name, note in known.items()}
    noted |= {name: MappingNote.of(mapping) for name, mapping in rules.items()}
    return known, noted


def assign(desk: Desk, assigned: Mapping[MappingName, frozenset[Anchor]]) -> int:
    changed = 0
    for name, mapped in desk.mappings().items():
        anchors = to_json(sorted(assigned.get(name, frozenset[Anchor]())))
        changed += desk.run(
            f"UPDATE standing SET is_assigned = NOT is_assigned, {UNSETTLE}"  # noqa: S608
            " WHERE mapping = ?"
            " AND is_assigned <> (anchor IN (SELECT value FROM json_each(?)))",
            (mapped.number, anchors),
        ).rowcount
    return changed


def begin_anew(desk: Desk) -> None:
    """Have the source read as a whole by the next cycle."""
    desk.set(watermark=None, is_initial=True)


def reset(desk: Desk, scope: ResetScope) -> None:
    run, forgets_links = desk.run, ResetScope.CONNECTOR_DATA_STORE in scope
    desk.rare = None
    if ResetScope.WATERMARK in scope:
        begin_anew(desk)
    if ResetScope.ESCROWS in scope:
        desk.set(faults=None, faults_count=0)
    for mapped in desk.mappings().values():
        of_mapping = (mapped.number,)
        if forgets_links:
            run(NO_SPANS, of_mapping)
            _doubt_spans(desk, mapped.number)
            run(DISOWN, of_mapping)
        if ResetScope.ESCROWS in scope:
            run(UNESCROW, of_mapping)
        if forgets_links or ResetScope.WATERMARK in scope:
            run(NO_IMAGES, of_mapping)
            run(REREAD, of_mapping)
        for (number,) in run(FORGETTABLE, of_mapping).fetchall():
            rows.forget(desk.connection, number)


def _doubt_spans(desk: Desk, mapping: int) -> None:
    """Keep what is possible of the references of linked objects, and nothing for certain."""
    for number, name, content in desk.run(SPANS, (mapping,)).fetchall():
        _doubt_span(desk.connection, number, name, content)


def _doubt_span(connection: Connection, number: int, name: str, content: bytes) -> None:
    kept = spans.uncertain({name: decode_span(content)})
    if name in kept:
        connection.execute(
            "UPDATE span SET content = ? WHERE standing = ? AND attribute = ?",
            (encode_span(kept[name]), number, name),
        )
    else:
        connection.execute("DELETE FROM span WHERE standing = ? AND attribute = ?", (number, name))


def is_any_absent(desk: Desk, absent_since: datetime) -> bool:
    """Tell whether anybody would expire."""
    return bool(ask.keys_where(desk, ABSENT, to_micros(absent_since)))


def expire(desk: Desk, absent_since: datetime) -> int:
    return sum(
        desk.run(
            f"UPDATE standing SET absence = 'deleted', escrow = NULL, {UNSETTLE}"  # noqa: S608
            f" WHERE mapping = ? AND {ABSENT}",
            (mapped.number, to_micros(absent_since)),
        ).rowcount
        for mapped in desk.mappings().values()
    )


def doubt_everything(connection: Connection) -> None:
    """Trust no image of any job, and no reference for certain, and have every object looked at by
    the next cycle of its job: the store is not the one that the targets were told from."""
    connection.execute("DELETE FROM image")
    for number, name, content in connection.execute(ALL_SPANS).fetchall():
        _doubt_span(connection, number, name, content)
    connection.execute(REREAD_ALL)
