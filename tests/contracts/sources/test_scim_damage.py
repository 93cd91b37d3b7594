"""A SCIM service that breaks off, miscounts, repeats or forgets makes nobody look gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from provisor.connectors.scim.source import ScimSource
from provisor.errors import Denied, Unreachable, WatermarkExpired
from provisor.model.entries import Anchor, EntryKey, Page, Reference, Watermark
from provisor.testing.organisation import ORGANISATION, group, key, person
from provisor.testing.reading import (
    LateClock,
    Read,
    check_fetch_never_denies,
    check_no_false_absence,
    members,
    read,
    run,
    take,
)
from provisor.testing.world import Dice
from tests.contracts.sources.scim import FakeSubject, listening, settings
from tests.fakes.scim.switches import Fault, Switches

EVERYONE = {key(entry): entry for entry in ORGANISATION}
PAGES = ("Users?startIndex=1", "Users?startIndex=3", "Users?startIndex=5", "Groups?startIndex=1")
CURSORS = ("Users?cursor&", "Users?cursor=3", "Users?cursor=5", "Groups?cursor=3")


@pytest.fixture
def subject() -> Iterator[FakeSubject]:
    with listening(Switches()) as server:
        yield FakeSubject(server, has_changes=False)


async def told(subject: FakeSubject, *faults: Fault, **switched: object) -> Read:
    """Read a whole organisation from a service that is like this."""
    await subject.hold(*ORGANISATION)
    subject.fake.switches.set(switched)
    subject.fake.misbehave(*faults)
    found = await read(subject.source)
    check_no_false_absence(EVERYONE, found)
    subject.fake.misbehave()
    await check_fetch_never_denies(EVERYONE, subject.source)
    return found


@pytest.mark.parametrize("page", [*PAGES, *CURSORS])
@pytest.mark.parametrize(
    "fault",
    [
        {"what": "reset"},
        {"what": "lose"},
        {"what": "refuse", "status": 500},
        {"what": "refuse", "status": 503, "is_html": True},
        {"what": "refuse", "status": 404},
        {"what": "refuse", "status": 404, "is_html": True},
        {"what": "refuse", "status": 400},
        {"what": "refuse", "status": 204},
        {"what": "throttle", "retry_after": "3600"},
    ],
    ids=str,
)
def test_a_read_that_is_cut_off_at_any_page_proves_nothing(
    subject: FakeSubject, page: str, fault: Mapping[str, Any]
) -> None:
    by_cursor = page in CURSORS
    found = run(told(subject, Fault(path=page, **fault), has_cursors=by_cursor))
    assert found.receipt is None
    assert isinstance(found.error, Unreachable)


@pytest.mark.parametrize("status", [401, 403])
def test_permissions_that_are_lost_midway_prove_nothing(subject: FakeSubject, status: int) -> None:
    found = run(told(subject, Fault(what="refuse", path="startIndex=3", status=status)))
    assert found.receipt is None
    assert isinstance(found.error, Denied)


@pytest.mark.parametrize(
    ("lie", "is_whole"),
    [
        ({"miscounts": 1}, False),
        ({"miscounts": -1}, False),
        ({"miscounts": -4}, False),
        ({"ignores_start": True}, False),
        ({"repeats_last": True, "miscounts": 1}, False),
        ({"has_cursors": True, "repeats_cursor": True}, False),
        ({"has_cursors": True, "miscounts": 2}, False),
        ({"null_element": True}, True),
        ({"no_resources": True}, True),
        ({"page_max": 1}, True),
        ({"total_as_text": True}, True),
        ({"swaps_case": True}, True),
        ({"has_bom": True}, True),
        ({"has_cursors": True, "no_total": True}, True),
        ({"has_cursors": True, "cursors_expire": 2}, True),
        ({"members_in_lists": False}, True),
        ({"members_say_kind": False}, True),
        ({"members_say_kind": False, "members_in_lists": False, "has_cursors": True}, True),
    ],
    ids=str,
)
def test_a_service_that_counts_and_pages_as_it_likes_is_believed_only_where_it_fits(
    subject: FakeSubject, lie: Mapping[str, object], is_whole: bool
) -> None:
    found = run(told(subject, **lie))
    assert (found.receipt is not None) == is_whole
    if is_whole:
        assert found.entries == EVERYONE
        assert found.receipt is not None
        assert not found.receipt.void


def test_without_totals_and_cursors_nothing_is_proven_and_it_is_said_where(
    subject: FakeSubject,
) -> None:
    found = run(told(subject, no_total=True))
    assert found.entries == EVERYONE
    assert found.receipt is not None
    assert set(found.receipt.void) == {"User", "Group"}
    assert {fault.where.rpartition("/")[2] for fault in found.faults} == {"Users", "Groups"}


def test_cursors_that_always_expire_end_the_read(subject: FakeSubject) -> None:
    found = run(told(subject, has_cursors=True, cursors_expire=1_000))
    assert isinstance(found.error, Unreachable)
    assert found.error.code == "SourceReadIncomplete"


def test_paging_by_cursor_begins_without_a_value_and_is_never_mixed_with_index(
    subject: FakeSubject,
) -> None:
    run(told(subject, has_cursors=True))
    queries = [one.query for one in subject.fake.log if one.path.startswith("/Users") and one.query]
    pages = [query for query in queries if "cursor" in query]
    assert pages[0] == "cursor&count=2"
    assert all(query.startswith("cursor=") for query in pages[1:])
    assert not any("startIndex" in query for query in queries)


def test_a_deletion_and_a_creation_between_two_pages_are_asked_about(subject: FakeSubject) -> None:
    """Every total is right, and u3 has moved up into a page that was read already."""

    async def story() -> None:
        await subject.hold(*ORGANISATION)
        found = Read()
        async for part in subject.source.pull(None):
            take(found, part)
            if isinstance(part, Page) and len(found.pages) == 1:
                await subject.remove(EntryKey("User", Anchor("u1")))
                await subject.hold(person("u6", "Fay"))
        staying = {k: e for k, e in EVERYONE.items() if k.anchor != "u1" and k.kind == "User"}
        missed = {k for k in staying if k not in found.entries}
        assert missed or found.receipt is None, "this is the read that no count can prove"
        await check_fetch_never_denies(staying, subject.source)

    run(story())


def test_a_not_found_that_scim_did_not_say_is_looked_into(subject: FakeSubject) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        ada = EntryKey("User", Anchor("u1"))
        subject.fake.misbehave(Fault(what="refuse", path="/Users/u1", status=404, is_html=True))
        assert await subject.source.fetch(ada) == EVERYONE[ada]
        await subject.remove(ada)
        assert await subject.source.fetch(ada) is None
        subject.fake.misbehave(Fault(what="refuse", path="/Users", status=404, is_html=True))
        with pytest.raises(Unreachable):
            await subject.source.fetch(ada)

    run(story())


def test_a_look_at_one_that_shows_another_is_no_answer(subject: FakeSubject) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        subject.fake.switches.set({"answers_with_all": True})
        with pytest.raises(Unreachable):
            await subject.source.fetch(EntryKey("User", Anchor("u1")))

    run(story())


# changes by date


class Dated:
    """A source that asks for changes by date, and its clock."""

    def __init__(self, subject: FakeSubject, **chosen: object) -> None:
        self.clock = LateClock()
        chosen = {"changes": "timestamps", **chosen}
        self.source = ScimSource(settings(subject.server.url, **chosen), self.clock, Dice())

    async def mark(self) -> Watermark:
        found = await read(self.source)
        assert found.receipt is not None
        assert found.receipt.watermark is not None
        return found.receipt.watermark


def test_members_that_change_without_a_date_are_seen_in_the_next_read(subject: FakeSubject) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        dated = Dated(subject)
        since = await dated.mark()
        held = subject.fake.store.resources["Groups"]["g1"]
        held["members"] = [{"value": "u5", "type": "User"}]
        found = await read(dated.source, since)
        assert set(found.entries) == {EntryKey("Group", Anchor("g1"))}
        entry = found.entries[EntryKey("Group", Anchor("g1"))]
        assert members(entry) == {Reference("User", Anchor("u5"))}
        await dated.source.close()

    run(story())


@pytest.mark.parametrize("late_s", [0, 100, 299])
def test_what_is_dated_before_the_last_read_is_shown_within_the_overlap(
    subject: FakeSubject, late_s: int
) -> None:
    """A replica tells late, and dates are of unequal precision."""

    async def story() -> None:
        await subject.hold(*ORGANISATION)
        dated = Dated(subject)
        since = await dated.mark()
        await subject.hold(person("u7", "Late"))
        meta = subject.fake.store.resources["Users"]["u7"]["meta"]
        moment = datetime.fromisoformat(meta["lastModified"]) - timedelta(seconds=late_s)
        meta["lastModified"] = moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
        found = await read(dated.source, since)
        assert set(found.entries) == {EntryKey("User", Anchor("u7"))}
        await dated.source.close()

    run(story())


def test_once_in_a_while_everything_is_read(subject: FakeSubject) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        dated = Dated(subject, fullReadEvery="PT1H")
        since = await dated.mark()
        await dated.clock.sleep(3_599)
        assert (await read(dated.source, since)).error is None
        await dated.clock.sleep(1)
        assert isinstance((await read(dated.source, since)).error, WatermarkExpired)
        await dated.source.close()

    run(story())


@pytest.mark.parametrize("switched", [{"has_filter": False}, {"filters_rfc_only": True}], ids=str)
def test_a_service_that_cannot_say_what_changed_is_read_whole_or_answers(
    subject: FakeSubject, switched: Mapping[str, object]
) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        dated = Dated(subject)
        since = await dated.mark()
        subject.fake.switches.set(switched)
        found = await read(dated.source, since)
        expired = isinstance(found.error, WatermarkExpired)
        assert expired == ("has_filter" in switched)
        await dated.source.close()

    run(story())


def test_people_without_a_date_leave_no_watermark(subject: FakeSubject) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        del subject.fake.store.resources["Users"]["u1"]["meta"]["lastModified"]
        dated = Dated(subject)
        found = await read(dated.source)
        assert found.receipt is not None
        assert found.receipt.watermark is None
        await dated.source.close()

    run(story())


def test_a_watermark_is_good_for_the_same_service_and_attributes_only(subject: FakeSubject) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION, group("g4", "More"))
        dated = Dated(subject)
        since = await dated.mark()
        await dated.source.close()
        other = Dated(subject, attributes={"userName": None, "title": "role"})
        assert isinstance((await read(other.source, since)).error, WatermarkExpired)

    run(story())
