"""What an administrator says about a database; parsed once, with all problems at once.

Nothing here asks the database. Whether tables and columns are there the catalogue says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from provisor.connectors.sql.address import Address, to_address
from provisor.connectors.sql.form import Form, Invalid, Problem

USER: Final = "User"
GROUP: Final = "Group"
OBJECT_ID: Final = "objectId"
MEMBERS: Final = "members"
MANAGER: Final = "manager"
CANONICAL_NAMES: Final[Mapping[str, str]] = {
    "userName": "userPrincipalName",
    "familyName": "surname",
    "id": OBJECT_ID,
}
"""What columns of a source are called inside, unless `attributes` says otherwise (settled 31)."""
FULL_EVERY: Final = timedelta(days=1)
OVERLAP: Final = timedelta(minutes=10)
OVERLAP_NUMBERS: Final = 10_000
"""How far a sequence is read again, where open transactions cannot be asked for."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What rows are read from: a table or view by its name, or a query of the administrator's."""

    table: str = ""
    schema: str = ""
    query: str = ""

    @property
    def label(self) -> str:
        """What it is called in messages."""
        if self.query:
            return "the query"
        return f"{self.schema}.{self.table}" if self.schema else self.table


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A table with several rows for one object."""

    relation: Relation
    parent: str
    """The column that holds the object's anchor."""
    value: str
    """The column that holds the value, or the anchor of the member."""
    attribute: str
    refers_to: str = ""
    """The kind of object that a value points at; empty: it is a plain value."""
    touches_parent: bool = False
    """Whoever writes here moves the parent's watermark, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftDelete:
    """How a row says that its object is deleted."""

    column: str
    values: frozenset[str] | None = None
    """As texts; None: any value but false, 0 and nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTable:
    """A table to which each change adds a row."""

    relation: Relation
    anchor: str
    sequence: str
    operation: str = ""
    deletes: frozenset[str] = frozenset({"D", "DELETE", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A stored procedure or function, and the attributes that it takes, in its order."""

    name: str
    schema: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSettings:
    """One kind of object, and the tables it lies in."""

    kind: str
    relation: Relation
    anchor: str
    attributes: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    """Names by column; None leaves the column out."""
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    """Kinds by attribute: its values are anchors of such objects."""
    children: tuple[Child, ...] = ()
    watermark: str = ""
    overlap: timedelta | None = None
    soft_delete: SoftDelete | None = None
    changes: ChangeTable | None = None
    procedures: Mapping[str, Procedure] = field(default_factory=dict[str, Procedure])
    """By what they do: create, update, delete."""
    makes_anchor: bool = False
    """New objects get an anchor of ours, since the database makes none."""

    @property
    def members(self) -> tuple[Child, ...]:
        return tuple(child for child in self.children if child.refers_to)

    @property
    def tells_changes(self) -> bool:
        """True when everything that may change about an object shows in what is asked."""
        has_marks = bool(self.watermark) or self.changes is not None
        return has_marks and all(child.touches_parent for child in self.children)

    def source_name(self, column: str) -> str | None:
        """Return what a column of a source is called inside; None if it is left out.

        A default gives way where the administrator has given its name to another column.
        """
        if column in self.attributes:
            return self.attributes[column]
        plain = camel(column)
        name = CANONICAL_NAMES.get(plain, plain)
        return column if name in self.attributes.values() else name

    def target_name(self, column: str) -> str | None:
        """Return what a column of a target is called in mappings: its own name, by default."""
        return self.attributes.get(column, column)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSettings:
    """Valid by construction: use `parse`."""

    address: Address
    kinds: Mapping[str, KindSettings]
    full_every: timedelta | None = FULL_EVERY
    """After so long all is read again, since not every deletion shows; None: never."""
    page_rows: int = 1000
    connections_max: int = 8


def camel(column: str) -> str:
    """Return `given_name` as `givenName`; a name without underscores stays as it is."""
    return re.sub(r"(?<=[A-Za-z0-9])_+([A-Za-z0-9])", lambda found: found[1].upper(), column)


SIDES: Final = ("source", "target")
KIND_KEYS: Final = (
    "table", "query", "schema", "anchor", "attributes", "references", "values", "members",
    "watermark", "overlap", "softDelete", "changes", "procedures", "generate",
)  # fmt: skip
KEYS: Final = (
    "url", "password", "tls", "caFile", "timeouts", "users", "groups", "objects", "schema",
    "fullEvery", "pageRows", "connectionsMax",
)  # fmt: skip


def parse(raw: Mapping[str, object], base: Path) -> SqlSettings | Invalid:
    """Return settings, or all that is wrong with them; paths are relative to `base`."""
    problems: list[Problem] = []
    form = Form(raw, "", problems, KEYS)
    schema = form.text("schema")
    kinds: dict[str, KindSettings] = {}
    for key, kind in (("users", USER), ("groups", GROUP)):
        if (inner := form.inner(key, KIND_KEYS)) is not None:
            kinds[kind] = _kind(inner, kind, schema)
    objects = form.inner("objects", None)
    for name in objects.names if objects else ():
        inner = objects.inner(name, KIND_KEYS) if objects else None
        if inner is not None and name in kinds:
            inner.complain("", "is there twice: as users or groups, and here")
        elif inner is not None:
            kinds[name] = _kind(inner, name, schema)
    if not kinds and not problems:
        form.complain("users", "is missing: say which table holds the people")
    settings = SqlSettings(
        address=to_address(form, base),
        kinds=kinds,
        full_every=form.duration("fullEvery", FULL_EVERY, never=True),
        page_rows=form.count("pageRows", 1000),
        connections_max=form.count("connectionsMax", 8),
    )
    for one in kinds.values():
        _check_references(one, kinds, form)
    form.finish()
    return Invalid(tuple(problems)) if problems else settings


def _check_references(one: KindSettings, kinds: Mapping[str, KindSettings], form: Form) -> None:
    pointed = {*one.references.values(), *(child.refers_to for child in one.children)} - {""}
    for kind in sorted(pointed - set(kinds)):
        form.complain(_key(one.kind), f"points at {kind}, of which there is no table here")


def _key(kind: str) -> str:
    return {USER: "users", GROUP: "groups"}.get(kind, f"objects.{kind}")


def _kind(form: Form, kind: str, schema: str) -> KindSettings:
    relation = _relation(form, schema)
    anchor = form.text("anchor") or "id"
    children = (*_values(form, schema), *_members(form, schema))
    watermark, changes = form.text("watermark"), _changes(form, schema)
    if watermark and changes:
        form.complain("changes", "and watermark: give one of the two")
    references = dict(form.texts_by_name("references"))
    if kind == USER:
        references.setdefault(MANAGER, USER)
    settings = KindSettings(
        kind=kind,
        relation=relation,
        anchor=anchor,
        attributes=form.names_of("attributes"),
        references=references,
        children=children,
        watermark=watermark,
        overlap=form.duration("overlap", None),
        soft_delete=_soft_delete(form),
        changes=changes,
        procedures=_procedures(form, schema),
        makes_anchor=form.choice("generate", ("database", "uuid"), "database") == "uuid",
    )
    form.finish()
    return settings


def _relation(form: Form, schema: str, *, allows_query: bool = True) -> Relation:
    table, query = form.text("table"), form.text("query") if allows_query else ""
    schema = form.text("schema") or schema
    if bool(table) == bool(query):
        form.complain("table", "give one of table and query" if table else "is missing")
    if query:
        if not re.match(r"\s*(select|with)\b", query, re.IGNORECASE):
            form.complain("query", "is to be one SELECT")
        if ";" in query.rstrip().rstrip(";"):
            form.complain("query", "is to be one statement, without a semicolon inside")
        return Relation(query=query.strip().rstrip(";").strip())
    if "." in table and not schema:
        schema, _, table = table.rpartition(".")
    return Relation(table=table, schema=schema)


def _values(form: Form, schema: str) -> tuple[Child, ...]:
    keys = ("table", "query", "schema", "parent", "value", "touchesParent", "kind")
    found: list[Child] = []
    every = form.inner("values", None)
    for attribute in every.names if every else ():
        inner = every.inner(attribute, keys) if every else None
        if inner is not None:
            found.append(
                Child(
                    relation=_relation(inner, schema),
                    parent=inner.needed("parent"),
                    value=inner.needed("value"),
                    attribute=attribute,
                    refers_to=inner.text("kind"),
                    touches_parent=inner.flag("touchesParent", default=False),
                )
            )
            inner.finish()
    return tuple(found)


def _members(form: Form, schema: str) -> tuple[Child, ...]:
    keys = ("table", "query", "schema", "group", "member", "kind", "touchesParent", "attribute")
    found: list[Child] = []
    for inner in form.several("members", keys):
        found.append(
            Child(
                relation=_relation(inner, schema),
                parent=inner.needed("group"),
                value=inner.needed("member"),
                attribute=inner.text("attribute") or MEMBERS,
                refers_to=inner.text("kind") or USER,
                touches_parent=inner.flag("touchesParent", default=False),
            )
        )
        inner.finish()
    return tuple(found)


def _soft_delete(form: Form) -> SoftDelete | None:
    inner = form.inner("softDelete", ("column", "values"))
    if inner is None:
        return None
    values = inner.texts("values")
    found = SoftDelete(
        column=inner.needed("column"), values=frozenset(values) if values is not None else None
    )
    inner.finish()
    return found


def _changes(form: Form, schema: str) -> ChangeTable | None:
    keys = ("table", "query", "schema", "anchor", "sequence", "operation", "deletes")
    inner = form.inner("changes", keys)
    if inner is None:
        return None
    deletes = inner.texts("deletes")
    usual = ChangeTable(relation=Relation(), anchor="", sequence="").deletes
    found = ChangeTable(
        relation=_relation(inner, schema),
        anchor=inner.needed("anchor"),
        sequence=inner.needed("sequence"),
        operation=inner.text("operation"),
        deletes=usual if deletes is None else frozenset(deletes),
    )
    inner.finish()
    return found


def _procedures(form: Form, schema: str) -> Mapping[str, Procedure]:
    found: dict[str, Procedure] = {}
    every = form.inner("procedures", ("create", "update", "delete"))
    for action in every.names if every else ():
        inner = every.inner(action, ("name", "schema", "arguments")) if every else None
        if inner is not None:
            found[action] = Procedure(
                name=inner.needed("name"),
                schema=inner.text("schema") or schema,
                arguments=inner.texts("arguments") or (),
            )
            inner.finish()
    if every is not None:
        every.finish()
    return found
