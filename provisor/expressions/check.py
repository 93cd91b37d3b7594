"""What can be said against an expression before any object meets it (spec: expression 2, 4, 6).

Everything is found at once. An error keeps the mapping from being saved; a warning does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from provisor.expressions.context import DEPTH_MAX, LENGTH_MAX, RESULT_MAX, Context
from provisor.expressions.date_formats import fields_of
from provisor.expressions.date_reading import styles_named
from provisor.expressions.dotnet_regex import compile_pattern
from provisor.expressions.errors import RESULT_TOO_LONG, TOO_DEEP, TOO_LONG, ExpressionError
from provisor.expressions.evaluate import evaluate, function_of, strict_call
from provisor.expressions.functions import FUNCTIONS, Form, replacing
from provisor.expressions.functions.casing import lower
from provisor.expressions.functions.generators import check_random_string
from provisor.expressions.functions.moments import check_interval
from provisor.expressions.functions.shape import too_long
from provisor.expressions.printer import is_attribute_name, print_expression
from provisor.expressions.values import inner_text, number_in
from provisor.model.entries import NO_ATTRIBUTES
from provisor.model.expressions import (
    Attribute,
    Call,
    Constant,
    Expression,
    Keyword,
    Word,
    children,
    depth,
    walk,
)
from provisor.model.rules import (
    IS_SOFT_DELETED,
    AttributeDefinition,
    AttributeType,
    FlowType,
)

OBJECT_FILTER = "objectFilter"
"""The pseudo target attribute on which alone an expression may leave out whole objects."""

_BOOLEANS = frozenset(("IsNull", "IsNothing", "IsNullOrEmpty", "IsPresent"))
_DRAWN = frozenset(("Guid", "RandomString"))


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an expression."""

    code: str
    """Stable, for programs."""
    message: str
    remedy: str
    where: str
    """The part of the expression that is meant, as text."""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What an expression is checked for: the mapping that it stands in."""

    attributes: Mapping[str, AttributeDefinition] | None = None
    """Those of the source object by name; None: not known, so every name will do."""
    target: str = ""
    is_matching: bool = False
    flow_type: FlowType = FlowType.ALWAYS


def check_expression(e: Expression, use: Use) -> tuple[Problem, ...]:
    """Return all problems of an expression in its mapping, errors and warnings, outermost first.

    A tree too deep or too long to be looked at gives that one problem alone.
    """
    levels = depth(e)
    if levels > DEPTH_MAX:
        message = f"the expression has {levels} levels, more than {DEPTH_MAX}"
        return (_error(TOO_DEEP, message, "Split it over several attributes.", e),)
    written = _text(e)
    if len(written) > LENGTH_MAX:
        message = f"the expression has {len(written)} characters, more than {LENGTH_MAX}"
        return (_error(TOO_LONG, message, "Shorten it.", e),)
    return tuple(_problems(e, use))


def _problems(e: Expression, use: Use) -> Iterator[Problem]:
    yield from _top(e, use)
    for node in walk(e):
        match node:
            case Attribute(name):
                yield from _attribute(node, name, use)
            case Keyword(Word.IGNORE_OBJECT_FLOW) if use.target != OBJECT_FILTER:
                yield _error(
                    "IgnoreObjectFlowMisplaced",
                    "IgnoreObjectFlow leaves out a whole object, but stands in the mapping of one "
                    "attribute",
                    f"Map it to {OBJECT_FILTER}, or use IgnoreAttributeFlow.",
                    node,
                )
            case Call():
                yield from _call(node, use)
                if node.function == "SelectUniqueValue" and node is not e:
                    yield _error(
                        "SelectUniqueValueNested",
                        "SelectUniqueValue stands within another expression",
                        "Make it the whole expression, with the other functions in its rules.",
                        node,
                    )
            case _:
                pass


def _top(e: Expression, use: Use) -> Iterator[Problem]:
    if not isinstance(e, Call) or e.function != "SelectUniqueValue":
        return
    if use.is_matching:
        yield _error(
            "SelectUniqueValueOnMatching",
            "a matching attribute finds existing objects, SelectUniqueValue avoids them",
            "Match by another attribute.",
            e,
        )
    if use.flow_type is not FlowType.OBJECT_ADD_ONLY:
        yield _error(
            "SelectUniqueValueAtEveryExport",
            "SelectUniqueValue would choose another value at each export",
            "Let the mapping flow at creation only (ObjectAddOnly).",
            e,
        )


def _attribute(node: Attribute, name: str, use: Use) -> Iterator[Problem]:
    if not is_attribute_name(name):
        yield _error(
            "AttributeNameUnwritable",
            f"the attribute name {name[:60]!r} cannot be written in brackets",
            "Close every bracket in it.",
            node,
        )
    elif use.attributes is not None and name not in use.attributes and name != IS_SOFT_DELETED:
        # IsSoftDeleted is computed at each evaluation, so that no directory needs to define it.
        yield _error(
            "UnknownAttribute",
            f"the source object has no attribute {name}",
            "Correct its name, or define it in the source directory.",
            node,
        )


def _call(call: Call, use: Use) -> Iterator[Problem]:
    try:
        function = function_of(call)
        if function.form is Form.STRICT:
            strict_call(function, call)
    except ExpressionError as error:
        yield _error("InvalidCall", str(error), "Correct the arguments.", call)
        return
    if call.function in _DRAWN and use.flow_type is not FlowType.OBJECT_ADD_ONLY:
        yield _warning(
            "DrawnAtEveryExport",
            f"{call.function} gives another value at each evaluation, so that every object "
            "differs in every cycle",
            "Let the mapping flow at creation only (ObjectAddOnly).",
            call,
        )
    yield from _CALLS.get(call.function, _nothing)(call, use)
    wrong = list(_wrong_constants(call))
    for problem in wrong:
        yield _error("InvalidArgument", problem, "Correct the constant.", call)
    if not wrong:
        yield from _always_failing(call)


def _nothing(call: Call, use: Use) -> Iterator[Problem]:
    yield from ()


def _iif(call: Call, use: Use) -> Iterator[Problem]:
    condition = call.arguments[0]
    if isinstance(condition, Call) and condition.function == "IgnoreFlowIfNullOrEmpty":
        yield _error(
            "FlowAsCondition",
            "IgnoreFlowIfNullOrEmpty is no condition",
            "Use IsPresent as the condition.",
            condition,
        )


def _switch(call: Call, use: Use) -> Iterator[Problem]:
    source = call.arguments[0]
    definition = None
    if isinstance(source, Attribute) and use.attributes is not None:
        definition = use.attributes.get(source.name)
    if definition is not None and definition.type is AttributeType.REFERENCE:
        yield _error(
            "SwitchOnReference",
            f"Switch compares text, and {definition.name} refers to another object",
            "Switch on an attribute that holds text.",
            call,
        )
    if isinstance(source, Call) and source.function in _BOOLEANS:
        yield _warning(
            "SwitchOnBoolean",
            f"{source.function} gives True or False",
            'Compare with "True" and "False", or use IIF.',
            source,
        )
    keys = [inner_text(key.value) for key in call.arguments[2::2] if isinstance(key, Constant)]
    repeated = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
    if repeated is not None:
        yield _warning(
            "SwitchKeyRepeated",
            f'the key "{repeated[:60]}" stands twice; the second is never reached',
            "Remove one of them.",
            call,
        )


_CALLS: Mapping[str, Callable[[Call, Use], Iterator[Problem]]] = {"IIF": _iif, "Switch": _switch}


_PADDING = frozenset(("PadLeft", "PadRight"))
_WORLDLY = frozenset(("DefaultDomain", "Error", "Guid", "Now", "RandomString", "Replace"))
"""Functions that need more than constants, fail on purpose, or may take their time."""
_SOMETIME = Context(datetime(2000, 1, 1, tzinfo=UTC))


# --- Constants that no object can save ---------------------------------------------------------


def _wrong_constants(call: Call) -> Iterator[str]:
    """Yield what is wrong with constant arguments that would fail for every object alike."""
    checks: list[Callable[[], object]] = []
    match call.function:
        case "Replace":
            checks = _replace_checks(call)
        case "DateAdd" | "DateDiff":
            checks = _for_text(_constant(call, 0), check_interval)
        case "FormatDateTime":
            formats = [_constant(call, position) for position in range(len(call.arguments))][1:]
            if len(call.arguments) == 4:
                checks += _for_text(formats.pop(0), styles_named)
            checks += [check for text in formats for check in _for_text(text, fields_of)]
        case "ToLower" | "ToUpper":
            checks = _for_text(_constant(call, 1), lambda culture: lower("", culture))
        case "RandomString":
            numbers = [number_in(_constant(call, position) or "") for position in range(5)]
            whole = [number for number in numbers if isinstance(number, int)]
            if len(whole) == 5:
                checks = [lambda: check_random_string(whole[0], whole[1:])]
        case _:
            pass
    for check in checks:
        try:
            check()
        except ExpressionError as error:
            yield str(error)
    yield from _wrong_numbers(call)


def _wrong_numbers(call: Call) -> Iterator[str]:
    for parameter, argument in zip(
        FUNCTIONS[call.function].positional, call.arguments, strict=False
    ):
        text = inner_text(argument.value) if isinstance(argument, Constant) else None
        if parameter.type is AttributeType.INTEGER and text is not None:
            number = number_in(text)
            if number is None or number != int(number):
                yield f'{parameter.name} must be a whole number, not "{text[:60]}"'


def _always_failing(call: Call) -> Iterator[Problem]:
    """Note a call of constants alone that no object can save. What nests is not looked into."""
    length = number_in(_constant(call, 1) or "") if call.function in _PADDING else None
    is_alone = all(one is None or isinstance(one, Constant) for one in call.arguments)
    try:
        if length is not None and length > RESULT_MAX:
            raise too_long()
        if is_alone and call.function not in _WORLDLY:
            evaluate(call, NO_ATTRIBUTES, _SOMETIME)
    except ExpressionError as error:
        if error.limit == RESULT_TOO_LONG:
            yield _error(RESULT_TOO_LONG, str(error), "Make it shorter.", call)
        else:
            yield _warning(
                "FailsAlways",
                f"{error}, whatever the object",
                "Correct the constants; to refuse objects on purpose, use Error.",
                call,
            )


def _replace_checks(call: Call) -> list[Callable[[], object]]:
    pattern, group = _constant(call, replacing.PATTERN), _constant(call, replacing.GROUP)
    if pattern is None:
        return []
    if group is None:
        return [lambda: compile_pattern(pattern)]
    return [lambda: compile_pattern(pattern).number(group)]


def _for_text(text: str | None, check: Callable[[str], object]) -> list[Callable[[], object]]:
    return [] if text is None else [lambda: check(text)]


def _constant(call: Call, position: int) -> str | None:
    """Return the text of a constant argument, None for any other."""
    argument = call.arguments[position] if position < len(call.arguments) else None
    return inner_text(argument.value) if isinstance(argument, Constant) else None


def _text(e: Expression) -> str:
    try:
        return print_expression(e)
    except ExpressionError:
        return f"{type(e).__name__} with {len(children(e))} parts"


def _error(code: str, message: str, remedy: str, e: Expression) -> Problem:
    return Problem(code=code, message=message, remedy=remedy, where=_text(e)[:200])


def _warning(code: str, message: str, remedy: str, e: Expression) -> Problem:
    return Problem(
        code=code, message=message, remedy=remedy, where=_text(e)[:200], severity=Severity.WARNING
    )
