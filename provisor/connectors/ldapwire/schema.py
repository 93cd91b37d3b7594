"""What a server says of its attributes and classes (RFC 4512, 4.1 and 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from provisor.connectors.ldapwire import filters
from provisor.connectors.ldapwire.connection import Connection
from provisor.connectors.ldapwire.reading import entry, root_dse

TOKEN: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|([()$])|([^\s()$']+)")
FLAGS: Final = frozenset({"SINGLE-VALUE", "COLLECTIVE", "NO-USER-MODIFICATION", "OBSOLETE"})
KINDS: Final = frozenset({"ABSTRACT", "STRUCTURAL", "AUXILIARY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeKind:
    """One attribute type."""

    oid: str
    names: tuple[str, ...]
    superior: str = ""
    equality: str = ""
    syntax: str = ""
    """The identifier of its syntax, its superior's where it says none itself."""
    is_single: bool = False
    is_operational: bool = False
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassKind:
    """One object class."""

    oid: str
    names: tuple[str, ...]
    superiors: tuple[str, ...] = ()
    kind: str = "STRUCTURAL"
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """All of them, by each of their names in small letters and by their identifier."""

    attributes: Mapping[str, AttributeKind]
    classes: Mapping[str, ClassKind]

    def attribute(self, name: str) -> AttributeKind | None:
        """Return what an attribute is, whatever options its name carries (`cn;lang-sv`)."""
        return self.attributes.get(name.partition(";")[0].lower())

    def lineage(self, name: str) -> Iterator[ClassKind]:
        """Yield a class and all that it descends from."""
        waiting, seen = [name.lower()], set[str]()
        while waiting:
            found = self.classes.get(waiting.pop())
            if found is not None and found.oid not in seen:
                seen.add(found.oid)
                yield found
                waiting += [one.lower() for one in found.superiors]

    def takes(self, class_name: str) -> tuple[set[str], set[str]]:
        """Return the attributes that objects of a class must have, and may have."""
        must, may = set[str](), set[str]()
        for kind in self.lineage(class_name):
            must |= set(kind.must)
            may |= set(kind.may)
        return must, may - must


async def read_schema(connection: Connection) -> Schema:
    """Return what the server publishes; empty if it publishes nothing to us. Raises as a look."""
    root = await root_dse(connection)
    where = root.text("subschemaSubentry")
    if not where:
        return Schema({}, {})
    found = await entry(
        connection,
        where,
        ("attributeTypes", "objectClasses"),
        filter=filters.equals("objectClass", "subschema"),
    )
    if found is None:
        return Schema({}, {})
    said = {name.lower(): values for name, values in found.attributes.items()}
    return parse(
        [v.decode(errors="replace") for v in said.get("attributetypes", ())],
        [v.decode(errors="replace") for v in said.get("objectclasses", ())],
    )


def parse(attribute_types: list[str], object_classes: list[str]) -> Schema:
    """Return a schema from its descriptions; one that cannot be read is left out."""
    raw: dict[str, AttributeKind] = {}
    for said in attribute_types:
        if (kind := _attribute(said)) is not None:
            raw.update({name.lower(): kind for name in (*kind.names, kind.oid)})
    attributes = {name: _inherited(kind, raw) for name, kind in raw.items()}
    classes: dict[str, ClassKind] = {}
    for said in object_classes:
        if (found := _class(said)) is not None:
            classes.update({name.lower(): found for name in (*found.names, found.oid)})
    return Schema(attributes, classes)


def _inherited(kind: AttributeKind, all: Mapping[str, AttributeKind]) -> AttributeKind:
    """Return an attribute with what it takes from those it descends from."""
    syntax, equality, above, depth = kind.syntax, kind.equality, kind.superior, 0
    while above and not (syntax and equality) and depth < 20:
        parent = all.get(above.lower())
        if parent is None:
            break
        syntax, equality = syntax or parent.syntax, equality or parent.equality
        above, depth = parent.superior, depth + 1
    return AttributeKind(
        oid=kind.oid,
        names=kind.names,
        superior=kind.superior,
        equality=equality,
        syntax=syntax,
        is_single=kind.is_single,
        is_operational=kind.is_operational,
        is_read_only=kind.is_read_only,
    )


def _attribute(said: str) -> AttributeKind | None:
    fields = _fields(said)
    if not fields:
        return None
    return AttributeKind(
        oid=fields[""][0],
        names=fields.get("NAME", ()),
        superior=_one(fields, "SUP"),
        equality=_one(fields, "EQUALITY"),
        syntax=_one(fields, "SYNTAX").partition("{")[0],
        is_single="SINGLE-VALUE" in fields,
        is_operational=_one(fields, "USAGE") not in ("", "userApplications"),
        is_read_only="NO-USER-MODIFICATION" in fields,
    )


def _class(said: str) -> ClassKind | None:
    fields = _fields(said)
    if not fields:
        return None
    return ClassKind(
        oid=fields[""][0],
        names=fields.get("NAME", ()),
        superiors=fields.get("SUP", ()),
        kind=next((kind for kind in KINDS if kind in fields), "STRUCTURAL"),
        must=fields.get("MUST", ()),
        may=fields.get("MAY", ()),
    )


def _one(fields: Mapping[str, tuple[str, ...]], name: str) -> str:
    return next(iter(fields.get(name, ())), "")


def _fields(said: str) -> dict[str, tuple[str, ...]]:
    """Return the fields of a description by their keywords, its identifier by none."""
    tokens = [quoted or mark or word for quoted, mark, word in TOKEN.findall(said)]
    if len(tokens) < 3 or tokens[0] != "(" or tokens[-1] != ")":
        return {}
    fields: dict[str, tuple[str, ...]] = {"": (tokens[1],)}
    at, end = 2, len(tokens) - 1
    while at < end:
        keyword = tokens[at]
        at += 1
        if keyword in FLAGS or keyword in KINDS:
            fields[keyword] = ()
        elif at < end and tokens[at] == "(":
            closing = tokens.index(")", at)
            fields[keyword] = tuple(t for t in tokens[at + 1 : closing] if t != "$")
            at = closing + 1
        elif at < end:
            fields[keyword] = (tokens[at],)
            at += 1
    return fields
