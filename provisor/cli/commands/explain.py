"""`explain`: every step for one object, as things are now."""

from __future__ import annotations

from datetime import datetime

import msgspec

from provisor.cli.changes import change_text, value_text
from provisor.cli.main import Session
from provisor.cli.objects import find_object
from provisor.cli.render import clean, moment, say
from provisor.cli.session import find_job, within
from provisor.cli.shape import command, job_argument, json_option, object_argument
from provisor.cli.workspace import Workspace
from provisor.engine.on_demand import Explained, Explanation, explain_one
from provisor.engine.plans import Planning
from provisor.engine.work import Ports
from provisor.expressions.context import Answer
from provisor.model.decisions import Escrow, Standing
from provisor.model.entries import EntryKey, MatchQuery, Reference
from provisor.model.jobs import Job
from provisor.model.rules import ObjectMapping, Rules
from provisor.planner.record import name_of
from provisor.runtime.told import REDACTED, explanation, is_redacted, visible_changes
from provisor.store.planfile import text_of


@command(
    "explain",
    "provisor explain people e000017\n"
    "provisor explain people ada@example.com   by a value that it is matched by\n"
    "provisor explain people Group:g00003",
)
@job_argument()
@object_argument
@json_option
def explain(session: Session, job: str, object: str, *, as_json: bool) -> int:
    """Go through every step for OBJECT, as things are now. Nothing is written.

    OBJECT is the id in the source, the id in the target, or a value that it is matched by.
    """

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        key, rules, told = await _explain(workspace, chosen, object)
        if as_json:
            say(
                msgspec.json.encode(
                    [
                        explanation(one, rules[one.standing.key.mapping], _answer_text)
                        for one in told
                    ]
                ).decode()
            )
            return
        for one in told:
            _show(key, one, rules[one.standing.key.mapping])

    return within(session, work)


async def _explain(
    workspace: Workspace, job: Job, text: str
) -> tuple[EntryKey, Rules, tuple[Explanation, ...]]:
    parts = workspace.parts
    equipment = await parts.equip(job)
    rules = equipment.mandate.rules
    view = await parts.registry.view_journal(job.id)
    source, reader = equipment.source(), equipment.reader()
    try:
        key = await find_object(rules, view, source, text)
        ports = Ports(
            source=source,
            target=Planning(reader),
            journal=view,
            clock=parts.clock,
            entropy=parts.entropy,
        )
        return key, rules, await explain_one(equipment.mandate, ports, key)
    finally:
        await reader.close()
        await source.close()


# as text


def _show(key: EntryKey, told: Explanation, mapping: ObjectMapping) -> None:
    standing = told.standing
    name = name_of(standing.source.attributes) if standing.source else ""
    say(f"{mapping.name}: {key.kind} {clean(key.anchor)} {clean(name)}".rstrip())
    say(f"  1 import      {_import_text(standing)}")
    _show_scope(told)
    _show_match(told)
    say("  4 map")
    for explained in told.values:
        _show_value(explained, is_redacted(mapping, explained.target))
    _show_decision(told, mapping)
    for title, escrow in (("escrow", standing.escrow), ("references", standing.references_escrow)):
        if escrow is not None:
            _show_escrow(title, escrow)


def _import_text(standing: Standing) -> str:
    if standing.absence is not None:
        return f"not in the source ({standing.absence.value} since {moment(standing.absent_since)})"
    if standing.source is None:
        return "never seen in the source"
    return f"read {len(standing.source.attributes)} attributes"


def _show_scope(told: Explanation) -> None:
    facts = told.decision.facts if told.decision else None
    if facts is None:
        say("  2 scope       not decided")
    else:
        words = (
            f"active: {_yes(facts.is_active)}, assigned: {_yes(facts.is_assigned)}, "
            f"filter: {'passes' if facts.passes_filter else 'leaves it out'}"
        )
        say(f"  2 scope       {words}")
    for clause, holds, _ in told.clauses:
        say(f"      {clean(clause)}: {_yes(holds)}")


def _show_match(told: Explanation) -> None:
    link = told.standing.link
    if link is not None:
        state = "" if link.state.value == "managed" else f" ({link.state.value})"
        say(f"  3 match       linked to {clean(link.target)}{state}")
    elif not told.queries:
        say("  3 match       no matching attribute has a value")
    else:
        say(f"  3 match       {_found_text(told)}")
    for query in told.queries:
        mark = "  ← found by this" if told.sighting.matched_by == query else ""
        say(f"      {_query_text(query)}{mark}")


def _found_text(told: Explanation) -> str:
    found = told.sighting.found
    if told.sighting.taken_by is not None:
        return f"{clean(found[0].anchor)}, which {told.sighting.taken_by.anchor} governs already"
    if not found:
        return "no object in the target matches"
    names = ", ".join(clean(entry.anchor) for entry in found)
    return names if len(found) == 1 else f"several objects match: {names}"


def _query_text(query: MatchQuery) -> str:
    return f"{query.attribute} = {value_text(text_of(query.value))}"


def _show_value(explained: Explained, is_redacted: bool) -> None:
    whole = explained.steps[0] if explained.steps else None
    value = REDACTED if is_redacted else _answer_text(whole.value) if whole else "(none)"
    error = f"  error: {clean(str(whole.error))}" if whole and whole.error else ""
    say(f"      {explained.target} ← {explained.expression} = {value}{error}")
    if is_redacted:
        return
    for step in explained.steps[1:]:
        if step.text.startswith('"'):
            continue  # a constant says what it is
        result = f"error: {clean(str(step.error))}" if step.error else _answer_text(step.value)
        say(f"        {'  ' * step.level}{clean(step.text)} = {result}")


def _answer_text(value: Answer) -> str:
    """Return a value as people read it; several in brackets, and what is no value by its name."""
    match value:
        case tuple():
            return f"[{', '.join(value_text(text_of(one)) for one in value)}]"
        case None | str() | int() | bytes() | datetime() | Reference():
            return value_text(text_of(value))
        case _:
            return value_text(str(value))


def _show_decision(told: Explanation, mapping: ObjectMapping) -> None:
    if told.decision is None:
        say(f"  5 decide      not decided: {clean(told.problem)}")
    else:
        decision = told.decision
        why = f", {decision.code}" if decision.code else ""
        say(
            f"  5 decide      {decision.action.value} (row {decision.row}, "
            f"{decision.situation.value}{why})"
        )
        for change in visible_changes(decision, mapping):
            say(f"      {change_text(change)}")
    if told.references:
        say("  6 references")
    for change in told.references:
        say(f"      {change_text(change)}")


def _show_escrow(title: str, escrow: Escrow) -> None:
    say(f"  {title}: {escrow.code}: {clean(escrow.reason)}")
    say(f"      failed {escrow.attempts} times since {moment(escrow.first_failed_at)}")
    say(f"      next attempt at {moment(escrow.retry_at)}, or when it changes")


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
