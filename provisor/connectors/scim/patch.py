"""Changes as PATCH operations, in three styles, and as changes of a whole resource for PUT.

Which operation: the target has no value, add; another, replace; is to have none, remove. What it
has is what `AttributeChange.before` says (spec: scim-target 5.2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from provisor.connectors.http.body import Json, JsonObject
from provisor.connectors.scim import paths
from provisor.connectors.scim.paths import ElementFilter, TargetPath, quoted
from provisor.connectors.scim.quirks import ManagerFormat, MemberRemoval, PatchStyle
from provisor.connectors.scim.resources import Mapped, Shape, Spelling, is_written, put
from provisor.connectors.scim.wire import PATCH_OP
from provisor.model.decisions import AttributeChange
from provisor.model.entries import Reference, Value
from provisor.model.rules import AttributeType

Operation: TypeAlias = JsonObject
Element: TypeAlias = tuple[str, ElementFilter | None]
"""An element of a multi-valued attribute: `TargetPath.element`."""


def body_of(operations: Sequence[Operation]) -> JsonObject:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_OP], "Operations": [*operations]}


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one place."""

    mapped: Mapped
    before: Value | None
    after: Value | None

    @property
    def path(self) -> TargetPath:
        return self.mapped.path

    @property
    def is_reference(self) -> bool:
        return self.mapped.definition.type is AttributeType.REFERENCE

    @property
    def added(self) -> Value | None:
        """What comes to a multi-valued attribute that loses nothing; None where it does."""
        if not isinstance(self.before, tuple) or not isinstance(self.after, tuple):
            return None
        lost = [one for one in self.before if one not in self.after]
        return None if lost else tuple(one for one in self.after if one not in self.before) or None


def edits_of(
    shape: Shape, changes: Iterable[AttributeChange], spelling: Spelling
) -> tuple[Edit, ...]:
    """Return the changes that are sent, references last."""
    edits = [Edit(shape.mapped(c.name), c.before, c.after) for c in changes]
    sent = [edit for edit in edits if is_written(shape, edit.mapped, spelling.quirks)]
    return tuple(sorted(sent, key=lambda edit: edit.is_reference))


def uncertain_elements(shape: Shape, edits: Iterable[Edit]) -> frozenset[Element]:
    """Return the elements of which the changes alone do not tell whether they exist.

    A value comes to an element that had none in this place, and another mapped place of the same
    element does not change: it may have a value, or not.
    """
    edits = tuple(edits)
    touched = {edit.path.text for edit in edits}
    known = elements_before(edits)
    siblings = {m.path.element for m in shape.attributes.values() if m.path.text not in touched}
    return frozenset(
        edit.path.element
        for edit in edits
        if edit.path.filter is not None and edit.path.element in siblings - known
    )


def elements_before(edits: Iterable[Edit]) -> frozenset[Element]:
    """Return the elements that had a value before, in any place that changes."""
    return frozenset(e.path.element for e in edits if e.path.filter and e.before is not None)


def operations_of(
    shape: Shape, edits: Sequence[Edit], spelling: Spelling, existing: Collection[Element]
) -> tuple[Operation, ...]:
    """Return the operations that make these changes; `existing` are elements that are there."""
    maker = _Maker(shape, spelling, {*existing, *elements_before(edits)})
    for edit in edits:
        maker.take(edit)
    return maker.finish()


@dataclass(slots=True)
class _Maker:
    """Gathers operations; what belongs together becomes one."""

    shape: Shape
    spelling: Spelling
    existing: set[Element]
    operations: list[Operation] = field(default_factory=list[Operation])
    merged: JsonObject = field(default_factory=dict[str, Json])
    """entra-compliant: all that is replaced outside of elements, under flat names."""
    elements: dict[Element, JsonObject] = field(default_factory=dict[Element, JsonObject])
    """rfc: new elements, whole."""
    references: list[Operation] = field(default_factory=list[Operation])

    def take(self, edit: Edit) -> None:
        style = self.spelling.style
        if edit.path.schema and self.spelling.quirks.nested_extensions:
            self._nest(edit)
        elif edit.is_reference:
            self.references.append(self._reference(edit))
        elif edit.after is None:
            self._clear(edit)
        elif edit.path.filter is not None:
            self._element(edit, edit.after)
        elif added := edit.added:
            self._put("add", edit, added)
        elif style is PatchStyle.ENTRA_COMPLIANT and self._is_merged(edit):
            self.merged[edit.path.text] = self._raw(edit, edit.after)
        else:
            self._put(self._op(edit), edit, edit.after)

    def finish(self) -> tuple[Operation, ...]:
        if self.merged:
            self.operations.append({"op": "replace", "value": self.merged})
        return (*self.operations, *self.references)

    def _is_merged(self, edit: Edit) -> bool:
        """Entra replaces `active` by its path even where it merges the rest (scim-target 5.3)."""
        return edit.before is not None and edit.path.text.lower() != "active"

    def _op(self, edit: Edit) -> str:
        return "add" if edit.before is None else "replace"

    def _raw(self, edit: Edit, value: Value) -> Json:
        return self.spelling.raw(self.shape, edit.mapped, value, is_patch=True)

    def _put(self, op: str, edit: Edit, value: Value) -> None:
        self._add({"op": op, "path": edit.path.text, "value": self._raw(edit, value)})

    def _add(self, operation: Operation) -> None:
        self.operations.append(_spelled(operation, self.spelling.style))

    def _nest(self, edit: Edit) -> None:
        """Write into an extension without path (Q21); null clears (RFC 7643 2.5)."""
        path = edit.path
        raw = None if edit.after is None else self._raw(edit, edit.after)
        inner: JsonObject = {path.attribute: {path.sub: raw} if path.sub else raw}
        self._add({"op": self._op(edit), "value": {path.schema: inner}})

    def _element(self, edit: Edit, value: Value) -> None:
        wanted, key = edit.path.filter, edit.path.element
        is_there = key in self.existing or self.spelling.style.is_entra
        if wanted is None or is_there:
            self._put(self._op(edit), edit, value)
            return
        if key not in self.elements:
            element: JsonObject = {wanted.name: wanted.literal}
            self.elements[key] = element
            self._add({"op": "add", "path": edit.path.whole, "value": [element]})
        self.elements[key][edit.path.sub or "value"] = self._raw(edit, value)

    def _clear(self, edit: Edit) -> None:
        path = edit.path.text
        if edit.path.filter is not None and self.spelling.quirks.remove_whole_element:
            path = path[: path.rindex("]") + 1]
        elif self.spelling.style.is_entra:
            is_text = edit.mapped.definition.type is AttributeType.STRING
            empty = "" if is_text and not edit.mapped.definition.is_multivalued else None
            self._add({"op": "replace", "path": path, "value": empty})
            return
        self._add({"op": "remove", "path": path})

    def _reference(self, edit: Edit) -> Operation:
        style = self.spelling.style
        path = edit.path.text
        if self.spelling.manager_format(is_patch=True) is ManagerFormat.VALUE_PATH:
            path += ".value"
        if edit.after is None and style.is_entra:
            return _spelled({"op": "replace", "path": path, "value": ""}, style)
        if edit.after is None:
            return {"op": "remove", "path": path}
        # Adding to a single-valued attribute replaces it (RFC 7644 3.5.2.1): Entra always adds.
        op = "add" if style.is_entra else "replace"
        raw = self._raw(edit, edit.after)
        return _spelled({"op": op, "path": path, "value": raw}, style)


