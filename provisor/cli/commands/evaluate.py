"""`eval`: an expression, tried on attributes; one, or many as they stand in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import cast

import click

from provisor.cli.exits import Exit
from provisor.cli.guard import complain, guarded
from provisor.cli.main import Session
from provisor.cli.render import clean, say
from provisor.cli.shape import command, json_option
from provisor.expressions import (
    Answer,
    Candidates,
    Context,
    Expression,
    ExpressionError,
    ExpressionSyntaxError,
    Flow,
    evaluate,
    parse,
    trace,
)
from provisor.expressions import attributes_of as attributes_read
from provisor.expressions.rendering import rendered, texts
from provisor.model.entries import Attributes, Scalar, Value

USUAL_DOMAIN = "contoso.com"
INVALID_INPUT = "InvalidInput"
POINTED_MAX = 60
"""Characters shown on either side of where an expression goes wrong."""
UNIQUE_EXHAUSTED = "UniqueValueExhausted"


class Unreadable(Exception):
    """What was given is not what is to be given; the message says what is."""


@command(
    "eval",
    "provisor eval 'Join(\" \", [givenName], [surname])' --attributes ada.json\n"
    "provisor eval 'ToLower([mail])' --attributes '{\"mail\": \"Ada@Example.com\"}'\n"
    "provisor eval 'ToUpper(Left(\"ada\", 1))' --trace   each part with its value\n"
    "provisor eval --batch cases.jsonl                 one case a line, one answer a line",
)
@click.argument("expression", required=False)
@click.option(
    "--attributes",
    metavar="FILE|-|JSON",
    help="The source attributes, as a JSON object: in a file, or as it is.",
)
@click.option("--batch", metavar="FILE|-", help="Cases: one JSON object a line, with id and expr.")
@click.option("--trace", "traces", is_flag=True, help="Show every part of it with its value.")
@click.option("--now", metavar="TIME", help="What Now() says. [default: the time]")
@click.option(
    "--domain", default=USUAL_DOMAIN, show_default=True, help="What DefaultDomain() says."
)
@json_option
def eval(
    session: Session,
    expression: str | None,
    *,
    attributes: str | None,
    batch: str | None,
    traces: bool,
    now: str | None,
    domain: str,
    as_json: bool,
) -> int:
    """Evaluate EXPRESSION on source attributes. No workspace is needed, nothing is read but files.

    A case of --batch has the fields id, expr, in (attributes), now, domain, and taken: values
    that the target has already, for SelectUniqueValue. Exits 2 if EXPRESSION is none, 3 if it
    refuses the attributes; a case of --batch that fails is an answer like any other.
    """
    if (expression is None) == (batch is None) or (batch and (attributes or traces)):
        raise click.UsageError("give either EXPRESSION, with --attributes, or --batch alone")
    if batch is not None:
        return guarded(lambda: _batch(batch, session, now, domain))
    assert expression is not None

    def work() -> int:
        try:
            given = attributes_of(_parsed(_text(attributes)))
            context = _context(session, now, domain)
            tree = parse(expression)
        except (Unreadable, ExpressionSyntaxError) as wrong:
            if isinstance(wrong, ExpressionSyntaxError) and not as_json:
                _point(expression, wrong.position)
            return _refused(wrong, as_json, Exit.WRONG_USE)
        _mind_missing(tree, given, attributes)
        try:
            if traces:
                return _trace(expression, given, context, as_json)
            answer = rendered(evaluate(tree, given, context))
        except ExpressionError as error:
            return _refused(error, as_json, Exit.ENTRY_ERRORS)
        say(_line({"out": answer}) if as_json else _shown(answer))
        return Exit.SUCCEEDED

    return guarded(work)


def _point(expression: str, position: int) -> None:
    """Show the line of an expression in which it goes wrong, and where."""
    begin = expression.rfind("\n", 0, position) + 1
    line = clean(expression[begin:].partition("\n")[0])
    first = max(0, position - begin - POINTED_MAX)
    click.echo(f"  {line[first : first + 2 * POINTED_MAX]}", err=True)
    click.echo(f"  {' ' * (position - begin - first)}^", err=True)


def _mind_missing(tree: Expression, given: Attributes, file: str | None) -> None:
    """Say which attributes are read that nobody gave: a name may be spelled otherwise."""
    missing = sorted(attributes_read(tree) - given.keys()) if file else []
    if missing:
        names = ", ".join(f"{clean(name)}{_meant(name, given)}" for name in missing)
        complain(f"note: the attributes have no value for {names}")


def _meant(name: str, given: Attributes) -> str:
    close = get_close_matches(name, given, n=1, cutoff=0.7)
    return f" (did you mean {clean(close[0])}?)" if close else ""


def _context(session: Session, now: str | None, domain: str) -> Context:
    """Raises Unreadable."""
    tools = session.open.tools()
    return Context(moment_of(now) if now else tools.clock.now(), domain, tools.entropy)


def _refused(error: Exception, as_json: bool, exit: Exit) -> int:
    if as_json:
        say(_line(_failure(error)))
    else:
        complain(clean(str(error)))
    return exit


def _shown(answer: object) -> str:
    if isinstance(answer, list):
        return "\n".join(clean(str(one)) for one in cast("list[object]", answer)) or "(empty list)"
    return "(no value)" if answer is None else clean(str(answer))


def _trace(expression: str, given: Attributes, context: Context, as_json: bool) -> int:
    """Show every part that was evaluated; those of branches not taken are none of them."""
    steps = trace(parse(expression), given, context)
    failed = steps[0].error
    if as_json:
        told = [
            {"expression": s.text, "level": s.level}
            | (_failure(s.error) if s.error else {"out": rendered(s.value)})
            for s in steps
        ]
        say(_line(told))
    else:
        for step in steps:
            value = f"error: {step.error}" if step.error else _inline(rendered(step.value))
            say(f"{'  ' * step.level}{clean(step.text)}  →  {clean(value)}")
    return Exit.ENTRY_ERRORS if failed else Exit.SUCCEEDED


def _inline(answer: object) -> str:
    return "(no value)" if answer is None else json.dumps(answer, ensure_ascii=False)


# many


def _batch(file: str, session: Session, now: str | None, domain: str) -> int:
    try:
        usual = _context(session, now, domain)
        for line in _lines(file):
            if line.strip():
                say(_line(answer_line(line, usual)))
    except Unreadable as wrong:
        complain(str(wrong))
        return Exit.WRONG_USE
    return Exit.SUCCEEDED


def answer_line(line: str, usual: Context) -> dict[str, object]:
    """Return the answer to one case. Whatever is wrong with it is what it answers.

    `usual` holds what a case does not say itself.
    """
    id: object = None
    try:
        case = _object(_parsed(line), "a case")
        id = case.get("id")
        expression = case.get("expr")
        if not isinstance(expression, str):
            raise Unreadable("expr is missing, or no text")
        given = attributes_of({} if case.get("in") is None else case["in"])
        now = usual.now if case.get("now") is None else moment_of(case["now"])
        home = case.get("domain") or usual.default_domain
        if not isinstance(home, str):
            raise Unreadable("domain is to be a text")
        taken = _taken([] if case.get("taken") is None else case["taken"])
        context = Context(now, home, usual.chance)
        answer = _free(evaluate(parse(expression), given, context), taken)
        out = rendered(answer)
    except (Unreadable, ExpressionError) as error:
        return {"id": id, **_failure(error)}
    return {"id": id, "drop": True} if answer is Flow.DROP else {"id": id, "out": out}


def _taken(given: object) -> frozenset[str]:
    if not isinstance(given, list):
        raise Unreadable("taken is to be a list of texts")
    return frozenset(str(one).lower() for one in cast("list[object]", given))


def _free(answer: Answer, taken: frozenset[str]) -> Answer:
    """Return the answer; of candidates the first that the target lacks, compared without case.

    Raises ExpressionError where the target has all of them.
    """
    if not isinstance(answer, Candidates):
        return answer
    for one in answer.values:
        if not all(text.lower() in taken for text in texts(one)):
            return one
    raise ExpressionError("the target has every value that it could be", UNIQUE_EXHAUSTED)


def _failure(error: Exception) -> dict[str, object]:
    code = error.code if isinstance(error, ExpressionError) else INVALID_INPUT
    return {"error": {"code": code, "message": str(error)}}


# what is given


def _lines(file: str) -> Iterator[str]:
    try:
        with click.open_file(file, encoding="utf-8", errors="replace") as opened:
            yield from cast("Iterator[str]", opened)
    except OSError as failure:
        raise Unreadable(f"{file} cannot be read: {failure.strerror}") from failure


def _text(said: str | None) -> str:
    """Return what a file holds; or what was said itself, where that is an object already."""
    if said is None or said.lstrip().startswith("{"):
        return said or "{}"
    return "".join(_lines(said))


def _parsed(text: str) -> object:
    """Return JSON as plain values; a number with a fraction stays the text that it was."""
    try:
        return cast(object, json.loads(text, parse_float=str, parse_constant=str))
    except (ValueError, RecursionError) as failure:
        raise Unreadable(f"this is no JSON: {failure}") from failure


def _object(raw: object, what: str) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise Unreadable(f'{what} should be a JSON object: {{"name": "value"}}')
    return cast("dict[str, object]", raw)


def attributes_of(raw: object) -> Attributes:
    """Return source attributes from a JSON object; null and null in lists is no value.

    Raises Unreadable.
    """
    attributes: dict[str, Value] = {}
    for name, value in _object(raw, "the attributes").items():
        if isinstance(value, list):
            many = (_scalar(name, one) for one in cast("Sequence[object]", value))
            attributes[name] = tuple(one for one in many if one is not None)
        elif (single := _scalar(name, value)) is not None:
            attributes[name] = single
    return attributes


def _scalar(name: str, value: object) -> Scalar | None:
    if value is None or isinstance(value, str | int):
        return value
    raise Unreadable(f"the attribute {name[:60]} is to be a text, a number, true, false or a list")


def moment_of(given: object) -> datetime:
    """Return a time from ISO 8601, without offset in UTC. Raises Unreadable."""
    try:
        read = datetime.fromisoformat(str(given))
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as failure:
        raise Unreadable("now is to be a time such as 2025-07-30T12:00:00Z") from failure


def _line(document: Mapping[str, object] | Sequence[object]) -> str:
    """Return JSON in one line; half a character (a lone surrogate) stays an escape."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(document)
    return text
