"""`functions`: the reference of the mapping language, at hand."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence

import click

from provisor.cli.main import Session
from provisor.cli.render import say, table
from provisor.cli.shape import command, json_option
from provisor.expressions.functions import (
    FUNCTIONS,
    GROUPS,
    NAMES,
    Example,
    Form,
    Function,
    Parameter,
    function_schemas,
    signature,
)
from provisor.expressions.values import Operand, inner_text

SIGNATURE_MAX = 48


@command(
    "functions",
    "provisor functions              all of them, by subject\n"
    "provisor functions Join         one of them, with examples\n"
    "provisor functions Join --json  as the API describes it",
)
@click.argument("name", required=False)
@json_option
def functions(session: Session, name: str | None, *, as_json: bool) -> None:
    """Show the functions that mappings are written with; of NAME all there is to know."""
    chosen = None if name is None else _find(name)
    if as_json:
        found = [one for one in function_schemas() if chosen is None or one["name"] == chosen.name]
        say(json.dumps(found if chosen is None else found[0]))
    elif chosen is None:
        for title, group in GROUPS.items():
            say(title)
            say(_listing(group))
            say()
        say("provisor functions NAME shows one of them with examples")
    else:
        say(_page(chosen))


def _listing(group: Sequence[Function]) -> str:
    """Return a line for each function; of a long one the signature has a line of its own."""
    short = [one for one in group if len(signature(one)) <= SIGNATURE_MAX]
    wide = max((len(signature(one)) for one in short), default=0)
    lines: list[str] = []
    for one in group:
        name, about = signature(one), _first_sentence(one)
        if len(name) > SIGNATURE_MAX:
            lines += [f"  {name}", f"  {'':{wide}}  {about}"]
        else:
            lines.append(f"  {name:{wide}}  {about}")
    return "\n".join(lines)


def _find(name: str) -> Function:
    known = NAMES.get(name.lower())
    if known is None:
        close = [NAMES[n] for n in difflib.get_close_matches(name.lower(), NAMES, 3)]
        hint = f"did you mean {' or '.join(close)}?" if close else "`provisor functions` lists all"
        raise click.UsageError(f"there is no function {name[:60]}; {hint}")
    return FUNCTIONS[known]


def _first_sentence(function: Function) -> str:
    return function.summary.partition(". ")[0].rstrip(".")


def _page(function: Function) -> str:
    lines = [signature(function), "", *function.summary.splitlines()]
    if function.notes:
        lines += function.notes.splitlines()
    if function.parameters:
        lines += ["", "Parameters", table(map(_parameter, function.parameters), "  ")]
    if function.form is not Form.STRICT:
        lines += ["", f"Evaluates {function.form.value}."]
    if function.examples:
        lines += ["", "Examples"]
        for example in function.examples:
            lines += _example(example)
    return "\n".join(lines)


def _parameter(parameter: Parameter) -> tuple[str, str, str]:
    marks = [] if parameter.is_required else ["optional"]
    if parameter.repeats:
        marks.append("repeats")
    return parameter.name, parameter.type.value, ", ".join(marks)


def _example(example: Example) -> list[str]:
    given = {n: v for n, v in example.attributes.items() if f"[{n}]" in example.text}
    lines = [f"  {example.text}"]
    lines += [f"      with {name} = {_value(value)}" for name, value in given.items()]
    return [*lines, f"      → {_value(example.output)}"]


def _value(value: Operand) -> str:
    if value is None:
        return "no value"
    if isinstance(value, tuple):
        return ", ".join(inner_text(one) for one in value) or "no values"
    return inner_text(value) or "empty text"
