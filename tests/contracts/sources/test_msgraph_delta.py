"""Delta query as the real one is: patches, pages, replays and removals that come again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from provisor.errors import Denied, Unreachable, WatermarkExpired
from provisor.model.entries import Absence, Anchor, EntryKey, Gone, Reference, Watermark
from provisor.testing.organisation import ORGANISATION, group, key, person
from provisor.testing.reading import (
    Read,
    check_fetch_never_denies,
    check_no_false_absence,
    members,
    read,
    run,
)
from tests.contracts.sources.msgraph import GraphSubject, tenant
from tests.fakes.scim.switches import Fault

EVERYONE = {key(entry): entry for entry in ORGANISATION}
ADA = EntryKey("User", Anchor("u1"))
SALES = EntryKey("Group", Anchor("g1"))


@pytest.fixture
def subject() -> Iterator[GraphSubject]:
    with tenant() as opened:
        yield opened


async def settled(subject: GraphSubject) -> Watermark:
    """Fill a tenant and read it."""
    await subject.hold(*ORGANISATION)
    return mark(await read(subject.source))


def mark(found: Read) -> Watermark:
    assert found.receipt is not None, found.error
    assert found.receipt.watermark is not None
    return found.receipt.watermark


def gone(found: Read) -> dict[EntryKey, Absence]:
    changes = (change for page in found.pages for change in page.changes)
    return {change.key: change.absence for change in changes if isinstance(change, Gone)}


# what a round tells


@pytest.mark.parametrize("manners", [{"members_per_page": 1}, {"is_reversed": True}], ids=str)
def test_a_group_that_comes_in_parts_and_in_any_order_is_shown_whole(
    subject: GraphSubject, manners: Mapping[str, object]
) -> None:
    async def story() -> None:
        for name, value in manners.items():
            setattr(subject.fake.manners, name, value)
        await settled(subject)
        assert (await read(subject.source)).entries == EVERYONE

    run(story())


def test_a_patch_is_merged_into_what_is_remembered(subject: GraphSubject) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.put("users", "u2", {"jobTitle": "Engineer"})
        subject.fake.join("g1", "u4")
        subject.fake.join("g1", "u1", leaves=True)
        found = await read(subject.source, since)
        assert set(found.entries) == {EntryKey("User", Anchor("u2")), SALES}
        said = found.entries[EntryKey("User", Anchor("u2"))].attributes
        assert said["displayName"] == "Åsa Öberg"
        assert said["jobTitle"] == "Engineer"
        assert said["manager"] == Reference("User", Anchor("u1"))
        assert {m.anchor for m in members(found.entries[SALES])} == {"u2", "u3", "u4"}

    run(story())


@pytest.mark.parametrize(
    ("reason", "absence"), [("changed", Absence.ABSENT), ("deleted", Absence.DELETED)]
)
def test_a_removal_says_whether_it_is_for_good(
    subject: GraphSubject, reason: str, absence: Absence
) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.remove("users", "u1", reason)
        found = await read(subject.source, since)
        assert gone(found) == {ADA: absence}

    run(story())


def test_who_is_deleted_for_good_leaves_his_groups_though_no_delta_tells(
    subject: GraphSubject,
) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.remove("users", "u1", "changed")
        found = await read(subject.source, since)
        assert SALES not in found.entries
        subject.fake.restore("u1")
        since = mark(found)
        subject.fake.remove("users", "u1")
        found = await read(subject.source, since)
        assert {m.anchor for m in members(found.entries[SALES])} == {"u2", "u3"}

    run(story())


def test_who_was_restored_is_shown_whole(subject: GraphSubject) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.remove("users", "u1", "changed")
        since = mark(await read(subject.source, since))
        subject.fake.restore("u1")
        found = await read(subject.source, since)
        assert found.entries == {ADA: EVERYONE[ADA]}

    run(story())


def test_an_old_removal_that_comes_again_removes_nobody(subject: GraphSubject) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.manners.stale_removals = ["u1"]
        found = await read(subject.source, since)
        assert not gone(found)
        assert found.entries == {ADA: EVERYONE[ADA]}

    run(story())


def test_rounds_that_repeat_earlier_ones_end_at_the_same(subject: GraphSubject) -> None:
    async def story() -> None:
        subject.fake.manners.repeats = 6
        since = await settled(subject)
        state = dict(EVERYONE)
        for number in range(3):
            await subject.hold(
                person("u3", f"Rob {number}"), group("g1", "Sales", f"u{number + 2}")
            )
            found = await read(subject.source, since)
            since = mark(found)
            state |= found.entries
        assert state[EntryKey("User", Anchor("u3"))] == person("u3", "Rob 2")
        assert {m.anchor for m in members(state[SALES])} == {"u4"}

    run(story())


# what is no answer


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        {"what": "reset"},
        {"what": "refuse", "status": 500},
        {"what": "refuse", "status": 404, "is_html": True},
        {"what": "refuse", "status": 400},
        {"what": "refuse", "status": 204},
        {"what": "throttle", "retry_after": "3600"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/users/delta", "/groups/delta", "skiptoken"])
def test_a_round_that_is_cut_off_anywhere_proves_nothing_and_loses_nothing(
    subject: GraphSubject, path: str, fault: Mapping[str, object], is_first: bool
) -> None:
    async def story() -> None:
        since = None if is_first else await settled(subject)
        changed = [person(f"u{n}", f"Changed {n}") for n in range(1, 6)]
        await subject.hold(*ORGANISATION, *changed)
        for number in (1, 2, 3):
            subject.fake.put("groups", f"g{number}", {"description": "changed"})
        subject.fake.misbehave(Fault(path=path, **fault))  # type: ignore[arg-type]
        found = await read(subject.source, since)
        assert found.receipt is None
        assert isinstance(found.error, Unreachable)
        subject.fake.misbehave()
        again = await read(subject.source, since)
        assert again.receipt is not None
        assert {entry.attributes["displayName"] for entry in again.kind("User").values()} == {
            f"Changed {n}" for n in range(1, 6)
        }
        await check_fetch_never_denies(EVERYONE, subject.source)

    run(story())


@pytest.mark.parametrize(
    "manners",
    [
        {"leads_to": "http://127.0.0.1:9/v1.0/users/delta?$skiptoken=x"},
        {"leads_to": "https://elsewhere.example.com/v1.0/users/delta?$skiptoken=x"},
        {"has_no_end": True},
        {"repeats_link": True},
    ],
    ids=str,
)
def test_links_that_lead_elsewhere_nowhere_or_round_and_round_are_not_followed(
    subject: GraphSubject, manners: Mapping[str, object]
) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        for name, value in manners.items():
            setattr(subject.fake.manners, name, value)
        found = await read(subject.source)
        check_no_false_absence(EVERYONE, found)
        assert found.receipt is None
        if "leads_to" in manners:
            assert "leads elsewhere" in str(found.error)

    run(story())


def test_a_round_that_is_lost_on_its_way_is_begun_anew_in_the_same_read(
    subject: GraphSubject,
) -> None:
    async def story() -> None:
        await subject.hold(*ORGANISATION)
        subject.fake.manners.lost_rounds = 1
        found = await read(subject.source)
        assert found.receipt is not None
        assert found.receipt.is_snapshot
        assert found.entries == EVERYONE

        subject.fake.manners.lost_rounds = 1_000
        assert (await read(subject.source)).receipt is None, "and not for ever"

        subject.fake.manners.lost_rounds = 1
        subject.fake.manners.resync_at = "https://elsewhere.example.com/v1.0/users/delta"
        assert "leads elsewhere" in str((await read(subject.source)).error)

    run(story())


@pytest.mark.parametrize("location", ["", "https://elsewhere.example.com/v1.0/users/delta"])
def test_a_resync_reads_everything_from_where_we_know(subject: GraphSubject, location: str) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.manners.expired, subject.fake.manners.resync_at = True, location
        found = await read(subject.source, since)
        assert isinstance(found.error, WatermarkExpired)
        assert not found.pages
        whole = await read(subject.source)
        assert whole.receipt is not None
        assert whole.receipt.is_snapshot
        assert whole.entries == EVERYONE

    run(story())


def test_a_mark_that_is_too_old_or_without_its_image_is_not_gone_on_from(
    subject: GraphSubject,
) -> None:
    async def story() -> None:
        since = await settled(subject)
        kept = dict(subject.shelf.kept)
        subject.shelf.kept.clear()
        subject.fake.put("users", "u1", {"jobTitle": "Countess"})
        assert isinstance((await read(subject.source, since)).error, WatermarkExpired)
        subject.shelf.kept.update(kept)
        assert (await read(subject.source, since)).error is None
        await subject.clock.sleep(7 * 86_400)
        assert isinstance((await read(subject.source, since)).error, WatermarkExpired)

    run(story())


def test_a_full_disk_ends_the_read_before_its_mark(subject: GraphSubject) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.put("users", "u1", {"jobTitle": "Countess"})
        subject.shelf.fails_at = subject.shelf.calls + 2
        found = await read(subject.source, since)
        assert isinstance(found.error, Unreachable)
        assert found.receipt is None
        assert ADA in (await read(subject.source, since)).entries

    run(story())


def test_lost_permissions_are_named(subject: GraphSubject) -> None:
    async def story() -> None:
        since = await settled(subject)
        subject.fake.misbehave(Fault(what="refuse", status=403))
        found = await read(subject.source, since)
        assert isinstance(found.error, Denied)
        assert found.error.code == "InsufficientRights"

    run(story())
