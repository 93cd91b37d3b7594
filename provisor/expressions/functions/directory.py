"""Functions of distinguished names and security identifiers (spec: expression 6.1, 6.3)."""

from __future__ import annotations

import base64
import re

from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import Example, Function, Parameter, bounded
from provisor.expressions.values import (
    Operand,
    from_base64,
    single,
    to_integer,
    to_text,
    to_text_or_null,
)
from provisor.model.rules import AttributeType

INTEGER = AttributeType.INTEGER
_COMPONENT = re.compile(r"(?:[^,\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)


def dn_component(name: Operand, index: Operand) -> Operand:
    return _component(name, to_integer(index, "index"), is_reversed=False)


def dn_component_rev(name: Operand, index: Operand) -> Operand:
    return _component(name, to_integer(index, "index"), is_reversed=True)


def _component(name: Operand, index: int, *, is_reversed: bool) -> Operand:
    text = to_text_or_null(name)
    if text is None:
        return None
    components = _COMPONENT.findall(text)
    if is_reversed:
        components.reverse()
    if not 1 <= index <= len(components):
        return None
    _, equals, value = components[index - 1].partition("=")
    if not equals:
        raise ExpressionError(f'"{text[:60]}" is no distinguished name')
    return _unescaped(value.strip())


def _unescaped(value: str) -> str:
    """Resolve escapes; runs of hex pairs are bytes of UTF-8 (RFC 4514, 2.4)."""
    if "\\" not in value:
        return value
    raw = bytearray()
    at = 0
    for match in _ESCAPED.finditer(value):
        raw += value[at : match.start()].encode()
        raw += bytes.fromhex(match[1]) if match[1] else match[2].encode()
        at = match.end()
    raw += value[at:].encode()
    return raw.decode(errors="replace")


def escape_dn_component(value: Operand) -> Operand:
    text = to_text_or_null(value)
    if text is None:
        return None
    escaped = re.sub(r'([,\\#+<>;"=])', r"\\\1", text)
    if escaped.startswith(" "):
        escaped = f"\\{escaped}"
    if escaped.endswith(" ") and not escaped.endswith("\\ "):
        escaped = f"{escaped[:-1]}\\ "
    return bounded(escaped)


def string_from_sid(value: Operand) -> Operand:
    one = single(value)
    if one is None:
        return None
    raw = one if isinstance(one, bytes) else from_base64(to_text(one))
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        raise ExpressionError(f"{base64.b64encode(raw[:30]).decode()} is no security identifier")
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    authority = int.from_bytes(raw[2:8], "big")
    return "-".join(map(str, ("S", raw[0], authority, *parts)))


_SID = bytes.fromhex("010500000000000515000000e967bb98d6b7d7bf82051e6c28060000")

FUNCTIONS = (
    Function(
        name="DNComponent",
        parameters=(Parameter("dn"), Parameter("index", INTEGER)),
        implementation=dn_component,
        each=0,
        summary="The value of one part of a distinguished name, counted from the left.",
        examples=(Example('DNComponent("cn=Joe,dc=contoso,dc=com", 1)', "Joe"),),
    ),
    Function(
        name="DNComponentRev",
        parameters=(Parameter("dn"), Parameter("index", INTEGER)),
        implementation=dn_component_rev,
        each=0,
        summary="The value of one part of a distinguished name, counted from the right.",
        examples=(Example('DNComponentRev("cn=Joe,dc=contoso,dc=com", 1)', "com"),),
    ),
    Function(
        name="EscapeDNComponent",
        parameters=(Parameter("source"),),
        implementation=escape_dn_component,
        each=0,
        summary="The text as it can stand within a distinguished name.",
        examples=(Example('EscapeDNComponent("Doe, John")', "Doe\\, John"),),
    ),
    Function(
        name="StringFromSid",
        parameters=(Parameter("value", AttributeType.BINARY),),
        implementation=string_from_sid,
        each=0,
        summary="A Windows security identifier as text, from its bytes.",
        examples=(
            Example(
                "StringFromSid([objectSid])",
                "S-1-5-21-2562418665-3218585558-1813906818-1576",
                {"objectSid": _SID},
            ),
        ),
    ),
)
