"""Attribute mapping sources of the API to trees and back (spec: expression 5, graph-api 4.12).

A source is a JSON object `{type, name, expression, parameters}`. The text in `expression` rules
where it says something else than `parameters` do (graph-api 3.9); with parameters alone the tree
is built from them, and the text is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard, cast

from provisor.expressions.context import DEPTH_MAX, LENGTH_MAX
from provisor.expressions.errors import (
    INVALID,
    TOO_DEEP,
    TOO_LONG,
    ExpressionError,
    ExpressionSyntaxError,
)
from provisor.expressions.evaluate import function_of
from provisor.expressions.functions import FUNCTIONS, NAMES, Function
from provisor.expressions.parser import parse
from provisor.expressions.printer import is_attribute_name, print_expression, quote
from provisor.expressions.values import number_in
from provisor.model.expressions import (
    Attribute,
    Call,
    Comparator,
    Comparison,
    Concat,
    Constant,
    Expression,
    Keyword,
    Term,
    depth,
)
from provisor.model.rules import AttributeType

CONCAT = "&"
LEFT, RIGHT, PART = "left", "right", "source"
"""Parameter keys of what is no function in the text: comparisons and `&`."""

TYPES = ("Attribute", "Constant", "Function")


class SourceError(ExpressionError):
    """A source that is none. `path` is the JSON path of what is wrong, within the document read."""

    def __init__(self, path: str, message: str, limit: str = "") -> None:
        super().__init__(f"{path}: {message}", INVALID, limit=limit)
        self.path = path
        self.reason = message


# --- Tree to source ----------------------------------------------------------------------------


def write_source(e: Expression) -> dict[str, object]:
    """Return the tree as an attributeMappingSource. Arguments left out have no entry."""
    match e:
        case Attribute(name):
            return _source("Attribute", name, print_expression(e))
        case Constant(value):
            text = format(value, "f") if isinstance(value, Decimal) else str(value)
            return _source("Constant", text, quote(text))
        case Keyword(word):
            return _source("Constant", word.value, word.value)
        case Comparison(comparator, left, right):
            pairs: list[tuple[str, Expression | None]] = [(LEFT, left), (RIGHT, right)]
            return _source("Function", comparator.value, print_expression(e), pairs)
        case Concat(parts):
            return _source(
                "Function", CONCAT, print_expression(e), [(PART, part) for part in parts]
            )
        case Call(function, _):
            return _source("Function", function, print_expression(e), _parameters(e))


def _source(
    kind: str,
    name: str,
    expression: str,
    parameters: Sequence[tuple[str, Expression | None]] = (),
) -> dict[str, object]:
    entries = [
        {"key": key, "value": None if value is None else write_source(value)}
        for key, value in parameters
    ]
    return {"expression": expression, "name": name, "parameters": entries, "type": kind}


def _parameters(call: Call) -> list[tuple[str, Expression | None]]:
    """Pair arguments with their keys.

    Only among repeated arguments is one left out written, as null: without it the next one would
    take its place when the source is read again.
    """
    function = FUNCTIONS[call.function]
    names = [parameter.name for parameter in function.positional]
    if function.name == "FormatDateTime" and len(call.arguments) == 3:
        names.remove("dateTimeStyles")
    pairs: list[tuple[str, Expression | None]] = [
        (name, argument)
        for name, argument in zip(names, call.arguments, strict=False)
        if argument is not None
    ]
    if function.repeating is not None:
        pairs += [(function.repeating.name, argument) for argument in call.arguments[len(names) :]]
    return pairs


# --- Source to tree ----------------------------------------------------------------------------


def read_source(document: object, path: str = "$") -> Expression:
    """Return the tree of an attributeMappingSource, sparse or complete.

    `path` is where the document stands in the whole one; errors name places below it. Raises
    SourceError.
    """
    return _read(document, path, 0)


def _read(document: object, path: str, level: int) -> Expression:
    if level >= DEPTH_MAX:
        raise SourceError(path, f"parameters nest deeper than {DEPTH_MAX} levels", TOO_DEEP)
    if not _is_object(document):
        raise SourceError(path, "an object with type, name and expression is expected")
    kind = _kind(document, path)
    name = _text(document, "name", path)
    text = _text(document, "expression", path)
    if text.strip():
        parsed = _constant(text, name) if kind == "Constant" else _parsed(text, path)
        # The text rules. The parameters are still read, so that nonsense there does not stay.
        if kind == "Function" and document.get("parameters"):
            _function(document, path, level)
        return parsed
    match kind:
        case "Constant" if document.get("name") is not None:
            return Constant(name)
        case _ if not name:
            raise SourceError(path, "neither name nor expression says what the source is")
        case "Attribute":
            return _attribute(name, path)
        case _:
            return _checked(_function(document, path, level), path)


def _kind(document: Mapping[str, object], path: str) -> str:
    kind = document.get("type") or "Attribute"
    if kind not in TYPES:
        raise SourceError(f"{path}.type", f"type must be one of {', '.join(TYPES)}, not {kind!r}")
    return cast(str, kind)


def _constant(text: str, name: str) -> Expression:
    """Read a constant's text. Live schemas also have it without its quotes."""
    try:
        return parse(text)
    except ExpressionSyntaxError:
        return Constant(name or text)


