"""Bodies of creates, written out once for all objects that say the same attributes.

Most objects of a kind do. The first of them is put together attribute by attribute (`resources`)
with a mark in place of each text; for the others only the texts between the marks are written. What
is no plain text, or could shape the body by what it says, is put together each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from provisor.connectors.http.body import Json, encode
from provisor.connectors.scim import resources
from provisor.connectors.scim.resources import Mapped, Shape, Spelling
from provisor.connectors.scim.updates import secrets_of
from provisor.model.entries import Anchor, Attributes, Reference, Value
from provisor.model.frozen import Frozen
from provisor.model.rules import AttributeType

TEMPLATES_MAX = 1_000
MARK = "\uf8ff{}\uf8ff"
"""Characters for private use: what is found where no mark stands is no text between marks."""

Layout = tuple[object, ...]


class Body(Frozen, frozen=True):
    content: Json | bytes
    secrets: tuple[str, ...]
    """Values in it that must not be shown."""


@dataclass(frozen=True, slots=True)
class _Template:
    pieces: tuple[bytes, ...]
    """What stands before, between and after the texts."""
    order: tuple[int, ...]
    """Which text of the layout stands at each gap."""
    secret: tuple[str, ...]
    """Attributes whose values must not be shown."""

    def fill(self, texts: Sequence[str]) -> bytes:
        parts = [self.pieces[0]]
        for number, piece in zip(self.order, self.pieces[1:], strict=True):
            parts += (encode(texts[number]), piece)
        return b"".join(parts)


class Bodies:
    """The bodies of one kind in one spelling."""

    def __init__(self, shape: Shape, spelling: Spelling) -> None:
        self.shape, self.spelling = shape, spelling
        self._texts = {name for name, mapped in shape.attributes.items() if _is_text(shape, mapped)}
        self._templates: dict[Layout, _Template | None] = {}

    def create(self, attributes: Attributes) -> Body:
        """Return what creates an object with these attributes."""
        layout, texts = self._layout(attributes)
        template = self._template(layout, attributes) if layout else None
        if template is None:
            body = resources.body_of(self.shape, attributes, self.spelling)
            return Body(body, secrets_of(self.shape, attributes))
        values = (attributes[name] for name in template.secret)
        secrets = tuple(v for v in values if isinstance(v, str) and v)
        return Body(template.fill(texts), secrets)

    def _layout(self, attributes: Attributes) -> tuple[Layout, list[str]]:
        """Return all that shapes a body, and the texts that do not; no layout where it is not
        known what does."""
        layout: list[object] = []
        texts: list[str] = []
        for name, value in attributes.items():
            form = type(value)
            if form is str and name in self._texts:
                layout.append(name)
                texts.append(value)  # type: ignore[arg-type]
            elif form is bool:
                layout.append((name, value))
            elif isinstance(value, Reference):
                layout.append((name, value.kind))
                texts.append(value.anchor)
            else:
                return (), []
        return tuple(layout), texts

    def _template(self, layout: Layout, attributes: Attributes) -> _Template | None:
        if layout not in self._templates:
            if len(self._templates) >= TEMPLATES_MAX:
                self._templates.clear()
            self._templates[layout] = _template_of(self.shape, self.spelling, attributes)
        return self._templates[layout]


def _is_text(shape: Shape, mapped: Mapped) -> bool:
    """Tell whether a text is written as it is, and where it is does not depend on what it says."""
    path, definition = mapped.path, mapped.definition
    is_flag = path.attribute.lower() == "active" or path.sub.lower() == "primary"
    is_whole_list = shape.is_list(path) and not path.sub and path.filter is None
    others = (
        m.path for m in shape.attributes.values() if m.path.whole.lower() == path.whole.lower()
    )
    choosing = {other.filter.name.lower() for other in others if other.filter is not None}
    is_plain = definition.type is AttributeType.STRING and not definition.is_multivalued
    return is_plain and not is_flag and not is_whole_list and path.sub.lower() not in choosing


def _template_of(shape: Shape, spelling: Spelling, attributes: Attributes) -> _Template | None:
    """Return the template of all bodies that are shaped like this one; None if it cannot be told
    where each text stands."""
    marked: dict[str, Value] = {}
    marks: list[str] = []
    for name, value in attributes.items():
        mark = MARK.format(len(marks))
        if isinstance(value, Reference):
            marked[name] = Reference(value.kind, Anchor(mark))
        else:
            marked[name] = mark if isinstance(value, str) else value
        if marked[name] is not value:
            marks.append(mark)
    body = encode(resources.body_of(shape, marked, spelling))
    places = _places(body, marks)
    if places is None:
        return None
    pieces: list[bytes] = []
    end = 0
    for at, number in places:
        pieces.append(body[end:at])
        end = at + len(encode(marks[number]))
    order = tuple(number for _, number in places)
    secret = tuple(name for name in attributes if shape.is_secret(name))
    return _Template((*pieces, body[end:]), order, secret)


def _places(body: bytes, marks: Sequence[str]) -> list[tuple[int, int]] | None:
    """Return where each mark stands and which it is; what is not written at all stands nowhere."""
    places: list[tuple[int, int]] = []
    for number, mark in enumerate(marks):
        written = encode(mark)
        if body.count(mark.encode()) != body.count(written) or quote(mark).encode() in body:
            return None  # within another text
        if body.count(written) > 1:
            return None
        if written in body:
            places.append((body.index(written), number))
    return sorted(places)


class BodiesOf:
    """The bodies of each kind, as it is known and spelled now."""

    def __init__(self) -> None:
        self._bodies: dict[str, Bodies] = {}

    def create(self, shape: Shape, attributes: Mapping[str, Value], spelling: Spelling) -> Body:
        known = self._bodies.get(shape.kind)
        if known is None or known.shape is not shape or known.spelling is not spelling:
            known = self._bodies[shape.kind] = Bodies(shape, spelling)
        return known.create(attributes)
