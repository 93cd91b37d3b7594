"""Functions of app role assignments (spec: expression 6.3).

An attribute holds scalars only, so that an assignment is text: the role's name, or a flat JSON
object with `id`, `value` and `displayName`. Targets get roles as such objects too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import Example, Function, Parameter, bounded
from provisor.expressions.values import Operand, inner_text, many

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_OTHER = r"true|false|null|-?[0-9][0-9.eE+-]*"
_PAIR = re.compile(rf"\s*{_TEXT}\s*:\s*(?:{_TEXT}|({_OTHER}))\s*", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def single_role(assignments: Operand) -> Operand:
    names = _names(assignments)
    return names[0] if names else None


def role_names(assignments: Operand) -> Operand:
    return tuple(_names(assignments)) or None


def complex_roles(assignments: Operand) -> Operand:
    return tuple(map(_written, _roles(assignments))) or None


def _names(assignments: Operand) -> list[str]:
    return [role["value"] or role["displayName"] for role in _roles(assignments)]


def _roles(assignments: Operand) -> list[Mapping[str, str]]:
    return [_role(inner_text(value)) for value in many(assignments)]


def _role(text: str) -> Mapping[str, str]:
    described = _object(text) if text.lstrip().startswith("{") else {}
    name = described.get("displayName") or described.get("value") or text
    return {
        "id": described.get("id", ""),
        "value": described.get("value") or name,
        "displayName": name,
    }


def _object(text: str) -> dict[str, str]:
    """Read a JSON object of texts; other plain values are passed over."""
    inside = text.strip()
    if not inside.endswith("}"):
        raise _no_object()
    at, end = 1, len(inside) - 1
    pairs: dict[str, str] = {}
    while inside[at:end].strip():
        match = _PAIR.match(inside, at, end)
        if match is None:
            raise _no_object()
        if match[2] is not None:
            pairs[_unescaped(match[1])] = _unescaped(match[2])
        at = match.end()
        if at < end and inside[at] != ",":
            raise _no_object()
        at += 1
    return pairs


def _no_object() -> ExpressionError:
    return ExpressionError("an app role assignment is no flat JSON object")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(
        lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2]), text
    )
    # Characters beyond the first plane are written as two halves.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _written(role: Mapping[str, str]) -> str:
    pairs = [f"{_quoted(key)}: {_quoted(value)}" for key, value in role.items()]
    return bounded(f'{{{", ".join(pairs)}, "primary": false}}')


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'


_ROLES = {"appRoleAssignments": ("Editor", "Reader")}

FUNCTIONS = (
    Function(
        name="SingleAppRoleAssignment",
        parameters=(Parameter("source"),),
        implementation=single_role,
        summary="The name of the one role that is assigned; of several, the first.",
        examples=(Example("SingleAppRoleAssignment([appRoleAssignments])", "Editor", _ROLES),),
    ),
    Function(
        name="AppRoleAssignments",
        parameters=(Parameter("source"),),
        implementation=role_names,
        summary="The names of all assigned roles.",
        examples=(
            Example("AppRoleAssignments([appRoleAssignments])", ("Editor", "Reader"), _ROLES),
        ),
    ),
    Function(
        name="AppRoleAssignmentsComplex",
        parameters=(Parameter("source"),),
        implementation=complex_roles,
        summary="All assigned roles as objects with id, value, displayName and primary, each as "
        "JSON text. Roles are added to those that the target has.",
        examples=(),
    ),
    Function(
        name="AssertiveAppRoleAssignmentsComplex",
        parameters=(Parameter("source"),),
        implementation=complex_roles,
        summary="As AppRoleAssignmentsComplex, but the roles replace those that the target has.",
        examples=(),
    ),
)
