"""The real store answers every question as the one in memory does, whatever was done before."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from provisor.errors import AdapterError
from provisor.model.cycles import CycleKind
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Create,
    Decision,
    Delete,
    Echo,
    Escrowed,
    Export,
    Image,
    Keep,
    Link,
    LinkState,
    ReferencesChange,
    Refuse,
    Resolution,
    Settled,
    Situation,
    Span,
    Standing,
    StandingKey,
    TargetChange,
    Update,
    Verdict,
)
from provisor.model.entries import (
    Absence,
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    ReadFault,
    Reference,
    Value,
    Watermark,
)
from provisor.model.frozen import replace
from provisor.model.jobs import Asked, Progress, ResetScope
from provisor.ports import Journal, Ledger, Listed, Observation, RecordQuery, Wanted
from provisor.store.memory import MemoryStore
from provisor.store.postgresql import PostgresStore
from provisor.store.sql.registry import SqlStore
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import (
    GROUPS,
    JOB,
    KINDS,
    MINUTE,
    SHOWN,
    START,
    TARGET_KINDS,
    USERS,
    decision,
    ended,
    escrow,
    gone,
    job,
    key,
    mapping,
    now_or_never,
    record,
    seen,
    touched,
)
from tests.worlds import pgstores

KEYS = [key("a"), key("b"), key("c"), key("é"), key("g", GROUPS), key("h", GROUPS)]
TARGETS = ["t1", "t2", "t3"]
QUERIES = [
    MatchQuery("User", "userName", "Ada"),
    MatchQuery("User", "userName", "ada"),
    MatchQuery("User", "number", 1),
    MatchQuery("User", "number", True),
    MatchQuery("Group", "displayName", "ada"),
]

keys = st.sampled_from(KEYS)
targets = st.sampled_from(TARGETS)
sets_of_keys = st.frozensets(keys, max_size=4)
referred = st.sampled_from([Reference(KINDS[k.mapping], k.anchor) for k in KEYS])
target_references = st.sampled_from([Reference("User", Anchor(t)) for t in TARGETS])
values: st.SearchStrategy[Value] = st.sampled_from(
    ["Ada", "ada", "", 1, True, 2**70, b"\x00", START, (), ("x", "y"), "half \ud800 a character"]
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "displayName": values,
        "mail": values,
        "manager": referred,
        "members": st.lists(referred, max_size=3).map(tuple),
    },
)
images = st.fixed_dictionaries({}, optional={"userName": values, "title": values})


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    of = draw(keys)
    form = draw(st.sampled_from(["seen", "seen", "gone", "touched"]))
    match form:
        case "seen":
            made = seen(of, **draw(entries))
        case "gone":
            made = gone(of, draw(st.sampled_from(Absence)))
        case _:
            made = touched(of)
    return replace(made, is_counted=draw(st.booleans()))


@st.composite
def links(draw: st.DrawFn) -> Link:
    image = draw(st.none() | images)
    version = draw(st.sampled_from([None, "v1"]))
    return Link(
        Anchor(draw(targets)),
        None if image is None else Image(image, version),
        draw(st.sampled_from(LinkState)),
        draw(st.booleans()),
    )


@st.composite
def resolutions(draw: st.DrawFn) -> Resolution:
    queries = tuple(draw(st.lists(st.sampled_from(QUERIES), max_size=2)))
    anchor = Anchor(draw(targets))
    carried = draw(st.sampled_from([{}, {"manager": Reference("User", Anchor("t1"))}]))
    return draw(
        st.sampled_from(
            [
                Export(Create("User", carried, queries), {}),
                Export(Update("User", anchor, ()), {}),
                Export(Delete("User", anchor), {}),
                Keep(draw(links())),
                Keep(None),
                Refuse("Nope", "no"),
            ]
        )
    )


@st.composite
def decisions(draw: st.DrawFn, of: StandingKey) -> Decision:
    situation, action = draw(st.sampled_from(Situation)), draw(st.sampled_from(Action))
    return decision(of, draw(resolutions()), situation, action)


changes: st.SearchStrategy[TargetChange] = st.one_of(
    st.builds(AttributeChange, st.just("manager"), st.none(), st.none() | target_references),
    st.builds(
        ReferencesChange,
        st.just("members"),
        st.frozensets(target_references, max_size=2),
        st.frozensets(target_references, max_size=2),
    ),
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    certain = draw(st.frozensets(target_references, max_size=2))
    return Span(certain, certain | draw(st.frozensets(target_references, max_size=2)))


@st.composite
def one_step(
    draw: st.DrawFn, standing: Standing, cycle: str, now: datetime
) -> Callable[[Journal], Awaitable[object]]:
    """Draw an attempt or what came of one."""
    of = standing.key
    if draw(st.booleans()):
        made = draw(decisions(of))
        return lambda j: j.attempt(standing, made, now)
    to, told = draw(st.none() | links()), record(of, cycle=cycle, at=now)
    carried = draw(st.none() | st.dictionaries(st.just("manager"), spans()))
    outcome = draw(st.sampled_from([Settled(to), Escrowed(code="x", reason="y")]))
    held = escrow(now + 30 * MINUTE) if isinstance(outcome, Escrowed) else None
    return lambda j: j.settle(standing, outcome, held, told, keeps_attempt=False, referred=carried)


@cache
def fresh_store() -> Path:
    """Return a store that was made once, to be copied."""
    folder = Path(tempfile.mkdtemp())
    SqliteStore(folder / "store.db").close()
    return folder / "store.db"


class TwoStores(RuleBasedStateMachine):
    """Does the same to both, in any order, sensible or not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.real = self.empty()
        self.stores = (MemoryStore(), self.real)
        for store in self.stores:
            now_or_never(store.put_job(job()))
        self.now = START
        self.cycles = 0
        self.is_running = False
        self.journals: tuple[Journal, Journal]
        self.open()

    def teardown(self) -> None:
        self.real.close()
        self.folder.cleanup()

    def empty(self) -> SqlStore:
        return SqliteStore(Path(copy(fresh_store(), self.folder.name)))

    def open(self) -> None:
        memory, real = (now_or_never(s.open_journal(JOB, "test")) for s in self.stores)
        self.journals = (memory, real)

    def ledgers(self) -> tuple[Ledger, Ledger]:
        memory, real = self.stores
        return memory.ledger, real.ledger

    def same(self, ask: Callable[[Any], Any], places: tuple[Any, Any] | None = None) -> Any:
        """Ask both; return the answer on which they agree."""
        memory, real = (_answer(ask, one) for one in places or self.journals)
        assert memory == real
        return memory

    def known(self, of: StandingKey) -> Any:
        found = self.same(lambda j: j.recall([of]))
        return found[0] if found else None

    # the job's frame

    @rule(data=st.data(), policy=st.sampled_from(["p", "q"]), rereads=st.booleans())
    def adopt(self, data: st.DataObject, policy: str, rereads: bool) -> None:
        names = data.draw(st.permutations([USERS, GROUPS]))
        rules = {
            name: mapping(
                name,
                data.draw(st.sampled_from("12")),
                shown=data.draw(st.sampled_from([SHOWN, SHOWN[:1], ("mail",)])),
                is_enabled=data.draw(st.booleans()),
            )
            for name in names
            if data.draw(st.booleans()) or name is USERS
        }
        self.same(lambda j: j.adopt(rules, policy, rereads=rereads))

    @rule(chosen=sets_of_keys)
    def assign(self, chosen: frozenset[StandingKey]) -> None:
        assigned = {
            name: frozenset(k.anchor for k in chosen if k.mapping == name) for name in KINDS
        }
        self.same(lambda j: j.assign(assigned))

    @rule(kind=st.sampled_from(CycleKind))
    def begin_cycle(self, kind: CycleKind) -> None:
        self.cycles, self.is_running = self.cycles + 1, True
        self.same(lambda j: j.begin_cycle(f"c{self.cycles}", kind, self.now))

    @precondition(lambda self: self.is_running)
    @rule()
    def end_cycle(self) -> None:
        self.is_running = False
        cycle = ended(f"c{self.cycles}", self.now, self.same(lambda j: j.recount()))
        self.same(lambda j: j.end_cycle(cycle))

    @rule(units=st.integers(0, 9))
    def progress(self, units: int) -> None:
        progress = Progress(
            completed_units=units, total_units=9, units="objects", observed_at=self.now
        )
        self.same(lambda j: j.progress(progress))

    @rule(asked=st.none() | st.sampled_from(Asked))
    def ask(self, asked: Asked | None) -> None:
        self.same(lambda s: s.ask(JOB, asked), self.stores)

    @rule(flags=st.integers(0, 15))
    def reset(self, flags: int) -> None:
        self.same(lambda j: j.reset(ResetScope(flags)))

    @rule(minutes=st.integers(1, 3000))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule()
    def take_over(self) -> None:
        self.open()

    # reading the source

    @rule()
    def begin_snapshot(self) -> None:
        self.same(lambda j: j.begin_snapshot())

    @rule(page=st.lists(observations(), max_size=6), watermark=st.sampled_from([None, "w"]))
    def absorb(self, page: list[Observation], watermark: str | None) -> None:
        mark = None if watermark is None else Watermark(watermark)
        self.same(lambda j: j.absorb(page, mark, self.now))

    @rule(count=st.integers(0, 2))
    def note_faults(self, count: int) -> None:
        fault = ReadFault(kind="user", where="people.csv, line 3", message="no anchor")
        self.same(lambda j: j.note_faults([fault] * count, self.now))

    @rule(watermark=st.sampled_from([None, "x"]))
    def advance(self, watermark: str | None) -> None:
        mark = None if watermark is None else Watermark(watermark)
        self.same(lambda j: j.advance(mark))

    @rule(digest=st.sampled_from(["", "d1", "d2"]))
    def hold_snapshot(self, digest: str) -> None:
        self.same(lambda j: j.hold_snapshot(digest, "it shrank", self.now))

    @rule()
    def release_snapshot(self) -> None:
        self.same(lambda j: j.release_snapshot())

    @rule()
    def expire(self) -> None:
        self.same(lambda j: j.expire(self.now - 60 * MINUTE))

    # looking at the target

    @rule(is_indexed=st.booleans())
    def begin_listing(self, is_indexed: bool) -> None:
        self.same(lambda j: j.begin_listing(is_indexed=is_indexed))

    @rule(data=st.data(), repairs=st.booleans())
    def list_target(self, data: st.DataObject, repairs: bool) -> None:
        listed = [
            Listed(
                Entry(data.draw(st.sampled_from(["User", "Group"])), Anchor(t), data.draw(images)),
                tuple(data.draw(st.lists(st.sampled_from(QUERIES), max_size=2))),
            )
            for t in data.draw(st.lists(targets, max_size=3))
        ]
        self.same(lambda j: j.list_target(listed, repairs=repairs))

    @rule(kinds=st.frozensets(st.sampled_from(["User", "Group"])), is_complete=st.booleans())
    def end_listing(self, kinds: frozenset[str], is_complete: bool) -> None:
        self.same(lambda j: j.end_listing(kinds, is_complete=is_complete))

    # one object

    @rule(chosen=sets_of_keys)
    def doubt(self, chosen: frozenset[StandingKey]) -> None:
        self.same(lambda j: j.doubt(sorted(chosen)))

    @rule(of=keys, is_held=st.booleans(), unsettles=st.booleans())
    def let_be(self, of: StandingKey, is_held: bool, unsettles: bool) -> None:
        known = {"title": Echo("0" * 16, 3, is_accepted=True)} if is_held else {}
        self.same(lambda j: j.let_be({of: known}, unsettles=unsettles))

    @rule(of=keys, data=st.data())
    def attempt(self, of: StandingKey, data: st.DataObject) -> None:
        standing = self.known(of)
        if standing is not None:
            made = data.draw(decisions(of))
            self.same(lambda j: j.attempt(standing, made, self.now))

    @rule(of=keys, data=st.data(), keeps_attempt=st.booleans(), is_exported=st.booleans())
    def settle(
        self, of: StandingKey, data: st.DataObject, keeps_attempt: bool, is_exported: bool
    ) -> None:
        standing = self.known(of)
        if standing is None:
            return
        to = data.draw(st.none() | links())
        outcome = data.draw(
            st.sampled_from([Settled(to), Settled(to), Escrowed(code="x", reason="y")])
        )
        held = escrow(self.now + 30 * MINUTE) if isinstance(outcome, Escrowed) else None
        told = record(
            of,
            cycle=f"c{self.cycles}",
            verdict=data.draw(st.sampled_from(Verdict)),
            at=self.now,
            is_exported=is_exported,
            is_export_due=is_exported or data.draw(st.booleans()),
        )
        carried = data.draw(st.none() | st.dictionaries(st.just("manager"), spans()))
        self.same(
            lambda j: j.settle(
                standing, outcome, held, told, keeps_attempt=keeps_attempt, referred=carried
            )
        )

    @rule(chosen=st.lists(keys, min_size=2, max_size=5), data=st.data())
    def several_at_once(self, chosen: list[StandingKey], data: st.DataObject) -> None:
        """Steps that are asked for in one turn, each from what was remembered before the first."""
        steps: list[Callable[[Journal], Awaitable[object]]] = []
        for of in chosen:
            standing = self.known(of)
            if standing is not None:
                steps.append(data.draw(one_step(standing, f"c{self.cycles}", self.now)))
        self.same(lambda j: _together(steps, j))

    @rule(of=keys, verdict=st.sampled_from(Verdict))
    def record(self, of: StandingKey, verdict: Verdict) -> None:
        told = record(of, cycle=f"c{self.cycles}", verdict=verdict, at=self.now)
        self.same(lambda j: j.record(told))

    @rule(chosen=sets_of_keys)
    def let_go(self, chosen: frozenset[StandingKey]) -> None:
        self.same(lambda j: j.let_go(sorted(chosen)))

    @rule()
    def drop_claims(self) -> None:
        self.same(lambda j: j.drop_claims())

    @rule(chosen=sets_of_keys, lag=st.integers(0, 1))
    def stage(self, chosen: frozenset[StandingKey], lag: int) -> None:
        held = {s.key: s.seen - lag for s in self.same(lambda j: j.recall(sorted(chosen)))}
        self.same(lambda j: j.stage(held, self.now))

    @rule(chosen=sets_of_keys)
    def stage_references(self, chosen: frozenset[StandingKey]) -> None:
        held = {s.key: s.references_seen for s in self.same(lambda j: j.recall(sorted(chosen)))}
        self.same(lambda j: j.stage_references(held, self.now))

    @rule()
    def approve(self) -> None:
        view = self.same(lambda s: s.staged(JOB), self.stores)
        self.same(lambda s: s.approve(JOB, view.hash, "ada", self.now), self.stores)

    # references

    @rule(of=keys, made=st.lists(changes, max_size=2))
    def attempt_references(self, of: StandingKey, made: list[TargetChange]) -> None:
        standing = self.known(of)
        if standing is not None:
            self.same(lambda j: j.attempt_references(standing, made, self.now))

    @rule(of=keys, made=st.lists(changes, max_size=2), is_done=st.booleans())
    def settle_references(self, of: StandingKey, made: list[TargetChange], is_done: bool) -> None:
        standing = self.known(of)
        if standing is None:
            return
        outcome = Settled(None) if is_done else Escrowed(code="x", reason="y")
        held = None if is_done else escrow(self.now + 30 * MINUTE)
        self.same(lambda j: j.settle_references(standing, made, outcome, held, None))

    # what they are asked

    @invariant()
    def both_remember_the_same(self) -> None:
        self.same(lambda j: j.recall(KEYS))
        for name in ("watermark", "is_initial", "is_wanted", "status", "recount", "links"):
            self.same(lambda j, name=name: getattr(j, name)())
        for name in ("population", "shown", "missing", "members", "staged_since"):
            self.same(lambda j, name=name: getattr(j, name)())

    @invariant()
    def both_find_the_same_due(self) -> None:
        for at in (self.now, self.now + 31 * MINUTE):
            for name in ("due", "due_departures", "due_unseen", "due_references", "superiors"):
                self.same(lambda j, name=name, at=at: getattr(j, name)(at))

    @invariant()
    def both_find_the_same_at_rest(self) -> None:
        asked = Wanted(frozenset(("name", "manager")), frozenset(("userName", "title")))
        for name in KINDS:
            at_rest = self.same(lambda j, name=name: j.at_rest(name, asked, None, 99))
            astir = self.same(lambda j, name=name: j.astir(name))
            known = {s.key for s in self.same(lambda j: j.recall(KEYS))}
            resting = {StandingKey(name, one.anchor) for one in at_rest}
            assert resting | set(astir) == {key for key in known if key.mapping == name}
            assert resting.isdisjoint(astir)
            if at_rest:
                first = at_rest[0].anchor
                assert (
                    self.same(lambda j, n=name, a=first: j.at_rest(n, asked, a, 99))
                    == (at_rest[1:])
                )
        for one in KEYS:
            pointed_at = EntryKey(KINDS[one.mapping], one.anchor)
            self.same(lambda j, pointed_at=pointed_at: j.referrers([pointed_at]))

    @invariant()
    def both_see_the_same_owners(self) -> None:
        self.same(lambda j: j.anchors(KEYS))
        for kind in TARGET_KINDS.values():
            for target in TARGETS:
                found = Entry(kind, Anchor(target), {})
                self.same(lambda j, found=found: j.owner(found, QUERIES[2:4]))
        for one in QUERIES:
            unlinked = Entry("User", Anchor("nobody's"), {})
            self.same(lambda j, one=one, found=unlinked: j.owner(found, [one]))
            self.same(lambda j, one=one: j.listed(one))

    @invariant()
    def both_say_the_same_from_outside(self) -> None:
        self.same(lambda s: s.staged(JOB), self.stores)
        self.same(lambda s: s.running(JOB), self.stores)
        self.same(lambda s: s.audited(9), self.stores)
        self.same(lambda j: j.departed(self.now - timedelta(days=1)))
        self.same(lambda j: j.members_removed(self.now - timedelta(days=1)))
        for text in ("Ada", "é", "t1", ""):
            self.same(lambda j, text=text: j.lookup(text, 3))

    @invariant()
    def both_log_the_same(self) -> None:
        places = self.ledgers()
        self.same(lambda one: one.cycles(JOB, 9), places)
        for wanted in (RecordQuery(), RecordQuery(verdict="failure", is_descending=False)):
            self.same(lambda one, wanted=wanted: one.records(wanted), places)

    @rule()
    def fold(self) -> None:
        self.same(lambda one: one.fold(self.now - 60 * MINUTE), self.ledgers())

    @rule()
    def an_overlay_is_another_place_for_the_same(self) -> None:
        memory, real = (now_or_never(s.overlay_journal(JOB)) for s in self.stores)
        self.same(lambda j: j.doubt(KEYS), (memory, real))
        self.same(lambda j: j.recall(KEYS), (memory, real))
        self.same(lambda j: j.recount(), (memory, real))


def _answer(ask: Callable[[Any], Any], place: Any) -> Any:
    """Return what is answered, or what is raised: both must be the same."""
    try:
        return now_or_never(ask(place))
    except AdapterError as error:
        return type(error), error.code


async def _together(
    steps: Sequence[Callable[[Journal], Awaitable[object]]], journal: Journal
) -> list[object]:
    """Ask for all in one turn of an event loop; return what each answered, or raised."""

    async def all_of_them() -> list[object]:
        return await asyncio.gather(*(one(journal) for one in steps), return_exceptions=True)

    said = asyncio.run(all_of_them())
    return [(type(a), a.code) if isinstance(a, AdapterError) else a for a in said]


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(stateful_step_count=30)


class OnPostgres(TwoStores):
    """The same, with a store on PostgreSQL."""

    address = ""

    def empty(self) -> SqlStore:
        pgstores.empty(self.address)
        return PostgresStore(self.address)


@pytest.fixture
def on_postgres(pg_address: str) -> None:
    OnPostgres.address = pg_address


TestOnPostgres = pytest.mark.usefixtures("on_postgres")(OnPostgres.TestCase)
TestOnPostgres.settings = settings(stateful_step_count=25, max_examples=12)