def _checked(e: Expression, path: str) -> Expression:
    if depth(e) > DEPTH_MAX:
        raise SourceError(path, f"the expression has more than {DEPTH_MAX} levels", TOO_DEEP)
    if len(print_expression(e)) > LENGTH_MAX:
        message = f"the expression is longer than {LENGTH_MAX} characters"
        raise SourceError(path, message, TOO_LONG)
    return e


def _parsed(text: str, path: str) -> Expression:
    try:
        return parse(text)
    except ExpressionSyntaxError as error:
        raise SourceError(f"{path}.expression", str(error), error.limit) from error


def _attribute(name: str, path: str) -> Attribute:
    if not is_attribute_name(name):
        raise SourceError(f"{path}.name", f"[{name[:60]}] cannot be written as one attribute")
    return Attribute(name)


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _text(document: Mapping[str, object], key: str, path: str) -> str:
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SourceError(f"{path}.{key}", "text is expected")
    return value


def _entries(
    document: Mapping[str, object], path: str, level: int
) -> list[tuple[str, Expression | None, str]]:
    """Return the parameters as (key, value, path of the entry)."""
    listed: object = document.get("parameters")
    if listed is None:
        return []
    if not isinstance(listed, Sequence) or isinstance(listed, str | bytes):
        raise SourceError(f"{path}.parameters", "a list is expected")
    entries: list[tuple[str, Expression | None, str]] = []
    for index, entry in enumerate(cast("Sequence[object]", listed)):
        where = f"{path}.parameters[{index}]"
        if not _is_object(entry):
            raise SourceError(where, "an object with key and value is expected")
        value = entry.get("value")
        read = None if value is None else _read(value, f"{where}.value", level + 1)
        entries.append((_text(entry, "key", where), read, where))
    return entries


def _function(document: Mapping[str, object], path: str, level: int) -> Expression:
    name = _text(document, "name", path)
    entries = _entries(document, path, level)
    if name == CONCAT:
        parts = [value for _, value, _ in entries]
        return Concat(tuple(_term(part, path) for part in parts))
    if name in set(Comparator):
        return _comparison(Comparator(name), entries, path)
    canonical = name if name in FUNCTIONS else NAMES.get(name.lower())
    if canonical is None:
        raise SourceError(f"{path}.name", f"there is no function {name[:60]}")
    call = Call(canonical, _arguments(FUNCTIONS[canonical], entries, path))
    try:
        function_of(call)
    except ExpressionError as error:
        raise SourceError(f"{path}.parameters", str(error)) from error
    return call


def _comparison(
    comparator: Comparator, entries: list[tuple[str, Expression | None, str]], path: str
) -> Comparison:
    sides = {key: value for key, value, _ in entries}
    left, right = sides.get(LEFT), sides.get(RIGHT)
    if len(entries) != 2 or left is None or right is None:
        raise SourceError(f"{path}.parameters", f"{comparator} needs {LEFT} and {RIGHT}")
    if isinstance(left, Comparison) or isinstance(right, Comparison):
        raise SourceError(f"{path}.parameters", "a comparison cannot be a side of a comparison")
    return Comparison(comparator, left, right)


def _term(part: Expression | None, path: str) -> Term:
    if part is None or isinstance(part, Comparison | Concat):
        raise SourceError(f"{path}.parameters", "& joins attributes, constants and functions")
    return part


def _arguments(
    function: Function, entries: list[tuple[str, Expression | None, str]], path: str
) -> tuple[Expression | None, ...]:
    repeating = function.repeating
    names = [parameter.name for parameter in function.positional]
    arguments: list[Expression | None] = [None] * len(names)
    repeated: list[Expression | None] = []
    known = {name.lower(): index for index, name in enumerate(names)}
    seen: set[str] = set()
    for key, value, where in entries:
        folded = key.lower()
        if repeating is not None and folded == repeating.name.lower():
            repeated.append(value)
            continue
        if folded not in known:
            expected = ", ".join(parameter.name for parameter in function.parameters)
            message = f"{function.name} has no parameter {key[:60]!r}, only {expected or 'none'}"
            raise SourceError(f"{where}.key", message)
        if folded in seen:
            raise SourceError(f"{where}.key", f"{key} is given twice")
        seen.add(folded)
        arguments[known[folded]] = _as_number(value, function, known[folded])
    if repeating is not None:
        return (*arguments, *repeated)
    # Replace is always written with all its places; elsewhere those at the end are left away.
    while arguments and arguments[-1] is None and function.name != "Replace":
        arguments.pop()
    return tuple(arguments)


def _as_number(value: Expression | None, function: Function, position: int) -> Expression | None:
    """Return numbers as numbers where the function wants one: sources write them as text."""
    is_integer = function.positional[position].type is AttributeType.INTEGER
    if is_integer and isinstance(value, Constant) and isinstance(value.value, str):
        number = number_in(value.value)
        if number is not None and str(number) == value.value:
            return Constant(number)
    return value
