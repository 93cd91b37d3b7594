"""`test`: the examples that stand beside a job, run through its rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from provisor.expressions import Answer, Context, ExpressionError, compile_mappings
from provisor.expressions.rendering import Rendered, rendered
from provisor.model.decisions import Standing, StandingKey
from provisor.model.entries import Anchor, Attributes, Entry, Reference, Value
from provisor.model.rules import IS_SOFT_DELETED, ObjectMapping, Policy, Rules
from provisor.planner.mapping import Excluded, NeedsUnique, Unmappable, creation, map_source
from provisor.planner.scope import facts, is_excluded
from provisor.planner.terms import Terms, terms_of
from provisor.settings import defaults
from provisor.settings.examples import Example
from provisor.settings.problems import suggestion
from provisor.settings.workspace import Wanted, read_workspace
from provisor.store.planfile import text_of

REDACTED = "[Redact]"


@dataclass(frozen=True, slots=True)
class Difference:
    """What came out otherwise than expected."""

    what: str
    """A target attribute, `inScope` or `error`."""
    expected: Rendered
    found: Rendered


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
    for name, mapping in rules.items():
        if example.mapping in ("", name, mapping.source_kind):
            return mapping
    raise WrongUse(
        f"{example.where}: there is no mapping {example.mapping}; "
        f"{suggestion(example.mapping, rules)}"
    )


# one example


def differences(terms: Terms, example: Example) -> Iterator[Difference]:
    """Yield everything that comes out otherwise than the example says."""
    mapping = terms.mapping
    source = Entry(mapping.source_kind, Anchor(example.name), example.source)
    if example.in_scope is not None:
        standing = Standing(key=StandingKey(mapping.name, source.anchor), source=source)
        is_in = facts(mapping, terms.policy, standing).is_effectively_entitled
        is_in = is_in and not is_excluded(mapping, standing)
        if is_in is not example.in_scope:
            yield Difference("inScope", str(example.in_scope), str(is_in))
    if not example.target and not example.error:
        return
    try:
        values = _values(terms, source, example)
    except Excluded:
        yield from _refusal(example, "IgnoreObjectFlow", "the object is left alone")
    except (ExpressionError, Unmappable) as error:
        yield from _refusal(example, error.code, str(error))
    else:
        if example.error:
            yield Difference("error", example.error, None)
        yield from _unlike(mapping, example, values)


def _refusal(example: Example, code: str, reason: str) -> Iterator[Difference]:
    if code != example.error:
        yield Difference("error", example.error or None, f"{code}: {reason}")


def _unlike(
    mapping: ObjectMapping, example: Example, values: Mapping[str, Value]
) -> Iterator[Difference]:
    hidden = {m.target.name for m in mapping.attributes if m.is_redacted}
    written = {m.target.name for m in mapping.attributes}
    for name, expected in example.target.items():
        if name not in written:
            yield Difference(name, _told(expected), f"no mapping of {mapping.name} writes it")
        elif (found := _text(values.get(name))) != expected:
            yield Difference(name, _told(expected), REDACTED if name in hidden else found)


def _told(expected: object) -> Rendered:
    return expected if isinstance(expected, str | None) else msgspec.convert(expected, list[str])


def _text(value: Value | None) -> Rendered:
    if isinstance(value, tuple):
        return [text_of(one) or "" for one in value]
    return text_of(value) if isinstance(value, Reference) else rendered(value)


def _values(terms: Terms, source: Entry, example: Example) -> Mapping[str, Value]:
    """Return what the rules make of an example: of a new object all values, of one that leaves
    those that a disable sends. Raises ExpressionError, Unmappable, Excluded."""
    is_leaving = source.attributes.get(IS_SOFT_DELETED) is True
    mapped = map_source(terms, source, is_soft_deleted=is_leaving)
    if is_leaving:
        return {name: value for name, value in mapped.values.items() if value is not None}
    chosen: dict[str, Value] = {}
    while True:
        try:
            return {**creation(terms, mapped, chosen), **_pointing(terms, source.attributes)}
        except NeedsUnique as need:
            chosen[need.target] = _free(need, example)


def _free(need: NeedsUnique, example: Example) -> Value:
    taken = {value.lower() for value in example.taken}
    for value in need.candidates.values:
        if str(value).lower() not in taken:
            return value
    raise Unmappable("UniqueValueExhausted", f"all candidates for {need.target} are in use")


def _pointing(terms: Terms, attributes: Attributes) -> dict[str, Value]:
    """Return what references point at, by the anchors in the source."""
    pairs = [(m.target.name, m.source) for m in terms.pointing if m.source is not None]
    found: Mapping[str, Answer] = compile_mappings(pairs)(attributes, terms.context)
    return {n: v for n, v in found.items() if isinstance(v, str | tuple | Reference)}


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
