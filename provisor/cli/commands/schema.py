"""`schema`: how objects of the source become objects of the target; checked, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from provisor.cli.exits import Exit, WrongUse
from provisor.cli.guard import guarded
from provisor.cli.main import Session
from provisor.cli.render import clean, count, say, table
from provisor.cli.session import find_job, within
from provisor.cli.shape import job_argument, json_option, workspace_option
from provisor.cli.workspace import SchemaProblem, Workspace
from provisor.expressions import print_expression
from provisor.model.rules import (
    AttributeMapping,
    Filter,
    FlowBehavior,
    Flows,
    FlowType,
    ObjectMapping,
)
from provisor.planner.scope import describe
from provisor.settings.stored import SCHEMA

FLOW_WORDS = {Flows.ADD: "create", Flows.UPDATE: "update", Flows.DELETE: "delete"}


@click.group(epilog="\b\nExample:\n  provisor schema check people.schema.json")
def schema() -> None:
    """Check a schema, or show the one that a job runs under."""


@schema.command("check", epilog="\b\nExample:\n  provisor schema check people.schema.json")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def check(session: Session, file: Path, *, as_json: bool) -> int:
    """Say all that is wrong with the schema in FILE, where, and the way out.

    Exits 2 if there are errors. No workspace is needed. What a source has besides the schema, such
    as columns of a file, is not known here: `provisor plan JOB --schema FILE` knows it.
    """

    def work() -> int:
        found = session.open.tools().examine_schema(content_of(file), {}).problems
        if as_json:
            say(msgspec.json.encode([_problem_json(one) for one in found]).decode())
        else:
            for problem in found:
                say(problem_text(problem))
            say(f"{file}: {_summary(found)}")
        return Exit.WRONG_USE if any(one.is_error for one in found) else Exit.SUCCEEDED

    return guarded(work)


def content_of(file: Path) -> bytes:
    """Raises WrongUse."""
    try:
        return file.read_bytes()
    except OSError as failure:
        raise WrongUse(f"{file} cannot be read: {failure.strerror}") from failure


def problem_text(problem: SchemaProblem) -> str:
    at = f", character {problem.position + 1}" if problem.position is not None else ""
    lines = [
        f"{'error' if problem.is_error else 'warning'} {problem.code}",
        f"  at    {clean(problem.path) or 'the whole document'}{at}",
        f"  what  {clean(problem.message)}",
    ]
    if problem.remedy:
        lines.append(f"  do    {clean(problem.remedy)}")
    return "\n".join(lines)


def _problem_json(problem: SchemaProblem) -> dict[str, object]:
    return {
        "severity": "error" if problem.is_error else "warning",
        "code": problem.code,
        "path": problem.path,
        "position": problem.position,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _summary(found: tuple[SchemaProblem, ...]) -> str:
    errors = sum(one.is_error for one in found)
    if not found:
        return "nothing is wrong"
    return f"{count(errors, 'error')}, {count(len(found) - errors, 'warning')}"


# shown


@schema.command(
    "show",
    epilog="\b\nExamples:\n  provisor schema show people\n"
    "  provisor schema show people --json > people.schema.json",
)
@job_argument()
@json_option
@workspace_option
@click.pass_obj
def show(session: Session, job: str, *, as_json: bool) -> int:
    """Show the mappings that JOB runs under, as text, or as the JSON that they are stored in."""

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        if as_json:
            stored = await workspace.parts.registry.document(chosen.id, SCHEMA)
            content = stored or workspace.around.template_schema(chosen.template_id).encode()
            say(msgspec.json.format(content, indent=2).decode())
            return
        mandate = await workspace.mandate(chosen)
        say("\n\n".join("\n".join(_mapping(one)) for one in mandate.rules.values()))

    return within(session, work)


def _mapping(mapping: ObjectMapping) -> Iterator[str]:
    flows = [word for flow, word in FLOW_WORDS.items() if flow in mapping.flows]
    yield f"{clean(mapping.name)}{'' if mapping.is_enabled else ' (disabled)'}"
    yield f"  may {', '.join(flows) or 'do nothing'}"
    yield from _filter("in scope if", mapping.scope)
    yield from _filter("processed if", mapping.input_filter)
    yield from _filter("belongs here if", mapping.category_filter)
    yield table([_attribute(one) for one in mapping.attributes], "  ")


def _filter(title: str, conditions: Filter) -> Iterator[str]:
    for index, group in enumerate(conditions):
        clauses = " and ".join(describe(clause) for clause in group.clauses)
        yield f"  {title if index == 0 else 'or if'} {clean(clauses)}"


def _attribute(mapping: AttributeMapping) -> tuple[str, str, str]:
    text = "(nothing)" if mapping.source is None else print_expression(mapping.source)
    return mapping.target.name, f"← {text}", ", ".join(_notes(mapping))


def _notes(mapping: AttributeMapping) -> Iterator[str]:
    if mapping.matching_priority:
        yield f"matching {mapping.matching_priority}"
    if mapping.default_value is not None:
        yield f"else '{mapping.default_value}'"
    if mapping.flow_type is not FlowType.ALWAYS:
        yield mapping.flow_type.value
    if mapping.flow_behavior is not FlowBehavior.FLOW_WHEN_CHANGED:
        yield mapping.flow_behavior.value
    if mapping.target.is_required:
        yield "required"
