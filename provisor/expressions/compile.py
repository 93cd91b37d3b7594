"""Turn a tree into generated Python, compiled once (spec: expression 4).

The source holds nothing but names that are made here: text and numbers of the expression, names of
attributes and functions are bound as values around the generated function. Where the commonest
functions meet plain text the work is written out in place; everything else calls what the
tree-walking evaluator calls, so that both agree in every value and every error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from provisor.expressions.context import DEPTH_MAX, RESULT_MAX, Answer, Context, Flow
from provisor.expressions.dotnet_regex import compile_pattern
from provisor.expressions.errors import ExpressionError
from provisor.expressions.evaluate import (
    FLOWS,
    Strict,
    candidates,
    concatenated,
    evaluate,
    evaluate_at,
    finished,
    function_of,
    is_value,
    may_flow,
    plain,
    strict_call,
    strongest,
    switch_text,
)
from provisor.expressions.functions import Form, Function, logic, replacing, text
from provisor.expressions.functions.shape import Result
from provisor.expressions.values import compare, inner_text, number_in, to_boolean, white_space
from provisor.model.entries import Attributes
from provisor.model.expressions import (
    Attribute,
    Call,
    Comparator,
    Comparison,
    Concat,
    Constant,
    Expression,
    Keyword,
    walk,
)

Compiled: TypeAlias = Callable[[Attributes, Context], Answer]
CompiledMappings: TypeAlias = Callable[[Attributes, Context], dict[str, Answer]]

INDENT_MAX = 60
"""Deeper blocks are walked instead: Python allows a hundred levels of indentation."""


def compile_expression(e: Expression) -> Compiled:
    """Return the expression as a function of attributes and context; behaves as evaluate does."""
    compiled = compile_mappings([("", e)])

    def answer(attributes: Attributes, context: Context) -> Answer:
        return compiled(attributes, context)[""]

    return answer


def compile_mappings(mappings: Sequence[tuple[str, Expression]]) -> CompiledMappings:
    """Return one function that computes all target attributes of an object at once.

    Its answer has every target, in the order given, with None where there is no value. It raises
    ExpressionError for the first mapping that refuses the attributes, named in `target`.
    """
    writer = _Writer()
    results = [(writer.bind(target), writer.answer(e).code) for target, e in mappings]
    pairs = ", ".join(f"{target}: {code}" for target, code in results)

    def blame(error: ExpressionError, attributes: Attributes, context: Context) -> None:
        error.target = next(
            (target for target, e in mappings if target and _refuses(e, attributes, context)), None
        )

    return writer.build(f"{{{pairs}}}", blame)


def _refuses(e: Expression, attributes: Attributes, context: Context) -> bool:
    try:
        evaluate(e, attributes, context)
    except ExpressionError:
        return True
    return False


class _Kind(Enum):
    """What is known of a value before it exists."""

    TEXT = "text"
    TEXT_OR_NULL = "text or null"
    TRUTH = "True or False"
    ANY = "anything"


@dataclass(frozen=True, slots=True)
class _Out:
    """Where a value is found: the name of a variable or of something bound, never text."""

    code: str
    kind: _Kind = _Kind.ANY
    may_flow: bool = False
    constant: str | None = None
    """The text of a constant."""


NULL = _Out("None", _Kind.TEXT_OR_NULL)


class _Writer:
    """Writes the body of one function: each method writes lines and says where the value is."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indent = 2
        self.bound: dict[str, object] = {}
        self.names: dict[int | str, str] = {}
        self.loaded: dict[str, str] = {}
        self.count = 0

    # -- the frame

    def build(self, result: str, blame: Callable[..., None]) -> CompiledMappings:
        names = {"blame": blame, "Refused": ExpressionError, "Text": str, "Flow": Flow}
        loads = [f"  {code} = get({self.bind(name)})" for name, code in self.loaded.items()]
        names |= self.bound
        source = "\n".join(
            [
                f"def make({', '.join(names)}):",
                " def mapping(attributes, context):",
                "  get = attributes.get",
                *loads,
                "  try:",
                *(f" {line}" for line in self.lines),
                f"   return {result}",
                "  except Refused as error:",
                "   blame(error, attributes, context)",
                "   raise",
                " return mapping",
            ]
        )
        scope: dict[str, Callable[..., CompiledMappings]] = {}
        # Every word of the source was written in this module; texts of others are values in names.
        exec(compile(source, "<mapping>", "exec"), {}, scope)  # noqa: S102
        return scope["make"](**names)

    def write(self, line: str) -> None:
        self.lines.append(" " * self.indent + line)

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def bind(self, value: object) -> str:
        """Give a value a name in the generated source; the same object keeps its name."""
        key: int | str = value if type(value) is str else id(value)
        if key not in self.names:
            self.names[key] = f"c{len(self.bound)}"
            self.bound[self.names[key]] = value  # which also keeps its id from being used again
        return self.names[key]

    def set(self, code: str, kind: _Kind = _Kind.ANY, *, flows: bool = False) -> _Out:
        name = self.fresh()
        self.write(f"{name} = {code}")
        return _Out(name, kind, flows)

    # -- nodes

    def answer(self, e: Expression) -> _Out:
        if isinstance(e, Call) and e.function == "SelectUniqueValue":
            return self.select(e)
        out = self.value(e, 0)
        has_decimals = any(
            isinstance(node, Constant) and isinstance(node.value, Decimal) for node in walk(e)
        )
        return self.set(f"{self.bind(finished)}({out.code})") if has_decimals else out

    def select(self, call: Call) -> _Out:
        try:
            function_of(call)
        except ExpressionError as error:
            return self.refuse(error)
        rules = [argument for argument in call.arguments if argument is not None]
        ready = [self.bind(_rule(rule)) for rule in rules]
        later = ", ".join(f"lambda: {name}(attributes, context)" for name in ready)
        return self.set(f"{self.bind(candidates)}(({later},))")

    def value(self, e: Expression | None, level: int) -> _Out:
        if e is None:
            return NULL
        if level >= DEPTH_MAX or self.indent >= INDENT_MAX:
            walked = f"{self.bind(evaluate_at)}({self.bind(e)}, attributes, context, {level})"
            return self.set(walked, flows=may_flow(e))
        match e:
            case Attribute(name):
                if name not in self.loaded:
                    self.loaded[name] = f"a{len(self.loaded)}"
                return _Out(self.loaded[name])
            case Constant(value):
                return self.constant(value)
            case Keyword(word):
                flow = FLOWS.get(word)
                if flow is None:
                    return self.constant(word.value)
                return _Out(self.bind(flow), _Kind.ANY, may_flow=True)
            case Concat(parts):
                return self.concat([self.value(part, level + 1) for part in parts])
            case Comparison(comparator, left, right):
                one, other = self.value(left, level + 1), self.value(right, level + 1)
                return self.comparison(comparator, one, other)
            case Call():
                return self.call(e, level)

    def constant(self, value: str | int | Decimal) -> _Out:
        kind = _Kind.TEXT if isinstance(value, str) else _Kind.ANY
        return _Out(self.bind(value), kind, constant=inner_text(value))

    def refuse(self, error: ExpressionError) -> _Out:
        """Write what raises the error when, and only when, evaluation comes to this place."""
        return self.set(f"{self.bind(_raiser(str(error), error.code))}()")

    def concat(self, parts: Sequence[_Out]) -> _Out:
        listed = ", ".join(part.code for part in parts)
        name = self.bind(concatenated)
        return self.passing(parts, f"{name}({listed})", _Kind.TEXT)

    def passing(self, operands: Sequence[_Out], code: str, kind: _Kind = _Kind.ANY) -> _Out:
        """Write a call that gives a Flow where one of its operands is one."""
        suspects = [operand.code for operand in operands if operand.may_flow]
        if not suspects:
            return self.set(code, kind)
        tests = " or ".join(f"{name}.__class__ is Flow" for name in suspects)
        listed = ", ".join(suspects)
        flow = f"{self.bind(strongest)}(({listed},))"
        return self.set(f"{flow} if {tests} else {code}", flows=True)

    def comparison(self, comparator: Comparator, one: _Out, other: _Out) -> _Out:
        sides = f"{self.bind(comparator)}, {one.code}, {other.code}"
        general = f"{self.bind(compare)}({sides})"
        if one.may_flow or other.may_flow:
            return self.passing([one, other], general)
        if comparator in (Comparator.EQUAL, Comparator.NOT_EQUAL):
            if one.constant is not None:
                one, other = other, one
            # Text that is no number compares as text with any text.
            if other.kind is _Kind.TEXT and number_in(other.constant or "0") is None:
                sign = "==" if comparator is Comparator.EQUAL else "!="
                fast = f"{one.code} {sign} {other.code}"
                return self.set(_choice(_is_text(one), fast, general), _Kind.TRUTH)
        return self.set(general, _Kind.TRUTH)

    # -- calls

    def call(self, call: Call, level: int) -> _Out:
        try:
            function = function_of(call)
            match function.form:
                case Form.STRICT:
                    return self.strict(function, strict_call(function, call), level)
                case Form.SELECT:
                    raise ExpressionError("SelectUniqueValue can only be the whole expression")
                case _:
                    pass
        except ExpressionError as error:
            return self.refuse(error)
        match function.form:
            case Form.IIF:
                return self.iif(call.arguments, level)
            case Form.SWITCH:
                return self.switch(call.arguments, level)
            case _:
                return self.coalesce(call.arguments, level)

    def strict(self, function: Function, call: Strict, level: int) -> _Out:
        operands = [self.value(argument, level + 1) for argument in call.arguments]
        codes = [operand.code for operand in operands]
        if call.needs_context:
            codes.insert(0, "context")
        general = f"{self.bind(call.run)}({', '.join(codes)})"
        if not any(operand.may_flow for operand in operands):
            shortcut = _SHORTCUTS.get(call.kernel)
            written = shortcut(self, operands, general) if shortcut is not None else None
            if written is not None:
                return written
        out = self.passing(operands, general, _RESULTS.get(function.name, _Kind.ANY))
        return replace(out, may_flow=True) if function.name == "IgnoreFlowIfNullOrEmpty" else out

    def block(self, opening: str, result: str, e: Expression | None, level: int) -> _Out:
        """Write the evaluation of a part below an `if`, its value into a shared variable."""
        self.write(opening)
        self.indent += 1
        out = self.value(e, level)
        self.write(f"{result} = {out.code}")
        self.indent -= 1
        return out

    def iif(self, arguments: Sequence[Expression | None], level: int) -> _Out:
        condition, yes, no = arguments
        test = self.value(condition, level + 1)
        code = test.code
        if test.may_flow:
            code = f"{self.bind(plain)}({code})"
        if test.kind is not _Kind.TRUTH:
            code = f"{self.bind(to_boolean)}({code})"
        result = self.fresh()
        first = self.block(f"if {code}:", result, yes, level + 1)
        second = self.block("else:", result, no, level + 1)
        return _merged(result, [first, second])

    def coalesce(self, arguments: Sequence[Expression | None], level: int) -> _Out:
        out = self.value(arguments[0], level + 1)
        if len(arguments) == 1:
            return out
        result = self.fresh()
        self.write(f"{result} = {out.code}")
        outs = [out]
        for argument in arguments[1:]:
            last = outs[-1]
            if last.may_flow:
                test = f"not {self.bind(is_value)}({result})"
            elif last.kind in (_Kind.TEXT, _Kind.TEXT_OR_NULL):
                test = f"{result} is None"
            else:
                test = f"not {result} and ({result} is None or {result} == ())"
            outs.append(self.block(f"if {test}:", result, argument, level + 1))
            # What was tested may have come from any earlier argument.
            outs[-1] = _merged(result, outs)
        return _merged(result, outs)

    def switch(self, arguments: Sequence[Expression | None], level: int) -> _Out:
        source, default, *pairs = (*arguments, None)[: max(2, len(arguments))]
        found = self.value(source, level + 1)
        general = f"{self.bind(switch_text)}({found.code})"
        if found.kind is _Kind.ANY:  # attributes that tell whether somebody left are Booleans
            yes, no = self.bind("True"), self.bind("False")
            general = (
                f"{yes} if {found.code} is True else {no} if {found.code} is False else {general}"
            )
        sought = self.set(_choice(_is_text(found), found.code, general), _Kind.TEXT)
        keys = [_constant_text(key) for key in pairs[::2]]
        values = pairs[1::2]
        if any(key is None for key in keys):
            return self.switch_in_order(sought.code, pairs, default, level)
        table: dict[str, Expression | None] = {}
        for key, value in zip(keys, values, strict=True):
            table.setdefault(key or "", value)
        if all(value is None or isinstance(value, Constant) for value in table.values()):
            return self.switch_by_table(sought.code, table, default, level)
        return self.switch_by_index(sought.code, table, default, level)

    def switch_by_table(
        self,
        sought: str,
        table: Mapping[str, Expression | None],
        default: Expression | None,
        level: int,
    ) -> _Out:
        """Write a look-up: keys and values are all known."""
        values = {
            key: value.value if isinstance(value, Constant) else None
            for key, value in table.items()
        }
        is_text = all(isinstance(value, str) for value in values.values())
        known = _Out("", _Kind.TEXT if is_text else _Kind.ANY)
        name = self.bind(values.get)
        if default is None or isinstance(default, Constant):
            out = self.value(default, level + 1)
            return _merged(self.set(f"{name}({sought}, {out.code})").code, [known, out])
        result = self.fresh()
        self.write(f"{result} = {name}({sought}, Flow)")  # Flow itself is no value: a mark
        out = self.block(f"if {result} is Flow:", result, default, level + 1)
        return _merged(result, [known, out])

    def switch_by_index(
        self,
        sought: str,
        table: Mapping[str, Expression | None],
        default: Expression | None,
        level: int,
    ) -> _Out:
        """Write a look-up of the branch to take: the keys are known, the values not."""
        index = {key: number for number, key in enumerate(table)}
        taken = self.set(f"{self.bind(index.get)}({sought})")
        result = self.fresh()
        outs: list[_Out] = []
        for number, value in enumerate(table.values()):
            opening = f"{'elif' if number else 'if'} {taken.code} == {number}:"
            outs.append(self.block(opening, result, value, level + 1))
        outs.append(self.block("else:", result, default, level + 1))
        return _merged(result, outs)

    def switch_in_order(
        self,
        sought: str,
        pairs: Sequence[Expression | None],
        default: Expression | None,
        level: int,
    ) -> _Out:
        """Write one comparison after the other: keys are computed only when they are reached."""
        result, is_open = self.fresh(), self.fresh()
        self.write(f"{is_open} = True")
        outs: list[_Out] = []
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            self.write(f"if {is_open}:")
            self.indent += 1
            found = self.value(key, level + 1)
            test = f"if {self.bind(switch_text)}({found.code}) == {sought}:"
            outs.append(self.block(test, result, value, level + 1))
            self.write(f" {is_open} = False")
            self.indent -= 1
        outs.append(self.block(f"if {is_open}:", result, default, level + 1))
        return _merged(result, outs)


