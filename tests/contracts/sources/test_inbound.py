"""What was pushed and acknowledged is there, whatever happens; what is damaged is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from provisor.connectors.inbound.source import SLOTS
from provisor.connectors.inbound.wire import Upsert
from provisor.errors import Rejected, StoreFailed, Unreachable
from provisor.model.entries import Anchor, Entry, EntryKey, Reference, Seen, Value
from provisor.testing.organisation import ORGANISATION, key, person
from provisor.testing.reading import (
    check_fetch_never_denies,
    check_no_false_absence,
    read,
    run,
)
from tests.contracts.sources.subjects import InboundSubject

ADA = EntryKey("User", Anchor("u1"))


def ada(**said: Value | None) -> Upsert:
    return Upsert("User", {"objectId": "u1", **said})


def test_what_is_not_named_stays_and_what_is_none_goes() -> None:
    async def story() -> None:
        directory = InboundSubject().source
        await directory.push([ada(displayName="Ada", department="Engines", title="")])
        await directory.push([ada(department=None, city="London")])
        found = await directory.fetch(ADA)
        assert found is not None
        assert found.attributes == {
            "objectId": "u1",
            "displayName": "Ada",
            "title": "",
            "city": "London",
        }

    run(story())


def test_of_two_words_on_one_person_in_one_push_the_later_counts() -> None:
    async def story() -> None:
        directory = InboundSubject().source
        await directory.push([ada(displayName="Ada"), ada(displayName="Ada King")])
        found = await directory.fetch(ADA)
        assert found is not None
        assert found.attributes["displayName"] == "Ada King"

    run(story())


def test_a_push_longer_than_a_page_is_read_to_its_end_after_a_crash_on_any_page() -> None:
    async def story() -> None:
        subject = InboundSubject()
        await subject.hold(person("u0", "P"))
        receipt = (await read(subject.source)).receipt
        assert receipt is not None
        many = [Upsert("User", person(f"u{number}", "P").attributes) for number in range(1, 8)]
        await subject.source.push(many[:5])
        await subject.source.push(many[5:])
        whole = await read(subject.source, receipt.watermark)
        assert len(whole.entries) == 7
        seen: set[EntryKey] = set()
        for page in whole.pages:
            seen |= {key(change.entry) for change in page.changes if isinstance(change, Seen)}
            rest = await read(subject.source, page.watermark)
            assert seen | set(rest.entries) == set(whole.entries)

    run(story())


def test_a_push_is_taken_in_whole_or_refused_with_all_that_is_wrong() -> None:
    nameless = Upsert("User", {"displayName": "Nobody"})
    blank = Upsert("User", {"objectId": " "})

    async def story() -> None:
        directory = InboundSubject().source
        with pytest.raises(Rejected, match=r"operation 1: .*operation 2: "):
            await directory.push([ada(displayName="Ada"), nameless, blank])
        assert await directory.fetch(ADA) is None

    run(story())


def test_every_kind_of_value_is_kept_as_it_is() -> None:
    values: dict[str, Value] = {
        "objectId": "u1",
        "text": "é\n陳\x00",
        "number": 2**60,
        "flag": False,
        "bytes": b"\x00\xff",
        "at": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        "manager": Reference("User", Anchor("u2")),
        "several": ("a", 1, True, Reference("User", Anchor("u3"))),
        "none": (),
    }

    async def story() -> None:
        subject = InboundSubject()
        await subject.source.push([Upsert("User", values)])
        assert await subject.another().fetch(ADA) == Entry("User", Anchor("u1"), values)
        for _ in range(2 * SLOTS):
            await subject.source.push([Upsert("User", {"objectId": "u2"})])
        assert await subject.another().fetch(ADA) == Entry("User", Anchor("u1"), values)

    run(story())


def test_another_process_sees_every_push_however_far_it_fell_behind() -> None:
    async def story() -> None:
        subject = InboundSubject()
        close, far = subject.another(), subject.another()
        await far.fetch(ADA)
        for number in range(3 * SLOTS):
            await subject.hold(person(f"u{number}", f"Person {number}"))
            assert await close.fetch(EntryKey("User", Anchor(f"u{number}"))) is not None
            if number % 50 == 49:
                assert len((await read(far)).entries) == number + 1
        assert (await read(subject.another())).entries == (await read(far)).entries

    run(story())


def test_a_push_that_fails_anywhere_loses_nothing_that_was_acknowledged() -> None:
    async def story(fails_at: int) -> None:
        subject = InboundSubject()
        acknowledged: dict[EntryKey, Entry] = {}
        subject.shelf.fails_at = fails_at
        for number in range(SLOTS + 3):
            one = person(f"u{number}", f"Person {number}")
            try:
                await subject.hold(one)
            except StoreFailed:
                continue
            acknowledged[key(one)] = one
        assert len(acknowledged) >= SLOTS + 2
        subject.shelf.fails_at = 0
        found = await read(subject.another())
        assert {k: found.entries.get(k) for k in acknowledged} == acknowledged

    for fails_at in range(1, 4 * SLOTS, 3):
        run(story(fails_at))


def test_a_store_that_cannot_be_read_is_no_answer() -> None:
    async def story() -> None:
        subject = InboundSubject()
        await subject.hold(*ORGANISATION)
        truth = (await read(subject.source)).entries
        for fails_at in range(1, SLOTS + 20):
            reader = subject.another()
            subject.shelf.calls, subject.shelf.fails_at = 0, fails_at
            check_no_false_absence(truth, await read(reader))
            subject.shelf.calls, subject.shelf.fails_at = 0, fails_at
            await check_fetch_never_denies(truth, reader)
        subject.shelf.fails_at = 0

    run(story())


async def kept_by(pushes: int) -> tuple[InboundSubject, Mapping[EntryKey, Entry]]:
    subject = InboundSubject()
    for number in range(pushes):
        await subject.hold(person(f"u{number}", "P"))
    return subject, (await read(subject.source)).entries


@pytest.mark.parametrize("pushes", [1, 3, SLOTS + 2])
def test_a_document_damaged_at_any_byte_is_no_answer(pushes: int) -> None:
    async def story() -> None:
        subject, truth = await kept_by(pushes)
        whole = dict(subject.shelf.kept)
        for name in {name for name in whole if name[1].endswith(("base", "-1", "-2"))}:
            content = whole[name]
            for at in range(0, len(content), 1 if len(content) < 200 else 97):
                damaged = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
                for left in (damaged, content[:at]):
                    subject.shelf.kept = {**whole, name: left}
                    found = await read(subject.another())
                    assert isinstance(found.error, Unreachable)
                    check_no_false_absence(truth, found)

    run(story())


@pytest.mark.parametrize("pushes", [2, 5, SLOTS, SLOTS + 1, SLOTS + 5, 2 * SLOTS + 1])
def test_a_document_that_is_lost_is_no_answer(pushes: int) -> None:
    """But for the last push: without it the store is as it was a moment before, and only who has
    read further knows."""

    async def story() -> None:
        subject, truth = await kept_by(pushes)
        whole = dict(subject.shelf.kept)
        receipt = (await read(subject.source)).receipt
        assert receipt is not None
        for name in whole:
            subject.shelf.kept = {k: v for k, v in whole.items() if k != name}
            found = await read(subject.another(), receipt.watermark)
            assert found.receipt is None or name_is_superseded(name[1], pushes)
            if name[1] != f"inbound-batch-{pushes % SLOTS}":
                check_no_false_absence(truth, await read(subject.another()))

    run(story())


def name_is_superseded(name: str, pushes: int) -> bool:
    """Tell whether what a batch says stands in the base as well."""
    based = (pushes - 1) // SLOTS * SLOTS
    slots = {number % SLOTS for number in range(based + 1, pushes + 1)}
    return name not in {"inbound-base", *(f"inbound-batch-{slot}" for slot in slots)}


def test_a_store_restored_from_before_what_was_read_is_no_answer() -> None:
    async def story() -> None:
        subject, _ = await kept_by(3)
        older = dict(subject.shelf.kept)
        await subject.hold(person("u9", "Late"))
        receipt = (await read(subject.source)).receipt
        assert receipt is not None
        subject.shelf.kept = older
        found = await read(subject.another(), receipt.watermark)
        assert isinstance(found.error, Unreachable)
        assert "restore" in str(found.error)

    run(story())
