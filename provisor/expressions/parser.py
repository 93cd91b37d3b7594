"""Tokens to a tree (spec: expression 2): a Pratt parser with two levels of binding."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches

from provisor.expressions.context import DEPTH_MAX
from provisor.expressions.errors import TOO_DEEP, ExpressionSyntaxError
from provisor.expressions.functions import FUNCTIONS, NAMES, Function, arity_problem
from provisor.expressions.lexer import Kind, Token, tokenize
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
    Word,
    depth,
)

_WORDS = {word.value: word for word in Word}
_TERM = "a function, [attribute], text in quotes or a number"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that works but was written otherwise than it will be stored."""

    message: str
    position: int


def parse(text: str) -> Expression:
    """Return the tree of an expression.

    Raises ExpressionSyntaxError for anything that is not one, unknown functions and wrong numbers
    of arguments included.
    """
    return parse_with_notices(text)[0]


def parse_with_notices(text: str) -> tuple[Expression, tuple[Notice, ...]]:
    """Return the tree and what was tolerated, such as a function written in another case."""
    reader = _Reader(tokenize(text))
    expression = reader.expression(0)
    if reader.here.kind is not Kind.END:
        raise reader.error("the expression should end here", reader.continuation("the end"))
    if depth(expression) > DEPTH_MAX:
        raise ExpressionSyntaxError(
            "too many levels",
            position=0,
            token=text[:20],
            expected=f"at most {DEPTH_MAX} levels",
            limit=TOO_DEEP,
        )
    return expression, tuple(reader.notices)


@dataclass(slots=True)
class _Reader:
    tokens: list[Token]
    at: int = 0
    notices: list[Notice] = field(default_factory=list[Notice])

    @property
    def here(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.here
        self.at += 1
        return token

    def error(
        self, message: str, expected: str, token: Token | None = None, limit: str = ""
    ) -> Exception:
        token = self.here if token is None else token
        return ExpressionSyntaxError(
            message, position=token.position, token=token.text, expected=expected, limit=limit
        )

    def continuation(self, end: str) -> str:
        """Say what may follow a complete expression."""
        last = self.tokens[self.at - 1]
        if self.here.kind is Kind.OPEN and last.kind is not Kind.NAME:
            return f"{end}; there is no grouping with parentheses"
        return f"&, a comparison or {end}"

    def expression(self, level: int) -> Expression:
        """Read one comparison, or what stands where no comparison does."""
        left = self.concat(level)
        if self.here.kind is not Kind.COMPARATOR:
            return left
        comparator = Comparator(self.take().text)
        comparison = Comparison(comparator, left, self.concat(level))
        if self.here.kind is Kind.COMPARATOR:
            raise self.error("comparisons do not chain", "IIF or CBool around one of them")
        return comparison

    def concat(self, level: int) -> Term | Concat:
        first = self.term(level)
        if self.here.kind is not Kind.AMPERSAND:
            return first
        parts = [first]
        while self.here.kind is Kind.AMPERSAND:
            self.take()
            parts.append(self.term(level))
        return Concat(tuple(parts))

    def term(self, level: int) -> Term:
        if level >= DEPTH_MAX:
            raise self.error("too many levels", f"at most {DEPTH_MAX} levels", limit=TOO_DEEP)
        token = self.take()
        match token.kind:
            case Kind.ATTRIBUTE:
                return Attribute(str(token.value))
            case Kind.TEXT | Kind.NUMBER:
                return Constant(token.value)
            case Kind.NAME:
                return self.named(token, level)
            case _:
                raise self.error("something is missing", _TERM, token)

    def named(self, token: Token, level: int) -> Term:
        if self.here.kind is Kind.OPEN:
            return self.call(token, level)
        if token.text in _WORDS:
            return Keyword(_WORDS[token.text])
        if token.text.lower() in NAMES:
            raise self.error(f"the function {token.text} has no arguments", "(")
        keywords = ", ".join(Word)
        raise self.error(
            "a bare word is neither text nor an attribute",
            f'"{token.text}" in quotes, [{token.text}] in brackets, or one of {keywords}',
            token,
        )

    def call(self, token: Token, level: int) -> Call:
        function = self.function(token)
        opening = self.take()
        arguments: list[Expression | None] = []
        starts: list[Token] = []
        while True:
            starts.append(self.here)
            is_empty = self.here.kind in (Kind.COMMA, Kind.CLOSE)
            arguments.append(None if is_empty else self.expression(level + 1))
            if self.here.kind is not Kind.COMMA:
                break
            self.take()
        if self.here.kind is not Kind.CLOSE:
            where = "not closed" if self.here.kind is Kind.END else "cut off"
            raise self.error(
                f"the arguments of {function.name}, opened at character {opening.position + 1}, "
                f"are {where}",
                self.continuation(", or )"),
            )
        closing = self.take()
        _drop_trailing(arguments, function)
        problem = arity_problem(function, [argument is not None for argument in arguments])
        if problem is not None:
            token = starts[problem.index] if problem.index < len(arguments) else closing
            raise self.error(problem.message, problem.expected, token)
        return Call(function.name, tuple(arguments))

    def function(self, token: Token) -> Function:
        name = token.text if token.text in FUNCTIONS else NAMES.get(token.text.lower())
        if name is None:
            close = get_close_matches(token.text, FUNCTIONS, n=3, cutoff=0.6)
            expected = " or ".join(close) if close else "a function of the reference"
            raise self.error(f"there is no function {token.text}", expected, token)
        if name != token.text:
            message = f"{token.text} is written {name}; it is stored that way"
            self.notices.append(Notice(message, token.position))
        return FUNCTIONS[name]


def _drop_trailing(arguments: list[Expression | None], function: Function) -> None:
    """Remove what was left out at the end, beyond what the function can take (spec: 2)."""
    if arguments == [None]:
        arguments.clear()
    most = len(function.positional)
    while arguments and arguments[-1] is None:
        is_beyond = function.repeating is None and len(arguments) > most
        is_unpaired = function.is_paired and (len(arguments) - most) % 2 == 1
        if not (is_beyond or is_unpaired):
            return
        arguments.pop()
