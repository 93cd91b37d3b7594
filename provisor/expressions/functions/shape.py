"""What the language knows of a function: names, types, examples, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from provisor.expressions.context import RESULT_MAX, Context, Flow
from provisor.expressions.errors import RESULT_TOO_LONG, ExpressionError
from provisor.expressions.values import Operand
from provisor.model.entries import Value
from provisor.model.rules import AttributeType

Result: TypeAlias = Operand | Flow
Implementation: TypeAlias = Callable[..., Result]
"""Takes one operand for each parameter, None for null and for an argument left out."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, named as the API names it."""

    name: str
    type: AttributeType = AttributeType.STRING
    is_required: bool = True
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """An expression, what it gives, and the attributes it needs for that.

    `output` is the value as text; a list is a tuple; None is null. Run by the tests.
    """

    text: str
    output: str | tuple[str, ...] | None
    attributes: Mapping[str, Value] = field(default_factory=dict[str, Value])


class Form(Enum):
    """Who evaluates the arguments."""

    STRICT = "all of them, left to right, before the function"
    IIF = "the condition, then one branch"
    SWITCH = "the source, keys in order, then one value"
    COALESCE = "in order, up to the first with a value"
    SELECT = "none: each when the engine asks for another candidate"


@dataclass(frozen=True, slots=True)
class Variant:
    """A function as one call uses it: what runs, and which arguments it takes, by position."""

    implementation: Implementation
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of the language."""

    name: str
    parameters: tuple[Parameter, ...]
    summary: str
    examples: tuple[Example, ...]
    implementation: Implementation | None = None
    """None for the lazy forms, which the evaluator itself carries out."""
    form: Form = Form.STRICT
    notes: str = ""
    each: int | None = None
    """The position whose list is worked on value by value; None: a list goes in as it is."""
    needs_context: bool = False
    """The implementation takes the Context before its operands."""
    repeats_min: int = 1
    """How often a repeating parameter must be given at least."""
    is_paired: bool = False
    """The repeating arguments come as key and value."""
    variants: Callable[[Sequence[bool]], Variant] | None = None
    """Chooses what runs by which arguments are given, for functions with several meanings."""

    @property
    def positional(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if not parameter.repeats)

    @property
    def repeating(self) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.repeats), None)

    def variant(self, given: Sequence[bool]) -> Variant:
        """Return what a call with these arguments runs; True stands for an argument given.

        Raises ExpressionError where the function has no meaning for them.
        """
        if self.variants is not None:
            return self.variants(given)
        assert self.implementation is not None, "lazy forms are not called"
        return Variant(self.implementation, tuple(range(len(given))))


@dataclass(frozen=True, slots=True)
class ArityProblem:
    """Why a call's arguments do not fit; `index` is the argument at fault, or one past the last."""

    index: int
    message: str
    expected: str


def arity_problem(function: Function, given: Sequence[bool]) -> ArityProblem | None:
    """Return what is wrong with the number of arguments, None if nothing is."""
    if function.name == "FormatDateTime" and len(given) == 3:
        given = [given[0], False, *given[1:]]  # the older form, without styles
    fixed, repeating = function.positional, function.repeating
    for index, parameter in enumerate(fixed):
        if parameter.is_required and not (index < len(given) and given[index]):
            message = f"{function.name} needs its argument {parameter.name}"
            return ArityProblem(index, message, f"{parameter.name} ({signature(function)})")
    extra = len(given) - len(fixed)
    if repeating is None:
        if extra > 0:
            message = f"{function.name} takes at most {len(fixed)} arguments"
            return ArityProblem(len(fixed), message, f") ({signature(function)})")
        return None
    if sum(given[len(fixed) :]) < function.repeats_min:
        message = f"{function.name} needs at least {function.repeats_min} of {repeating.name}"
        return ArityProblem(len(given), message, f"{repeating.name} ({signature(function)})")
    if function.is_paired and extra % 2:
        message = f"{function.name} takes its keys and values in pairs"
        return ArityProblem(len(given), message, f"a value ({signature(function)})")
    return None


def signature(function: Function) -> str:
    """Return the function as it is called: `Left(String, NumChars)`; `?` marks the optional."""
    names = [
        parameter.name + ("" if parameter.is_required else "?") + ("…" if parameter.repeats else "")
        for parameter in function.parameters
    ]
    return f"{function.name}({', '.join(names)})"


def bounded(text: str) -> str:
    """Return the text. Raises ExpressionError when a function has made it too long."""
    if len(text) > RESULT_MAX:
        raise too_long()
    return text


def too_long() -> ExpressionError:
    message = f"the result is longer than {RESULT_MAX} characters"
    return ExpressionError(message, limit=RESULT_TOO_LONG)


def guarded(function: Function, implementation: Implementation, each: int | None) -> Implementation:
    """Wrap an implementation: lists value by value, and errors that name the function.

    Sums and dates too large for Python's own types count as errors of the expression.
    """

    # What an administrator says with Error is shown as it is.
    prefix = "" if function.name == "Error" else f"{function.name}: "

    def call(*operands: Operand | Context) -> Result:
        try:
            if each is not None and isinstance(operands[each], tuple):
                return _each(implementation, operands, each)
            return implementation(*operands)
        except ExpressionError as error:
            message = f"{prefix}{error}"
            raise ExpressionError(message, error.code, limit=error.limit) from error
        except ArithmeticError as error:
            raise ExpressionError(f"{prefix}a number or a date is out of range") from error
        except UnicodeEncodeError as error:
            half = "half a character (a lone surrogate) has no bytes"
            raise ExpressionError(f"{prefix}{half}") from error
        except ValueError as error:
            raise ExpressionError(f"{prefix}{error}") from error

    return call


def _each(implementation: Implementation, operands: tuple[object, ...], at: int) -> Result:
    results: list[object] = []
    total = 0
    listed = operands[at]
    assert isinstance(listed, tuple)
    for value in listed:  # pyright: ignore[reportUnknownVariableType]
        result = implementation(*operands[:at], value, *operands[at + 1 :])
        if result is not None:
            results.append(result)
            total += len(result) if isinstance(result, str) else 0
        if total > RESULT_MAX:
            raise too_long()
    return tuple(results) or None  # pyright: ignore[reportReturnType]
