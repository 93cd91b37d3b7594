"""Rows of child tables: values and members come and go one by one, and others' stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, exc, insert, or_, select

from provisor.connectors.sql.failures import FOREIGN, UNIQUE, UNRESOLVED, code_of, words_of
from provisor.connectors.sql.rows import ChildPlan, Plan, exactly
from provisor.connectors.sql.values import Unusable, anchor_of, keys_of, scalar_of, stored
from provisor.errors import Rejected
from provisor.model.decisions import ReferencesChange
from provisor.model.entries import Anchor, Reference, Scalar

REMOVED_AT_ONCE: Final = 100
"""Members that one statement takes out: SQLite takes 999 parameters where it is old."""


def change_values(
    connection: Connection, child: ChildPlan, key: object, wanted: Sequence[Scalar]
) -> None:
    """Let an object have exactly these values; rows that say one of them already stay."""
    clause: Any = child.table.clause
    is_its = _of_parent(connection, child, key)
    held = connection.execute(select(clause.c[child.value.name]).where(is_its)).scalars().all()
    is_sqlite = connection.dialect.name == "sqlite"
    there = {scalar_of(raw, child.value): raw for raw in held}
    for value, raw in there.items():
        if value not in wanted:
            same = exactly(connection, child.table, child.value, raw)
            connection.execute(delete(clause).where(is_its, same))
    for value in dict.fromkeys(wanted):
        if value not in there:
            _insert(connection, child, key, stored(value, child.value, is_sqlite=is_sqlite))


def change_members(
    connection: Connection, plan: Plan, key: object, change: ReferencesChange
) -> Iterator[Rejected]:
    """Carry out a change of references; yield a refusal where some were refused one by one."""
    refused: dict[Reference, str] = {}
    for child in plan.children:
        if child.child.attribute == change.name and child.child.refers_to:
            kind = child.child.refers_to
            _remove(connection, child, key, [r for r in change.removed if r.kind == kind])
            added = [one for one in change.added if one.kind == kind]
            refused.update(_add(connection, child, key, added))
    kinds = {c.child.refers_to for c in plan.children if c.child.attribute == change.name}
    for one in change.added:
        if one.kind not in kinds:
            refused[one] = f"no table of members takes a {one.kind}"
    if refused:
        first = next(iter(refused.values()))
        message = f"{len(refused)} of {change.name} were refused, such as: {first}"
        yield Rejected(message, code=UNRESOLVED, refused=frozenset(refused))


def _add(
    connection: Connection, child: ChildPlan, key: object, added: Iterable[Reference]
) -> dict[Reference, str]:
    there = held_members(connection, child, key)
    refused: dict[Reference, str] = {}
    rows: list[tuple[Reference, object]] = []
    for one in sorted(added, key=lambda reference: reference.anchor):
        keys = keys_of(one.anchor, child.value)
        if not keys:
            refused[one] = f"{child.value.name} cannot hold this key"
        elif one.anchor not in there:
            rows.append((one, keys[0]))
    try:
        with connection.begin_nested():
            _insert_all(connection, child, key, [raw for _, raw in rows])
    except exc.IntegrityError:
        refused.update(_one_by_one(connection, child, key, rows))
    return refused


def _one_by_one(
    connection: Connection, child: ChildPlan, key: object, rows: Iterable[tuple[Reference, object]]
) -> Iterator[tuple[Reference, str]]:
    """Find out which rows are refused; one that another has just added is there."""
    for one, raw in rows:
        try:
            with connection.begin_nested():
                _insert(connection, child, key, raw)
        except exc.IntegrityError as error:
            if code_of(error) in UNIQUE:
                continue
            if code_of(error) not in FOREIGN:
                raise
            yield one, words_of(error)


def _remove(
    connection: Connection, child: ChildPlan, key: object, removed: Iterable[Reference]
) -> None:
    there = held_members(connection, child, key)
    clause: Any = child.table.clause
    raws = [raw for one in removed for raw in there.get(one.anchor, ())]
    for first in range(0, len(raws), REMOVED_AT_ONCE):
        some = raws[first : first + REMOVED_AT_ONCE]
        same = or_(*(exactly(connection, child.table, child.value, raw) for raw in some))
        connection.execute(delete(clause).where(_of_parent(connection, child, key), same))


def held_members(
    connection: Connection, child: ChildPlan, key: object
) -> dict[Anchor, list[object]]:
    """Return whom a group has, each with the keys that name it."""
    clause: Any = child.table.clause
    asked = select(clause.c[child.value.name]).where(_of_parent(connection, child, key))
    found: dict[Anchor, list[object]] = {}
    for raw in connection.execute(asked).scalars():
        try:
            anchor = anchor_of(raw, child.value)
        except Unusable:
            continue
        if anchor is not None:
            found.setdefault(anchor, []).append(raw)
    return found


def forget_children(connection: Connection, plan: Plan, kind: str, key: object) -> None:
    """Remove what hangs on an object that is about to be deleted: its rows, and those of groups
    that have it as a member."""
    for child in plan.children:
        clause: Any = child.table.clause
        if not child.table.is_base:
            continue
        if plan.kind == kind:
            connection.execute(delete(clause).where(_of_parent(connection, child, key)))
        if child.child.refers_to == kind:
            same = exactly(connection, child.table, child.value, key)
            connection.execute(delete(clause).where(same))


def _of_parent(connection: Connection, child: ChildPlan, key: object) -> ColumnElement[bool]:
    return exactly(connection, child.table, child.parent, key)


def _insert(connection: Connection, child: ChildPlan, key: object, raw: object) -> None:
    _insert_all(connection, child, key, [raw])


def _insert_all(
    connection: Connection, child: ChildPlan, key: object, raws: Sequence[object]
) -> None:
    if raws:
        clause: Any = child.table.clause
        rows = [{child.parent.name: key, child.value.name: raw} for raw in raws]
        connection.execute(insert(clause), rows)