def _rule(rule: Expression) -> Callable[[Attributes, Context], Result]:
    """Compile one rule of a SelectUniqueValue, to be run when its turn comes."""
    writer = _Writer()
    out = writer.value(rule, 1)
    compiled = writer.build(f"{{'': {out.code}}}", lambda *_: None)
    return lambda attributes, context: compiled(attributes, context)[""]  # pyright: ignore[reportReturnType]


def _raiser(message: str, code: str) -> Callable[[], Result]:
    def refuse() -> Result:
        raise ExpressionError(message, code)

    return refuse


def _constant_text(key: Expression | None) -> str | None:
    """Return what a constant key compares as, None for a key that has to be computed."""
    if key is None:
        return ""
    return inner_text(key.value) if isinstance(key, Constant) else None


def _merged(code: str, outs: Sequence[_Out]) -> _Out:
    """Say what is known of a variable that one of several branches has set."""
    kinds = {out.kind for out in outs}
    kind = _Kind.ANY
    if len(kinds) == 1:
        kind = kinds.pop()
    elif kinds <= {_Kind.TEXT, _Kind.TEXT_OR_NULL}:
        kind = _Kind.TEXT_OR_NULL
    return _Out(code, kind, any(out.may_flow for out in outs))


# --- Work written out in place -----------------------------------------------------------------

