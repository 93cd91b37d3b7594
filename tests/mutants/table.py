"""Which cures are broken, how, and which law is to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    law: str
    """A test, as pytest names it under tests/simulation; several are separated by blanks."""
    edits: tuple[Edit, ...]


CONVERGES = "test_convergence.py::test_the_target_converges[memory]"
COUNTS_ON_FILE = "test_counts.py::test_a_recount_gives_the_same_numbers[sqlite]"
ADMINISTERED = "test_convergence.py::test_the_target_converges_under_administration[memory]"
RECONCILES = "test_convergence.py::test_a_reconcile_takes_back_what_others_changed[memory]"
SNAPSHOTS = "test_snapshots.py::test_only_a_true_absence_removes[memory]"
GUARD = "test_guard.py::test_departures_stay_within_the_limit[memory]"
TIME = "test_guard.py::test_time_alone_releases_nothing"
MEMBERS = "test_guard.py::test_members_are_not_removed_in_masses_unless_approved[memory]"
FENCING = "test_fencing.py::test_a_sleeper_wakes_to_no_effect[memory]"
FENCING_ON_FILE = "test_fencing.py::test_a_sleeper_wakes_to_no_effect[sqlite]"
PLANS = "test_plans.py::test_nothing_is_written_that_was_not_planned[memory]"
FORESIGHT = "test_plans.py::test_a_plan_says_exactly_what_the_next_cycle_writes[memory]"
COUNTS = "test_counts.py::test_a_recount_gives_the_same_numbers[memory]"
HELD = "test_counts.py::test_a_recount_gives_the_same_numbers_while_departures_are_held[memory]"
FINDINGS = "test_findings.py"
ONE_OBJECT = "../contracts/store/test_one_object.py"
MONTH = "test_snapshots.py::test_who_is_absent_is_disabled_and_deleted_a_month_later"
EMPTY = "test_snapshots.py::test_an_empty_read_fails_the_cycle_and_keeps_what_was_known"

CYCLE = "provisor/engine/cycle.py"
REFERENCES = "provisor/engine/references.py"
IMPORTS = "provisor/engine/imports.py"
PROVISION = "provisor/engine/provision.py"
GATE = "provisor/engine/gate.py"
WEIGH = "provisor/planner/weigh.py"
DECIDE = "provisor/planner/decide.py"
STATUS = "provisor/planner/status.py"
TRANSITIONS = "provisor/store/transitions.py"
MEMORY = "provisor/store/memory/journal.py"
EXPECTED = "provisor/store/expected.py"
MEMORY_BULK, MEMORY_DESK, MEMORY_STEPS = (
    f"provisor/store/memory/{name}.py" for name in ("bulk", "desk", "steps")
)

NO_LOOK_UP = Edit(
    IMPORTS,
    "entry = None if receipt.is_atomic else await work.ports.source.fetch(asked)",
    "entry = None",
)
DOUBTS = "doubt = disbelieve(receipt, shown, before, work.mandate.policy.guards)"


def mutant(name: str, law: str, *edits: Edit) -> Mutant:
    return Mutant(name, law, edits)


MUTANTS = (
    # what the target says
    mutant(
        "an attempt keeps the image trusted",
        FINDINGS,
        Edit(
            TRANSITIONS,
            "link = Link(anchor, None, _state_of_attempt(current.link, decision), is_ours, echoes)",
            "link = Link(anchor, current.link.image if current.link else None,"
            " _state_of_attempt(current.link, decision), is_ours, echoes)",
        ),
    ),
    mutant(
        "a departure trusts the image",
        FINDINGS,
        Edit(
            DECIDE,
            "return has_image and not reads_always and is_wanted",
            "return has_image and not reads_always",
        ),
    ),
    mutant(
        "an attempt keeps a returning link released",
        FINDINGS,
        Edit(
            TRANSITIONS,
            "        return LinkState.MANAGED\n    if link is None",
            "        return link.state if link else LinkState.MANAGED\n    if link is None",
        ),
    ),
    mutant(
        "an edit trusts images that lack what it asks for",
        f"test_schema_edits.py {ADMINISTERED}",
        Edit(
            "provisor/store/frame.py",
            "return is_in_force and is_same_kind and self.shown.items() >= other.shown.items()",
            "return is_in_force and is_same_kind",
        ),
    ),
    mutant(
        "an edit doubts every image",
        "test_schema_edits.py",
        Edit(
            TRANSITIONS,
            "known = standing if keeps_image else in_doubt(standing)",
            "known = in_doubt(standing)",
        ),
    ),
    mutant(
        "what is no longer mapped counts as drift",
        "../contracts/store/test_looking_at_the_target.py",
        Edit(
            TRANSITIONS,
            "before = some(told.attributes, shown) if told else NO_ATTRIBUTES",
            "before = told.attributes if told else NO_ATTRIBUTES",
        ),
    ),
    mutant(
        "a reconcile does not ask who is in groups",
        RECONCILES,
        Edit(CYCLE, "        await call_the_roll(work)", "        pass"),
    ),
    mutant(
        "whom a target does not show is ours no longer",
        "test_rollcall.py",
        Edit(
            TRANSITIONS,
            "name: Span(span.certain - missing, span.possible)}",
            "name: Span(span.certain - missing, span.possible - missing)}",
        ),
    ),
    mutant(
        "a read that was not whole takes people out of groups",
        FINDINGS,
        Edit(CYCLE, "        work.doubts.append(tally.error.code)", "        pass"),
    ),
    # unanswered creates, and claims
    mutant(
        "the attempt is dropped",
        CONVERGES,
        Edit(
            TRANSITIONS,
            "return replace(current, link=link, attempt=queries, referred=referred)",
            "return replace(current, link=link, attempt=(), referred=referred)",
        ),
    ),
    mutant(
        "a refusal forgets the attempt",
        CONVERGES,
        Edit(
            PROVISION,
            "keeps_attempt = is_unsent and not _answers_attempt(decision)",
            "keeps_attempt = False",
        ),
    ),
    mutant(
        "a create claims no value",
        ONE_OBJECT,
        Edit(
            TRANSITIONS,
            "case Export(Create(answers_to=queries)):\n            return queries",
            "case Export(Create(answers_to=queries)):\n            return queries[:0]",
        ),
    ),
    mutant(
        "a claim ignores the governor",
        ONE_OBJECT,
        Edit(
            MEMORY_STEPS,
            "if predecessor is not None and not transitions.is_ceded(predecessor):",
            "if predecessor is not None and not predecessor:",
        ),
    ),
    mutant(
        "an unanswered create owns nothing",
        FINDINGS,
        Edit(MEMORY, "return awaiting[0] if awaiting else None", "return None"),
    ),
    mutant(
        "a create refused the second time is not looked for",
        f"{FINDINGS} {CONVERGES}",
        Edit(PROVISION, "is_unseen = is_create and", "is_unseen = False and"),
    ),
    mutant(
        "a second try refused is not looked for",
        f"{FINDINGS} {RECONCILES}",
        Edit(
            PROVISION,
            "keeps_attempt = keeps_attempt or _is_create(decision)\n    except Unanswered",
            "pass\n    except Unanswered",
        ),
    ),
    mutant(
        "an escrow is forgotten",
        CONVERGES,
        Edit(TRANSITIONS, "escrow=escrow,\n        staged=", "escrow=None,\n        staged="),
    ),
    # restarts
    mutant(
        "claims are dropped at once",
        f"{FINDINGS} {ADMINISTERED}",
        Edit(
            TRANSITIONS,
            "return replace(standing, link=link, referred=uncertain(standing.referred))",
            "return replace(standing, link=None, referred=dict[str, Span]())",
        ),
    ),
    mutant(
        "a claim forgets whom it pointed at",
        FINDINGS,
        Edit(
            TRANSITIONS,
            "return replace(standing, link=link, referred=uncertain(standing.referred))",
            "return replace(standing, link=link, referred=dict[str, Span]())",
        ),
    ),
    mutant(
        "a successor forgets whom its predecessor pointed at",
        FINDINGS,
        Edit(
            TRANSITIONS,
            "referred = uncertain(predecessor.referred) if predecessor else",
            "referred = dict[str, Span]() if predecessor else",
        ),
    ),
    mutant(
        "a reference that travels with an update is not remembered",
        f"{FINDINGS} {CONVERGES}",
        Edit(
            PROVISION,
            "        if told:\n            return told",
            "        if told:\n            return None",
        ),
    ),
    mutant(
        "removals of members are weighed by the cycle",
        MEMBERS,
        Edit(WEIGH, "return self.removed + self.earlier > max(", "return self.removed > max("),
    ),
    mutant(
        "who is not linked again yet leaves his groups",
        FINDINGS,
        Edit(
            "provisor/planner/references.py",
            "span.possible - desired - claimed",
            "span.possible - desired",
        ),
    ),
    mutant(
        "claims are dropped though their objects are still to be tried",
        f"{FINDINGS} {ADMINISTERED}",
        Edit(
            TRANSITIONS,
            "return is_claim and standing.staged is None and not is_open",
            "return is_claim and standing.staged is None",
        ),
    ),
    mutant(
        "changed rules unsettle nobody",
        FINDINGS,
        Edit(EXPECTED, "if keeps_image is not None:", "if keeps_image == ():"),
        Edit(MEMORY_BULK, "if is_new and rereads:", "if is_new < rereads:"),
    ),
    # absence
    mutant("absence is concluded without a look-up", SNAPSHOTS, NO_LOOK_UP),
    mutant(
        "receipts are not checked, and nobody is looked up",
        SNAPSHOTS,
        NO_LOOK_UP,
        Edit(IMPORTS, DOUBTS, f"{DOUBTS} and None"),
    ),
    mutant(
        "an empty read is believed",
        EMPTY,
        NO_LOOK_UP,
        Edit("provisor/planner/receipts.py", "        if not now:\n", "        if now < 0:\n"),
    ),
    mutant(
        "faulty kinds are swept too",
        SNAPSHOTS,
        Edit(
            IMPORTS,
            "swept = [k for k in missing if work.of(k).mapping.source_kind not in receipt.void]",
            "swept = list(missing)",
        ),
    ),
    mutant(
        "the watermark passes a read that is not believed",
        SNAPSHOTS,
        Edit(
            IMPORTS,
            "        _complain(tally, doubt)\n        return\n    assert receipt",
            "        _complain(tally, doubt)\n"
            "        await journal.advance(receipt.watermark if receipt else None)\n"
            "        return\n    assert receipt",
        ),
    ),
    mutant(
        "the absent are never taken for deleted",
        MONTH,
        Edit(IMPORTS, "if delete_after is not None and tally", "if delete_after is None and tally"),
    ),
    # the guard
    mutant(
        "departures are not remembered",
        GUARD,
        Edit(MEMORY_STEPS, "desk.job.departures[key] = now", "pass"),
    ),
    mutant(
        "an approval survives a change",
        GUARD,
        Edit(
            WEIGH,
            "return staged is not None and staged.is_approved and staged.seen == standing.seen",
            "return staged is not None and staged.is_approved",
        ),
        Edit(
            TRANSITIONS,
            "return staged is not None and staged.is_approved and staged.seen == seen",
            "return staged is not None and staged.is_approved",
        ),
        Edit(
            TRANSITIONS,
            "return old if old.seen == seen else Staged(old.at, seen)",
            "return old",
        ),
    ),
    mutant(
        "an approval survives its use",
        GUARD,
        Edit(
            TRANSITIONS,
            "spans, waits = _spans_of(current, link), None",
            "spans, waits = _spans_of(current, link), current.staged",
        ),
        Edit(
            WEIGH,
            "return staged is not None and staged.is_approved and staged.seen == standing.seen",
            "return staged is not None and staged.is_approved",
        ),
    ),
    mutant(
        "the window is not anchored at what is staged",
        TIME,
        Edit(WEIGH, "return min(now, staged_since or now) - WINDOW", "return now - WINDOW"),
    ),
    mutant(
        "a restart forgets what is staged",
        TIME,
        Edit(
            TRANSITIONS,
            "staged=_carried(new.staged, standing.seen, new.seen),",
            "staged=None,",
        ),
    ),
    mutant(
        "a released object counts as a departure",
        FINDINGS,
        Edit(
            "provisor/planner/leave.py",
            "if state in {LinkState.RELEASED, LinkState.DISABLED}:",
            "if state is LinkState.DISABLED:",
        ),
        Edit(
            TRANSITIONS,
            "return standing.absence is Absence.DELETED or bool(standing.attempt)",
            "return True",
        ),
    ),
    mutant(
        "members are removed unweighed",
        MEMBERS,
        Edit(
            WEIGH,
            "    if not held:\n        return WeighedMembers()",
            "    if held or not held:\n        return WeighedMembers()",
        ),
    ),
    # references
    mutant(
        "a new link stirs nobody",
        CONVERGES,
        Edit(
            MEMORY_DESK,
            "if is_moved and standing.source is not None:",
            "if is_moved and not standing:",
        ),
    ),
    mutant(
        "a lost answer does not widen the span",
        CONVERGES,
        Edit(
            TRANSITIONS,
            "return replace(doubted, referred=widen(current.referred, changes))",
            "return doubted",
        ),
    ),
    mutant(
        "leavers are not let go",
        f"{FINDINGS} {CONVERGES}",
        Edit(CYCLE, "journal.let_go(lane.deletes)", "journal.let_go(())"),
    ),
    mutant(
        "the staged are let go",
        FINDINGS,
        Edit(
            CYCLE,
            "journal.let_go(lane.deletes)",
            "journal.let_go([*lane.deletes, *lane.held])",
        ),
        Edit(  # two things keep them in their groups: each is enough
            REFERENCES,
            "if is_anything_staged and await _lets_go_of_staged(work, standing):",
            "if False and is_anything_staged and await _lets_go_of_staged(work, standing):",
        ),
    ),
    # fencing
    mutant(
        "the lease is not looked at",
        FENCING,
        Edit(
            PROVISION,
            "if ends is not None and work.ports.clock.now() >= ends:",
            "if ends is not None and work.ports.clock.now() < ends - ends.resolution * 10**15:",
        ),
    ),
    mutant(
        "the journal is not fenced",
        FENCING,
        Edit(MEMORY, "if self._epoch != self._job.epoch:", "if self._epoch > self._job.epoch:"),
    ),
    mutant(
        "the real store is not fenced",
        FENCING_ON_FILE,
        Edit(
            "provisor/store/sql/desk.py",
            "if row is None or row[0] != self._epoch:",
            "if row is None:",
        ),
    ),
    mutant(
        "a pause is not noticed",
        FINDINGS,
        Edit(
            "provisor/engine/work.py",
            "if not await work.ports.journal.is_wanted():",
            "if await work.ports.journal.is_wanted() is None:",
        ),
    ),
    # plans
    mutant(
        "the gate of a plan lets everything pass",
        PLANS,
        Edit(
            GATE,
            "        step = self._find(standing, is_reference_pass=False)\n",
            "        step = self.steps.get((standing.key, False))\n"
            "        if step is None:\n"
            "            return decision\n",
        ),
    ),
    mutant(
        "a plan's preconditions are not looked at",
        PLANS,
        Edit(
            GATE,
            "if step.action is not Action.STAGED_DELETE and step.precondition != now:",
            "if step.action is Action.STAGED_DELETE and step.precondition != now:",
        ),
        Edit(
            GATE,
            "return replace(decision, resolution=replace(resolution, write=planned_write))",
            "return decision",
        ),
    ),
    mutant(
        "a plan's references are not compared",
        PLANS,
        Edit(
            GATE,
            "if step.precondition != now or step.changes != await in_source_terms(work, changes):",
            "if step.precondition == '':",
        ),
    ),
    mutant(
        "a plan forgets references",
        FORESIGHT,
        Edit(
            GATE,
            "self.steps.append(await reference_step_of(work, standing, changes))",
            "await reference_step_of(work, standing, changes)",
        ),
    ),
    # numbers
    mutant(
        "counts are counted twice",
        COUNTS,
        Edit(
            "provisor/store/memory/count.py",
            "return len({r.key for r in records if holds(r)})",
            "return len([r.key for r in records if holds(r)])",
        ),
    ),
    mutant(
        "a steady state is claimed while departures are staged",
        HELD,
        Edit(
            "provisor/model/cycles.py",
            "return is_whole and not self.counts.staged and not self.counts.unsettled",
            "return self.result is not CycleResult.FAILED and not self.counts.unsettled",
        ),
    ),
    mutant(
        "a quarantine forgets its series",
        HELD,
        Edit(STATUS, "count = current.series_count + 1 if current else 1", "count = 1"),
    ),
    mutant(
        "a skip needs no reason",
        COUNTS,
        Edit(
            DECIDE,
            'code = "PerpetualPatch" if are_some_silenced else "RedundantExport"',
            'code = ""',
        ),
    ),
    # the real store
    mutant(
        "a transaction that fails is committed as far as it came",
        COUNTS_ON_FILE,
        Edit(
            "provisor/store/sqlite/connect.py",
            "            connection.rollback()\n",
            "            sqlite3.Connection.execute(connection, 'COMMIT')\n",
        ),
    ),
    # what is quicker
    mutant(
        "leavers wait for the end of a long cycle",
        "../unit/engine/test_lane.py",
        Edit(
            "provisor/engine/lane.py",
            "return not is_first and now >= self._again_at and isinstance(self.work.gate, Open)",
            "return False",
        ),
    ),
    mutant(
        "those who left during a cycle are not weighed",
        "../unit/engine/test_lane.py",
        Edit("provisor/engine/lane.py", "self.aside |= self.held | actions.keys()", "pass"),
    ),
    mutant(
        "a row that is gone is not noticed among those that are known",
        "../unit/connectors/csvfile/test_news.py",
        Edit("provisor/connectors/csvfile/news.py", "if not lost <= told:", "if not told:"),
    ),
)
