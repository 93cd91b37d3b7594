"""No secret is ever shown: not in failures, not in traces, not by chance (spec: scim-target 2)."""

from __future__ import annotations

import pytest

from provisor.connectors.around.trace import EXCHANGES_MAX
from provisor.errors import AdapterError
from tests.fakes.scim.server import running
from tests.fakes.scim.switches import Fault
from tests.unit.connectors.scim.stage import opened

TOKEN = "t0ken-that-nobody-may-see"
PASSWORD = 'pa"ss\\wörd-of-ada'


async def test_an_echo_of_our_secrets_is_blackened() -> None:
    async with opened({"token": TOKEN, "echoes": True}, token=TOKEN) as stage:
        said: list[str] = []
        for password in (PASSWORD, "simple-password"):
            with pytest.raises(AdapterError) as failure:
                await stage.create(userName="ada", password=password)
            said += [str(failure.value), repr(failure.value.heard), repr(failure.value)]
        said += [repr(exchange) for exchange in stage.trace.exchanges]

        assert any("***" in text for text in said)
        for text in said:
            assert TOKEN not in text
            assert "simple-password" not in text
            assert "wörd-of-ada" not in text


async def test_nor_is_a_token_shown_that_was_fetched_nor_a_password_in_disguise() -> None:
    async with running() as issuer:
        oauth = {"tokenUrl": issuer.token_url, "clientId": "me", "clientSecret": "hush-hush"}
        for chosen, hidden in (
            ({"oauth": oauth}, "issued-1"),
            ({"userName": "ada", "password": "x-password"}, "YWRhOngtcGFzc3dvcmQ="),
        ):
            async with opened({"echoes": True}, **chosen) as stage:
                with pytest.raises(AdapterError) as failure:
                    await stage.find("userName", "ada")
                said = f"{failure.value} {failure.value.heard} {stage.trace.exchanges}"
                assert "***" in said
                assert hidden not in said


async def test_a_trace_tells_what_was_asked_and_answered() -> None:
    async with opened({"token": TOKEN}, token=TOKEN) as stage:
        stage.fake.misbehave(Fault(what="reset", method="POST"))
        with pytest.raises(AdapterError):
            await stage.create(userName="ada")
        stage.fake.misbehave()
        await stage.find("userName", "ada")

        lost, found = stage.trace.exchanges
        assert (lost.method, lost.address, lost.status) == ("POST", "/Users", 0)
        assert '"userName":"ada"' in lost.sent
        assert (found.method, found.status) == ("GET", 200)
        assert found.address == "/Users?filter=userName%20eq%20%22ada%22"
        assert "totalResults" in found.answered


async def test_a_trace_does_not_grow_for_ever() -> None:
    async with opened() as stage:
        for _ in range(EXCHANGES_MAX + 10):
            await stage.find("userName", "ada")
        assert len(stage.trace.exchanges) == EXCHANGES_MAX


async def test_a_parameter_of_the_address_that_is_long_is_a_secret() -> None:
    async with opened({"echoes": True}) as stage:
        address = f"{stage.server.url}?key={TOKEN}&v=2"
        async with opened(baseAddress=address) as other:
            with pytest.raises(AdapterError) as failure:
                await other.create(userName="ada")
            assert TOKEN not in f"{failure.value} {failure.value.heard}"
