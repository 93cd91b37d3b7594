"""Functions that draw on the tenant or on chance (spec: expression 6.3)."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits

from provisor.expressions.context import Chance, Context
from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import Function, Parameter
from provisor.expressions.values import Operand, to_integer, to_text
from provisor.model.rules import AttributeType

INTEGER = AttributeType.INTEGER
RANDOM_LENGTH_MAX = 256
SPECIAL = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"
"""The characters that password complexity rules of Active Directory call special."""

PARAMETERS = (
    Parameter("Length", INTEGER),
    Parameter("MinimumNumbers", INTEGER),
    Parameter("MinimumSpecialCharacters", INTEGER),
    Parameter("MinimumCapital", INTEGER),
    Parameter("MinimumLowerCase", INTEGER),
    Parameter("CharactersToAvoid", is_required=False),
)


def guid(context: Context) -> Operand:
    return context.chance.uuid().lower()


def default_domain(context: Context) -> Operand:
    if not context.default_domain:
        raise ExpressionError("the tenant has no default domain; set one for the job")
    return context.default_domain


def random_string(
    context: Context,
    length: Operand,
    numbers: Operand,
    special: Operand,
    capital: Operand,
    lower_case: Operand,
    avoided: Operand,
) -> Operand:
    operands = zip(PARAMETERS, (length, numbers, special, capital, lower_case), strict=False)
    total, *least = (to_integer(operand, parameter.name) for parameter, operand in operands)
    check_random_string(total, least)
    banned = set(to_text(avoided))
    classes = [
        _without(banned, kind) for kind in (digits, SPECIAL, ascii_uppercase, ascii_lowercase)
    ]
    wanted = [kind for kind, count in zip(classes, least, strict=True) if count]
    rest = "".join(wanted) or _without(banned, digits + ascii_uppercase + ascii_lowercase)
    drawn = [
        _draw(context.chance, kind)
        for kind, count in zip(classes, least, strict=True)
        for _ in range(count)
    ]
    while len(drawn) < total:
        drawn.append(_draw(context.chance, rest))
    return "".join(_shuffled(context.chance, drawn))


def check_random_string(length: int, least: list[int]) -> None:
    """Raise ExpressionError for numbers that no text can satisfy."""
    if min(length, *least) < 0:
        raise ExpressionError("the numbers of RandomString cannot be negative")
    if length > RANDOM_LENGTH_MAX:
        raise ExpressionError(f"Length must be at most {RANDOM_LENGTH_MAX}, not {length}")
    if length < sum(least):
        raise ExpressionError(f"Length {length} is less than the minimums together, {sum(least)}")


def _without(banned: set[str], characters: str) -> str:
    return "".join(character for character in characters if character not in banned)


def _draw(chance: Chance, characters: str) -> str:
    if not characters:
        raise ExpressionError("CharactersToAvoid leaves nothing to choose from")
    return characters[chance.below(len(characters))]


def _shuffled(chance: Chance, characters: list[str]) -> list[str]:
    for last in range(len(characters) - 1, 0, -1):
        other = chance.below(last + 1)
        characters[last], characters[other] = characters[other], characters[last]
    return characters


FUNCTIONS = (
    Function(
        name="Guid",
        parameters=(),
        implementation=guid,
        needs_context=True,
        summary="A new GUID in lower case without braces. Each evaluation gives another, so use it "
        "where the mapping flows at creation only.",
        examples=(),
    ),
    Function(
        name="RandomString",
        parameters=PARAMETERS,
        implementation=random_string,
        needs_context=True,
        summary="A random text with at least so many characters of each kind, at most 256 in all. "
        "What remains is drawn from the kinds asked for; if none is, from letters and digits.",
        examples=(),
    ),
    Function(
        name="DefaultDomain",
        parameters=(),
        implementation=default_domain,
        needs_context=True,
        summary="The tenant's default domain.",
        examples=(),
    ),
)
