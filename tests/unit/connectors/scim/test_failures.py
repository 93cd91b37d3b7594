"""What each answer means, by what is to be done about it (spec: scim-target 9.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from provisor.connectors.around.trace import KEPT_BYTES_MAX
from provisor.connectors.scim.failures import INCOMPATIBLE, INVALID_CREDENTIALS, MULTIPLE_ENTRIES
from provisor.errors import (
    AdapterError,
    Denied,
    Rejected,
    Stale,
    Throttled,
    Unanswered,
    Unreachable,
)
from provisor.model.entries import Anchor
from tests.fakes.scim.switches import Fault
from tests.unit.connectors.scim.stage import Stage, opened


@dataclass(frozen=True)
class Case:
    """An answer, and what it means to a create, an update, a look and a search."""

    status: int
    scim_type: str
    create: type[AdapterError]
    update: type[AdapterError]
    fetch: type[AdapterError] | None
    find: type[AdapterError]
    code: str
    code_of_find: str = ""


CASES = [
    Case(400, "", Rejected, Rejected, Rejected, Rejected, "UnprocessableEntity"),
    Case(400, "invalidValue", Rejected, Rejected, Rejected, Rejected, "UnprocessableEntity"),
    Case(400, "invalidSyntax", Rejected, Rejected, Rejected, Rejected, "UnprocessableEntity"),
    Case(400, "noTarget", Rejected, Rejected, Rejected, Rejected, "UnprocessableEntity"),
    Case(400, "invalidPath", Rejected, Rejected, Rejected, Rejected, "SchemaAttributeNotFound"),
    Case(400, "mutability", Rejected, Rejected, Rejected, Rejected, "NotPermitted"),
    Case(400, "tooMany", Rejected, Rejected, Rejected, Rejected, "DuplicateTargetEntries"),
    Case(400, "invalidFilter", Rejected, Rejected, Rejected, Rejected, INCOMPATIBLE),
    Case(400, "uniqueness", Stale, Stale, Stale, Stale, "EntryConflict"),
    Case(401, "", Denied, Denied, Denied, Denied, INVALID_CREDENTIALS),
    Case(402, "", Rejected, Rejected, Rejected, Rejected, "LicenseLimitExceeded"),
    Case(403, "", Rejected, Rejected, Rejected, Rejected, "InsufficientRights"),
    Case(405, "", Rejected, Rejected, Rejected, Rejected, "MethodNotAllowed"),
    Case(408, "", Unanswered, Unanswered, Unanswered, Unanswered, "Timeout"),
    Case(409, "", Stale, Stale, Stale, Stale, "EntryConflict"),
    Case(412, "", Stale, Stale, Stale, Stale, "Conflict"),
    Case(413, "", Rejected, Rejected, Rejected, Rejected, "UnprocessableEntity"),
    Case(415, "", Rejected, Rejected, Rejected, Rejected, INCOMPATIBLE),
    Case(422, "", Rejected, Rejected, Rejected, Rejected, "UnprocessableEntity"),
    Case(500, "", Unanswered, Unanswered, Unanswered, Unanswered, "InternalServerError"),
    Case(501, "", Rejected, Rejected, Rejected, Rejected, "NotImplemented"),
    Case(502, "", Unanswered, Unanswered, Unanswered, Unanswered, "InternalServerError"),
    Case(503, "", Unanswered, Unanswered, Unanswered, Unanswered, "InternalServerError"),
    Case(504, "", Unanswered, Unanswered, Unanswered, Unanswered, "InternalServerError"),
    Case(302, "", Rejected, Rejected, Rejected, Rejected, INCOMPATIBLE),
]


async def failure(stage: Stage, what: str, ada: Anchor) -> AdapterError:
    work: Mapping[str, Callable[[], Awaitable[object]]] = {
        "create": lambda: stage.create(userName="bob"),
        "update": lambda: stage.change(ada, {"displayName": ("A", "B")}),
        "fetch": lambda: stage.target.fetch("User", ada),
        "find": lambda: stage.find("userName", "ada"),
    }
    with pytest.raises(AdapterError) as raised:
        await work[what]()
    return raised.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status}{case.scim_type}")
async def test_each_answer_has_its_remedy_and_its_code(case: Case) -> None:
    async with opened(putFallback=False) as stage:
        ada = await stage.create(userName="ada", displayName="A")
        stage.fake.misbehave(
            Fault(what="refuse", status=case.status, scim_type=case.scim_type, retry_after="")
        )
        for what in ("create", "update", "fetch", "find"):
            raised = await failure(stage, what, ada)
            assert type(raised) is getattr(case, what), what
            assert raised.code == case.code, what
            assert f"returned HTTP status {case.status}: not now" in str(raised)
            assert raised.heard is not None
            assert raised.heard.outcome == str(case.status)


async def test_what_is_not_found_depends_on_how_it_was_looked_for() -> None:
    async with opened() as stage:
        gone = Anchor("404")
        assert await stage.target.fetch("User", gone) is None
        assert (await stage.delete(gone)).anchor is None
        with pytest.raises(Stale) as stale:
            await stage.change(gone, {"displayName": ("A", "B")})
        assert stale.value.code == "InvalidAnchor"

        stage.fake.misbehave(Fault(what="refuse", status=404))
        for raised in (
            await failure(stage, "create", gone),
            await failure(stage, "find", gone),
        ):
            assert isinstance(raised, Rejected)
            assert raised.code == INCOMPATIBLE


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, Denied, INCOMPATIBLE),
        (401, Denied, INVALID_CREDENTIALS),
        (403, Denied, "InsufficientRights"),
        (404, Denied, INCOMPATIBLE),
        (302, Denied, INCOMPATIBLE),
        (500, Unreachable, "InternalServerError"),
        (503, Unreachable, "InternalServerError"),
        (429, Unreachable, "TooManyRequests"),
    ],
)
async def test_a_probe_quarantines_or_ends_the_cycle(
    status: int, error: type[AdapterError], code: str
) -> None:
    async with opened() as stage:
        scim_type = "invalidFilter" if status == 400 else ""
        stage.fake.misbehave(Fault(what="refuse", status=status, scim_type=scim_type))

        with pytest.raises(error) as raised:
            await stage.target.probe()

        assert raised.value.code == code


async def test_a_probe_finds_out_that_filters_are_ignored() -> None:
    async with opened({"ignores_filter": True}) as stage:
        await stage.create(userName="administrator")

        with pytest.raises(Denied) as denied:
            await stage.target.probe()

        assert denied.value.code == INCOMPATIBLE


async def test_a_probe_passes_where_nothing_found_is_404_only_if_told_so() -> None:
    async with opened({"empty_is_404": True}) as stage:
        with pytest.raises(Denied):
            await stage.target.probe()
    async with opened({"empty_is_404": True}, probe404AsEmpty=True) as stage:
        await stage.target.probe()
        assert await stage.find("userName", "ada") == []


async def test_a_success_that_cannot_be_understood_is_incompatible() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada")
        stage.fake.misbehave(Fault(what="refuse", status=200, is_html=True))
        for what in ("fetch", "find"):
            raised = await failure(stage, what, ada)
            assert (type(raised), raised.code) == (Rejected, INCOMPATIBLE)


async def test_several_objects_where_one_was_asked_for() -> None:
    async with opened({"answers_with_all": True}) as stage:
        ada = await stage.create(userName="ada")
        await stage.create(userName="bob")

        with pytest.raises(Rejected) as raised:
            await stage.target.fetch("User", ada)

        assert raised.value.code == MULTIPLE_ENTRIES


async def test_twenty_refusals_in_a_row_are_no_longer_about_objects() -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what="refuse", status=403))
        for _ in range(19):
            with pytest.raises(Rejected):
                await stage.create(userName="ada")

        with pytest.raises(Denied) as denied:
            await stage.create(userName="ada")

        assert denied.value.code == "InsufficientRights"


async def test_throttled_says_how_long() -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what="throttle", retry_after="400"))

        with pytest.raises(Throttled) as throttled:
            await stage.create(userName="ada")

        assert throttled.value.retry_after_s == pytest.approx(400)
        assert stage.clock.slept == []


async def test_a_page_of_html_is_quoted() -> None:
    async with opened({"html_errors": True}) as stage:
        with pytest.raises(Stale) as stale:
            await stage.change(Anchor("7"), {"displayName": ("A", "B")})

        assert stale.value.heard is not None
        assert "<h1>Error 404</h1>" in stale.value.heard.answered


async def test_what_is_quoted_is_cut() -> None:
    async with opened({"html_errors": True}) as stage:
        with pytest.raises(Stale) as stale:
            await stage.change(Anchor("ż" * 3_000), {"displayName": ("A", "B")})

        heard = stale.value.heard
        assert heard is not None
        for text in (heard.asked, heard.sent, heard.answered):
            assert len(text.encode()) <= KEPT_BYTES_MAX