def _spelled(operation: Operation, style: PatchStyle) -> Operation:
    """Return the operation as a style writes it: Entra's older one begins with a capital."""
    match style:
        case PatchStyle.ENTRA_LEGACY:
            return {**operation, "op": str(operation["op"]).capitalize()}
        case PatchStyle.ENTRA_COMPLIANT | PatchStyle.RFC:
            return operation
        case _:
            assert_never(style)


def in_parts(operations: Sequence[Operation], at_most: int) -> Iterator[Sequence[Operation]]:
    """Yield the operations in as many requests as a server wants; in one, if it does not care."""
    size = at_most or max(len(operations), 1)
    for first in range(0, len(operations), size):
        yield operations[first : first + size]


def member_operations(
    attribute: str, members: Sequence[Reference], spelling: Spelling, *, adds: bool
) -> tuple[Operation, ...]:
    """Return what adds or removes members, in one request (spec: scim-target 7).

    The list form of a removal reads as "all members" to strict servers: only the legacy style,
    or an administrator who knows the server, sends it.
    """
    style, removal = spelling.style, spelling.quirks.member_removal
    is_list = removal is MemberRemoval.ARRAY or (
        removal is MemberRemoval.STYLE and style is PatchStyle.ENTRA_LEGACY
    )
    if not adds and not is_list:
        return tuple(
            _spelled(
                {"op": "remove", "path": f"{attribute}[value eq {quoted(member.anchor)}]"}, style
            )
            for member in members
        )
    values: list[Json] = [
        {"$ref": None, "value": str(m.anchor)} if style.is_entra else {"value": str(m.anchor)}
        for m in members
    ]
    op = "add" if adds else "remove"
    return (_spelled({"op": op, "path": attribute, "value": values}, style),)


def edited(
    shape: Shape, resource: JsonObject, edits: Iterable[Edit], spelling: Spelling
) -> JsonObject:
    """Return a resource, as it was read in full, with these changes made: the body of a PUT.

    Everything else stays as it is, because a PUT clears what it leaves out. `meta` and what the
    target computes itself (`groups`) are left out: they are read-only (RFC 7643 3.1, 4.1.2).
    """
    body = {name: value for name, value in resource.items() if name.lower() != "meta"}
    if not shape.is_group:
        body = {name: value for name, value in body.items() if name.lower() != "groups"}
    for edit in edits:
        if edit.after is None:
            paths.clear(body, edit.path)
            continue
        put(shape, body, edit.mapped, edit.after, spelling)
        _declare(body, edit.path.schema)
    return body


def _declare(body: JsonObject, schema: str) -> None:
    declared = body.get("schemas")
    if schema and isinstance(declared, list) and schema not in declared:
        declared.append(schema)


def whole_lists(
    shape: Shape, resource: JsonObject, edits: Sequence[Edit], spelling: Spelling
) -> tuple[Operation, ...]:
    """Return operations that replace each list as a whole, for servers without filter paths.

    The elements that do not change are taken from the resource as it was just read.
    """
    chosen = [edit for edit in edits if edit.path.filter is not None]
    after = edited(shape, resource, chosen, spelling)
    operations: dict[str, Operation] = {}
    for edit in chosen:
        whole = paths.parse(edit.path.whole)
        value = paths.read(after, whole)
        operation: Operation = {"op": "replace", "path": whole.text, "value": value}
        if not value:
            operation = {"op": "remove", "path": whole.text}
        operations[whole.text] = _spelled(operation, spelling.style)
    return tuple(operations.values())
