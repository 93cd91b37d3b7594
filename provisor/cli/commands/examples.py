"""`test`: the examples that stand beside a job, run through its rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
import msgspec

from provisor.cli.exits import Exit, WrongUse
from provisor.cli.guard import guarded
from provisor.cli.main import Session
from provisor.cli.places import FILE
from provisor.cli.render import clean, count, say
from provisor.cli.shape import command, json_option
from provisor.cli.workspace import Tools
from provisor.expressions import Context
from provisor.expressions.rendering import Rendered
from provisor.model.rules import ObjectMapping, Policy, Rules
from provisor.planner.terms import terms_of
from provisor.settings import defaults
from provisor.settings.examples import Example
from provisor.settings.problems import suggestion
from provisor.settings.trying import Difference, differences, mapping_of
from provisor.settings.workspace import Wanted, read_workspace


@dataclass(frozen=True, slots=True)
class Tried:
    job: str
    example: Example
    differences: tuple[Difference, ...]


@command(
    "test",
    "provisor test            all examples of all jobs\nprovisor test people     those of one job",
)
@click.argument("job", required=False)
@json_option
def test(session: Session, job: str | None, *, as_json: bool) -> int:
    """Run the examples at `tests:` of JOB, or of every job, through its rules as the file has them.

    Nothing is connected to, and nothing has to be applied before. Exits 3 if an example gives
    something else than it says.
    """

    def work() -> int:
        tools = session.open.tools()
        wanted = read_workspace(session.folder / FILE, tools.around, "")
        jobs = wanted.configuration.jobs
        if job is not None and job not in jobs:
            raise WrongUse(f"there is no job {job} in {FILE}; {suggestion(job, jobs)}")
        chosen = [job] if job is not None else list(jobs)
        tried = [one for name in chosen for one in _try_all(tools, wanted, name)]
        if as_json:
            say(msgspec.json.encode([_json(one) for one in tried]).decode())
        else:
            _show(tried)
        return Exit.ENTRY_ERRORS if any(one.differences for one in tried) else Exit.SUCCEEDED

    return guarded(work)


def _try_all(tools: Tools, wanted: Wanted, job: str) -> Iterator[Tried]:
    examples = wanted.tests.get(job, ())
    if not examples:
        return
    rules = _rules(tools, wanted, job)
    domain = str(wanted.configuration.tenant.get("defaultDomain") or "")
    for example in examples:
        mapping = _mapping(rules, example)
        context = Context(example.now or tools.clock.now(), domain, tools.entropy)
        terms = terms_of(mapping, Policy(default_domain=domain), context)
        yield Tried(job, example, tuple(differences(terms, example)))


def _rules(tools: Tools, wanted: Wanted, job: str) -> Rules:
    leaves = wanted.configuration.jobs[job].leaves
    application = str(leaves.get("application"))
    about = wanted.configuration.applications[application].leaves
    template = str(about.get("template") or defaults.TEMPLATE)
    content = str(leaves.get("schema") or tools.around.template_schema(template))
    return tools.examine_schema(content.encode(), wanted.definitions.get(application, {})).rules


def _mapping(rules: Rules, example: Example) -> ObjectMapping:
    """Return the mapping that an example names: by its name, or by the kind it takes."""
    found = mapping_of(rules, example)
    if found is not None:
        return found
    raise WrongUse(
        f"{example.where}: there is no mapping {example.mapping}; "
        f"{suggestion(example.mapping, rules)}"
    )


# told


def _show(tried: list[Tried]) -> None:
    if not tried:
        say("no examples; docs/mappings.md says how to write some")
        return
    failed = [one for one in tried if one.differences]
    for one in failed:
        say(f"{one.job}: {clean(one.example.name)} ({one.example.where})")
        for difference in one.differences:
            say(f"  {difference.what}")
            say(f"    expected  {_line(difference.expected)}")
            say(f"    found     {_line(difference.found)}")
    say(f"{count(len(tried), 'example')}, {len(failed):,} failed")


def _line(value: Rendered) -> str:
    if value is None:
        return "(nothing)"
    return clean(", ".join(value)) if isinstance(value, list) else clean(value)


def _json(tried: Tried) -> dict[str, object]:
    return {
        "job": tried.job,
        "name": tried.example.name,
        "where": tried.example.where,
        "succeeded": not tried.differences,
        "differences": [
            {"what": one.what, "expected": one.expected, "found": one.found}
            for one in tried.differences
        ],
    }
