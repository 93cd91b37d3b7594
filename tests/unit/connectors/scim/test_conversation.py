"""What is sent again, what is waited for, and what is never followed (spec: scim-target 1, 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from provisor.connectors.http.conversation import Request, retry_after_s
from provisor.connectors.scim.reader import ScimReader
from provisor.errors import Denied, Rejected, Throttled, Unanswered, Unreachable
from provisor.model.entries import Anchor
from provisor.testing.world import Dice, SteppingClock
from tests.fakes.scim.server import running
from tests.fakes.scim.switches import Fault, Misdeed, Switches
from tests.unit.connectors.scim.stage import USER, Stage, opened, parsed

NOBODY = Anchor("7")


async def update(stage: Stage, anchor: Anchor) -> None:
    await stage.change(anchor, {"displayName": ("A", "B")})


@pytest.mark.parametrize(("status", "requests"), [(500, 2), (502, 4), (503, 4), (504, 4), (501, 1)])
async def test_a_failing_request_that_is_safe_is_repeated(status: int, requests: int) -> None:
    async with opened(putFallback=False) as stage:
        ada = await stage.create(userName="ada")
        works: list[Callable[[], Awaitable[object]]] = [
            lambda: update(stage, ada),
            lambda: stage.target.fetch("User", ada),
            lambda: stage.delete(ada),
        ]
        for work in works:
            stage.asked()
            stage.fake.misbehave(Fault(what="refuse", status=status))
            with pytest.raises((Unanswered, Rejected)):
                await work()
            assert len(stage.asked()) == requests


@pytest.mark.parametrize("what", ["refuse", "fail_after", "lose", "reset"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_create_is_never_repeated(what: Misdeed, status: int) -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what=what, method="POST", status=status))

        with pytest.raises(Unanswered) as unanswered:
            await stage.create(userName="ada")

        assert len(stage.asked("POST")) == 1
        is_broken = what in ("lose", "reset")
        code = "WebExceptionProtocolError" if is_broken else "InternalServerError"
        assert unanswered.value.code == code


async def test_one_failure_is_not_noticed() -> None:
    async with opened() as stage:
        ada = await stage.create(userName="ada", displayName="A")
        faults = (
            Fault(what="refuse", times=1),
            Fault(what="reset", times=3),
            Fault(what="lose", times=3),
        )
        for fault in faults:
            stage.fake.misbehave(fault)
            await update(stage, ada)
        assert stage.fake.says("Users")[0]["displayName"] == "B"


async def test_what_never_answers_is_given_up() -> None:
    async with opened(timeouts={"read": 0.2, "total": 0.3}) as stage:
        stage.fake.misbehave(Fault(what="stall"))
        for work in (
            stage.create(userName="ada"),
            stage.target.fetch("User", NOBODY),
            stage.delete(NOBODY),
        ):
            with pytest.raises(Unanswered) as unanswered:
                await work
            assert unanswered.value.code == "Timeout"
        assert [user["userName"] for user in stage.fake.says("Users")] == ["ada"]


async def test_a_refused_connection_is_tried_again_and_then_unreachable() -> None:
    async with opened() as stage:
        await stage.server.switch_off()

        with pytest.raises(Unreachable) as unreachable:
            await stage.target.fetch("User", NOBODY)

        assert stage.clock.slept == [1.0, 2.0]
        assert unreachable.value.code == "TargetUnreachable"
        assert "127.0.0.1" in str(unreachable.value)


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    async with opened(baseAddress="https://nowhere.invalid/scim") as stage:
        with pytest.raises(Unreachable):
            await stage.target.fetch("User", NOBODY)


async def test_tls_that_is_none_is_unreachable() -> None:
    async with running() as server:
        address = server.url.replace("http:", "https:")
        async with opened(baseAddress=address) as stage:
            with pytest.raises(Unreachable):
                await stage.target.fetch("User", NOBODY)


# patience


async def test_a_pause_is_kept_and_the_request_is_sent_again() -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what="throttle", times=1, retry_after="17"))

        await stage.create(userName="ada")

        assert stage.clock.slept[0] == pytest.approx(17)
        assert len(stage.asked("POST")) == 2
        assert len(stage.fake.says("Users")) == 1


async def test_without_a_word_the_pauses_double() -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what="throttle", times=4))

        await stage.create(userName="ada")

        pauses = [pause for pause in stage.clock.slept if pause >= 1]
        for pause, least in zip(pauses, (1, 2, 4, 8), strict=True):
            assert least <= pause <= 1.25 * least + 0.001


async def test_five_times_is_enough() -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what="throttle", retry_after="1"))

        with pytest.raises(Throttled) as throttled:
            await stage.create(userName="ada")

        assert len(stage.asked("POST")) == 5
        assert throttled.value.code == "TooManyRequests"
        assert "HTTP status 429" in str(throttled.value)


async def test_a_busy_target_that_says_when_is_waited_for() -> None:
    async with opened() as stage:
        stage.fake.misbehave(
            Fault(what="refuse", method="GET", status=503, times=1, retry_after="9")
        )

        await stage.target.fetch("User", NOBODY)

        assert stage.clock.slept[0] == pytest.approx(9)


NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        (" 3 ", 3),
        ("-4", 0),
        ("Mon, 04 May 2026 03:02:31 GMT", 30),
        ("Mon, 04 May 2026 03:02:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("Mon, 04 May 2026 03:02:31", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOW) == seconds
    assert retry_after_s({}, NOW + timedelta(days=1)) is None


# where it goes


async def test_a_redirect_within_the_target_is_followed_with_body_and_method() -> None:
    async with opened() as stage:
        stage.switch(redirects_to="/scim/v2/Users", redirects_max=1)

        await stage.create(userName="ada")

        assert len(stage.fake.says("Users")) == 1


async def test_no_token_goes_to_another_origin() -> None:
    async with running(Switches()) as other, opened(token="t" * 20) as stage:
        stage.switch(redirects_to=f"{other.url}/Users", token="t" * 20)

        with pytest.raises(Rejected):
            await stage.create(userName="ada")
        with pytest.raises(Denied):
            await stage.target.probe()

        assert other.fake.log == []


async def test_a_redirect_in_circles_ends() -> None:
    async with opened() as stage:
        stage.switch(redirects_to="/scim/v2/Users?again")
        with pytest.raises(Rejected):
            await stage.target.fetch("User", NOBODY)
        assert len(stage.fake.log) <= 5


async def test_other_parameters_of_the_address_go_everywhere_and_flags_nowhere() -> None:
    async with running() as server:
        address = f"{server.url}/?aadOptscim062020&tenant=a%20b&x="
        async with opened(baseAddress=address) as stage:
            await stage.target.fetch("User", NOBODY)
            await stage.find("userName", "ada")

        assert server.fake.requests() == [
            "GET /Users/7?tenant=a+b&x=",
            "GET /Users?filter=userName%20eq%20%22ada%22&tenant=a+b&x=",
        ]


# how it is said


async def test_a_server_that_wants_plain_json_gets_it_from_then_on() -> None:
    async with opened({"wants_plain_json": True}) as stage:
        await stage.create(userName="ada")
        await stage.create(userName="bob")

        types = [dict(logged.headers or {})["content-type"] for logged in stage.fake.log]
        assert types == ["application/scim+json", "application/json", "application/json"]


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisor.connectors.http.client.BODY_BYTES_MAX", 500)
    async with opened() as stage:
        with pytest.raises(Rejected) as rejected:
            await stage.create(userName="a" * 1_000)

        assert "longer than" in str(rejected.value)


async def test_a_reader_cannot_write_even_if_it_tries() -> None:
    async with running() as server:
        reader = ScimReader(parsed(server.url), {"User": USER}, SteppingClock(), Dice())
        await reader.probe()
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(AssertionError):
                await reader.conversation.ask(Request(method=method, path="/Users/1"))
        await reader.close()

        assert {logged.method for logged in server.fake.log} == {"GET"}
        assert not hasattr(reader, "export")
