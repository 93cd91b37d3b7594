"""What is fuzzed: each subject makes one case from chance, and holds the code to its promise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any, TypeAlias, cast

import msgspec

from provisor.cli.commands.evaluate import answer_line
from provisor.expressions import (
    Answer,
    Candidates,
    Context,
    Expression,
    ExpressionError,
    ExpressionSyntaxError,
    FixedChance,
    Flow,
    coerce,
    compile_expression,
    compile_mappings,
    evaluate,
    parse,
    print_expression,
    trace,
)
from provisor.expressions.check import Use, check_expression
from provisor.expressions.date_formats import write
from provisor.expressions.date_reading import DEFAULT_STYLES, read, styles_named
from provisor.expressions.dates import parse_moment
from provisor.expressions.dotnet_regex import compile_pattern
from provisor.expressions.operators import OPERATORS, Operator, clause_problem, evaluate_clause
from provisor.expressions.rendering import rendered, texts
from provisor.expressions.sources import read_source, write_source
from provisor.graph.problems import errors
from provisor.graph.schema.document import canonical, read_schema, schema_of, write_schema
from provisor.graph.schema.examine import examined
from provisor.graph.schema.rules import to_rules
from provisor.model.entries import Attributes, Value
from provisor.model.expressions import Constant
from provisor.model.rules import AttributeType
from tests.fuzz import matter
from tests.fuzz.wires import ldap, measures, odata, scim
from tests.unit.graph.test_schema_fuzz import Place, places, put

Case: TypeAlias = dict[str, object]
"""What was tried, for the report; filled before anything can go wrong."""
Subject: TypeAlias = Callable[[Random, Case], None]

NOON = datetime(2025, 7, 30, 12, tzinfo=UTC)


def context(domain: str = "contoso.com") -> Context:
    return Context(NOON, domain, FixedChance())


def outcome(run: Callable[[], Answer]) -> object:
    """Return what came out in a form that compares: values with their types, or the error."""
    try:
        answer = run()
        if isinstance(answer, Candidates):
            return [(type(value), value) for value in answer.values]
        return type(answer), answer
    except ExpressionError as error:
        return error.code, str(error)


def syntax(chance: Random, case: Case) -> None:
    """Any text parses or is refused with a place; what parses is printed and read the same."""
    text = matter.spoilt(chance, matter.one(chance, matter.TEXTS))
    case["text"] = text
    try:
        tree = parse(text)
    except ExpressionSyntaxError as error:
        is_told = 0 <= error.position <= len(text) and error.expected != ""
    else:
        _holds_together(tree, chance, case)
        return
    assert is_told


def _holds_together(tree: Expression, chance: Random, case: Case) -> None:
    printed = print_expression(tree)
    assert parse(printed) == tree
    assert print_expression(parse(printed)) == printed
    if not isinstance(tree, Constant):
        assert read_source(write_source(tree)) == tree
    for problem in check_expression(tree, Use(attributes={})):
        assert problem.message
        assert problem.remedy
    given = matter.attributes(chance, tree)
    case["attributes"] = given
    _agree(tree, given)


def evaluation(chance: Random, case: Case) -> None:
    """Walking, compiling and tracing agree on every expression and every object."""
    tree = matter.tree(chance)
    golden = chance.random() < 0.2
    given = matter.golden_attributes(chance) if golden else matter.attributes(chance, tree)
    case |= {"expression": tree, "attributes": given}
    if not isinstance(tree, Constant):
        assert parse(print_expression(tree)) == tree
    _agree(tree, given)


def _agree(tree: Expression, given: Attributes) -> None:
    walked = outcome(lambda: evaluate(tree, given, context()))
    compiled = compile_expression(tree)
    assert outcome(lambda: compiled(given, context())) == walked
    first, *_ = trace(tree, given, context())
    if first.error is not None:
        assert (first.error.code, str(first.error)) == walked
    try:
        answer = evaluate(tree, given, context())
        rendered(answer)
        texts(answer)
    except ExpressionError:
        return
    if answer is None or isinstance(answer, Flow | Candidates):
        return
    for kind in AttributeType:
        for multivalued in (False, True):
            try:
                fitted = coerce(answer, kind, multivalued)
            except ExpressionError:
                continue
            assert isinstance(fitted, tuple) is multivalued


def mappings(chance: Random, case: Case) -> None:
    """Compiled together, expressions give what each gives alone."""
    trees = [matter.tree(chance) for _ in range(chance.randint(1, 5))]
    given: dict[str, Value] = {}
    for tree in trees:
        given |= matter.attributes(chance, tree)
    case |= {"expressions": trees, "attributes": given}
    alone = [outcome(lambda tree=tree: evaluate(tree, given, context())) for tree in trees]
    try:
        together = compile_mappings([(f"t{n}", tree) for n, tree in enumerate(trees)])(
            given, context()
        )
    except ExpressionError as error:
        refusal, target = (error.code, str(error)), error.target
    else:
        _same_as_alone(together, trees, alone)
        return
    assert refusal in alone
    assert target is not None


def _same_as_alone(
    together: Mapping[str, Answer], trees: Sequence[Expression], alone: Sequence[object]
) -> None:
    drawn = {"Guid", "RandomString"}
    for tree, answer, single in zip(trees, together.values(), alone, strict=True):
        if not any(name in str(tree) for name in drawn):
            assert outcome(lambda answer=answer: answer) == single


def patterns(chance: Random, case: Case) -> None:
    """A pattern runs within its time or is refused; both engines find the same in ASCII."""
    text = matter.one(chance, matter.PATTERNS)
    if chance.random() < 0.8:
        text = matter.spoilt(chance, text)
    subject, template = matter.text_value(chance), matter.spoilt(chance, "$1${d}")
    if chance.random() < 0.1:
        subject = subject * 50
    case |= {"pattern": text, "subject": subject, "template": template}
    try:
        pattern = compile_pattern(text)
        found = [match.span() for match in pattern.matches(subject)]
        assert (pattern.search(subject) is None) is (not found)
        whole = pattern.replace(subject, template)
    except ExpressionError:
        return
    if not found:
        assert whole == subject
    short = pattern.substitution(template)
    if short is not None and subject.isascii() and len(subject) <= short.length_max:
        assert short.run(short.template, subject) == whole
    if pattern.plain is not None and subject.isascii() and len(subject) <= pattern.length_max:
        plain = [m.span() for m in pattern.plain.finditer(subject)]
        timed = [m.span() for m in pattern.timed.finditer(subject)]
        assert plain == timed


def dates(chance: Random, case: Case) -> None:
    """What a format writes it reads again, and no text or format does anything but refuse."""
    template = matter.spoilt(chance, matter.one(chance, matter.FORMATS))
    text = matter.one(chance, matter.MOMENTS)
    if chance.random() < 0.5:
        text = matter.spoilt(chance, text)
    styles = chance.choice(("", "AllowWhiteSpaces", "AdjustToUniversal", "None", "Nope", " ,"))
    case |= {"format": template, "text": text, "styles": styles}
    try:
        moment = parse_moment(text)
        write(moment, template)
        written = write(moment, "yyyy-MM-ddTHH:mm:ss.fffffffK")
        assert read(written, "yyyy-MM-ddTHH:mm:ss.fffffffK", DEFAULT_STYLES, NOON) == moment
    except ExpressionError:
        pass
    with suppress(ExpressionError):
        read(text, template, styles_named(styles) if styles else DEFAULT_STYLES, NOON)


def clauses(chance: Random, case: Case) -> None:
    """A clause that can be saved answers for every value, and its negation the other way."""
    operator = matter.one(chance, list(OPERATORS))
    values = [matter.text_value(chance) for _ in range(chance.choice((0, 1, 1, 2)))]
    kind = matter.one(chance, list(AttributeType))
    value = None if chance.random() < 0.1 else matter.scalar(chance)
    case |= {"operator": operator.name, "values": values, "type": kind, "value": value}
    if clause_problem(operator.name, values, kind) is not None:
        return
    try:
        holds = evaluate_clause(operator.name, values, value, kind)
    except ExpressionError as error:
        is_late = "needs more than" in str(error)  # a pattern out of time
    else:
        _is_opposed(operator, values, value, kind, holds)
        return
    assert is_late


def _is_opposed(
    operator: Operator, values: list[str], value: Value | None, kind: AttributeType, holds: bool
) -> None:
    opposite = {"EQUALS": "NOT EQUALS", "REGEX MATCH": "NOT REGEX MATCH", "&": "!&"}
    other = opposite.get(operator.name)
    if other is not None and value not in (None, ""):
        assert evaluate_clause(other, values, value, kind) is not holds


Damageable: TypeAlias = tuple[object, list[Place]]


@cache
def whole() -> tuple[Damageable, ...]:
    """Return whole schemas as JSON, with every place in them."""
    documents: list[Damageable] = []
    for content in matter.schemas():
        read_one, _ = read_schema(content)
        assert read_one is not None
        document = msgspec.json.decode(write_schema(canonical(read_one)))
        documents.append((document, places(document)))
    return tuple(documents)


def schemas(chance: Random, case: Case) -> None:
    """A damaged schema gives rules or problems, and is stored as it was understood."""
    original, spots = matter.one(chance, whole())
    document = copy.deepcopy(original)
    damage = [(matter.one(chance, spots), _odd(chance)) for _ in range(chance.randint(1, 4))]
    case["damage"] = damage
    for place, value in damage:
        put(document, place, copy.deepcopy(value))
    content = msgspec.json.encode(document)
    whole_truth = examined(content)
    found, problems = schema_of(document)
    assert len(whole_truth.problems) >= len(problems)
    if found is None:
        assert errors(problems)
        assert all(problem.code and problem.message and problem.remedy for problem in problems)
        return
    rules, problems = to_rules(found)
    assert not (rules and errors(problems))
    assert all(problem.code and problem.message and problem.remedy for problem in problems)
    stored = canonical(found)
    again, _ = read_schema(write_schema(stored))
    assert again is not None
    assert canonical(again) == stored
    if rules:
        assert to_rules(again)[0] == rules
        for mapping in rules.values():
            sources = [(m.target.name, m.source) for m in mapping.attributes if m.source]
            compile_mappings(sources)


def _odd(chance: Random) -> object:
    kinds: tuple[object, ...] = (None, True, 0, -1, 10**30, 1.5, "", [], {}, [None], {"a": []})
    match chance.randrange(6):
        case 0:
            return matter.one(chance, list(kinds))
        case 1:
            return _whole(matter.spoilt(chance, matter.one(chance, matter.TEXTS)))
        case 2:
            return matter.one(chance, matter.TEXTS)
        case 3:
            return write_source(matter.one(chance, matter.TREES))
        case 4:
            return [_odd(chance) for _ in range(chance.randint(0, 3))]
        case _:
            words = ("User", "Group", "Reference", "String", "REGEX MATCH", "Function", "Constant")
            return chance.choice(words)


def _whole(text: str) -> str:
    """Return text as JSON can hold it: without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def documents(chance: Random, case: Case) -> None:
    """Bytes that may be no JSON at all are a schema or problems."""
    text = matter.one(chance, list(matter.schemas())).decode()
    start = chance.randrange(len(text))
    text = text[:start] + matter.spoilt(chance, text[start : start + 200]) + text[start + 200 :]
    case["text"] = text
    found, problems = read_schema(text.encode("utf-8", "surrogatepass"))
    assert found is not None or errors(problems)
    if found is not None:
        to_rules(found)


def batch(chance: Random, case: Case) -> None:
    """Whatever a line holds there is one answer, and it can be written."""
    line = dict(matter.one(chance, matter.LINES))
    if chance.random() < 0.5:
        name = matter.one(chance, ["id", "expr", "in", "now", "taken", "domain"])
        line[name] = _odd(chance)
    text = json.dumps(line)
    if chance.random() < 0.5:
        text = matter.spoilt(chance, text)
    case["line"] = text
    answer = answer_line(text, context())
    assert len(answer.keys() & {"out", "drop", "error"}) == 1
    json.loads(json.dumps(answer))


SUBJECTS: Mapping[str, Subject] = {
    one.__name__: one
    for one in cast(
        "tuple[Any, ...]",
        (
            syntax,
            evaluation,
            mappings,
            patterns,
            dates,
            clauses,
            schemas,
            documents,
            batch,
            odata,
            ldap,
            scim,
            measures,
        ),
    )
}