Shortcut: TypeAlias = Callable[[_Writer, Sequence[_Out], str], _Out | None]
"""Writes what a function does to plain text, or returns None where it knows no better way.

Takes the operands, and the call that does the same in general.
"""


def _is_text(out: _Out) -> str:
    """Return a test for text, "" where there is nothing to test."""
    match out.kind:
        case _Kind.TEXT:
            return ""
        case _Kind.TEXT_OR_NULL:
            return f"{out.code} is not None"
        case _:
            return f"{out.code}.__class__ is Text"


def _choice(test: str, fast: str, general: str) -> str:
    return f"{fast} if {test} else {general}" if test else fast


def _kept(source: _Out) -> _Kind:
    """Say what a function of one text gives that leaves null alone and lists as lists."""
    return source.kind if source.kind in (_Kind.TEXT, _Kind.TEXT_OR_NULL) else _Kind.ANY


def _of_text(
    writer: _Writer, source: _Out, test: str, fast: str, general: str, kind: _Kind
) -> _Out:
    tests = " and ".join(part for part in (_is_text(source), test) if part)
    return writer.set(_choice(tests, fast, general), kind)


def _to_lower(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    source, culture = operands
    if culture is not NULL:
        return None
    x = source.code
    return _of_text(writer, source, f"{x}.isascii()", f"{x}.lower()", general, _kept(source))


def _to_upper(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    source, culture = operands
    if culture is not NULL:
        return None
    x = source.code
    return _of_text(writer, source, f"{x}.isascii()", f"{x}.upper()", general, _kept(source))


def _normalize(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    (source,) = operands
    x = source.code
    return _of_text(writer, source, f"{x}.isascii()", x, general, _kept(source))


def _strip_spaces(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    (source,) = operands
    fast = f"{source.code}.replace({writer.bind(' ')}, {writer.bind('')})"
    return _of_text(writer, source, "", fast, general, _kept(source))


def _trim(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    (source,) = operands
    fast = f"{source.code}.strip({writer.bind(white_space())})"
    return _of_text(writer, source, "", fast, general, _kept(source))


def _whole(out: _Out) -> int | None:
    """Return the small whole number that a constant is, None for anything else."""
    number = number_in(out.constant) if out.constant is not None else None
    return number if isinstance(number, int) and 0 <= number <= RESULT_MAX else None


def _left(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    source, length = operands[0], _whole(operands[1])
    if length is None:
        return None
    kind = _Kind.TEXT if source.kind in (_Kind.TEXT, _Kind.TEXT_OR_NULL) else _Kind.ANY
    return _of_text(writer, source, "", f"{source.code}[:{length}]", general, kind)


def _mid(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    source, start, length = operands[0], _whole(operands[1]), _whole(operands[2])
    if not start or length is None:
        return None
    kind = _Kind.TEXT if source.kind in (_Kind.TEXT, _Kind.TEXT_OR_NULL) else _Kind.ANY
    fast = f"{source.code}[{start - 1}:{start - 1 + length}]"
    return _of_text(writer, source, "", fast, general, kind)


def _append(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    return _added(
        writer, operands[0], operands[1], f"{operands[0].code} + {operands[1].code}", general
    )


def _prepend(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    return _added(
        writer, operands[1], operands[0], f"{operands[0].code} + {operands[1].code}", general
    )


def _added(writer: _Writer, source: _Out, other: _Out, fast: str, general: str) -> _Out | None:
    if other.constant is None or other.kind is not _Kind.TEXT:
        return None
    room = RESULT_MAX - len(other.constant)
    return _of_text(writer, source, f"len({source.code}) <= {room}", fast, general, _kept(source))


def _join(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    """Join two to six texts that are all there; everything else is for the function itself."""
    separator, *sources = operands
    if separator.constant is None or separator.kind is not _Kind.TEXT or not 1 < len(sources) < 7:
        return None
    if any(source.constant == "" for source in sources):
        return None
    tests: list[str] = []
    for source in sources:
        if source.constant is not None and source.kind is _Kind.TEXT:
            continue
        if source.kind not in (_Kind.TEXT, _Kind.TEXT_OR_NULL):
            tests.append(_is_text(source))
        tests.append(source.code)
    listed = ", ".join(source.code for source in sources)
    out = writer.set(
        _choice(" and ".join(tests), f"{separator.code}.join(({listed}))", general),
        _Kind.TEXT_OR_NULL,
    )
    # The function counts a separator behind the last text too, and refuses what is too long.
    writer.write(f"if {out.code} and len({out.code}) > {RESULT_MAX - len(separator.constant)}:")
    writer.write(f" {out.code} = {general}")
    return out


def _replace_literal(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    source, old, new = operands
    if not old.constant or new.constant is None or len(new.constant) > len(old.constant):
        return None
    fast = f"{source.code}.replace({writer.bind(old.constant)}, {writer.bind(new.constant)})"
    return _of_text(writer, source, "", fast, general, _kept(source))


def _replace_pattern(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    source, pattern, new = operands
    if pattern.constant is None or new.constant is None:
        return None
    try:
        short = compile_pattern(pattern.constant).substitution(new.constant)
    except ExpressionError:
        return None  # the general call raises it when it is reached
    if short is None or short.length_max < 1:
        return None
    x = source.code
    test = f"len({x}) <= {short.length_max} and {x}.isascii()"
    fast = f"{writer.bind(short.run)}({writer.bind(short.template)}, {x})"
    return _of_text(writer, source, test, fast, general, _kept(source))


def _is_present(writer: _Writer, operands: Sequence[_Out], general: str) -> _Out | None:
    (source,) = operands
    return _of_text(writer, source, source.code, "True", general, _Kind.TRUTH)


_SHORTCUTS: Mapping[Callable[..., object], Shortcut] = {
    logic.is_present: _is_present,
    replacing.replace_literal: _replace_literal,
    replacing.replace_pattern: _replace_pattern,
    text.append: _append,
    text.join: _join,
    text.left: _left,
    text.mid: _mid,
    text.normalize_diacritics: _normalize,
    text.prepend: _prepend,
    text.strip_spaces: _strip_spaces,
    text.to_lower: _to_lower,
    text.to_upper: _to_upper,
    text.trim: _trim,
}

_RESULTS: Mapping[str, _Kind] = {
    "Join": _Kind.TEXT_OR_NULL,
    "CBool": _Kind.TRUTH,
    "IsNothing": _Kind.TRUTH,
    "IsNull": _Kind.TRUTH,
    "IsNullOrEmpty": _Kind.TRUTH,
    "IsPresent": _Kind.TRUTH,
    "IsString": _Kind.TRUTH,
    "Not": _Kind.TRUTH,
}
"""What ordinary functions always give, where it helps to know."""
