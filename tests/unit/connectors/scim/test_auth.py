"""Proving who we are, and what happens when that is no longer believed (spec: scim-target 2)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from provisor.connectors.http.auth import token_request
from provisor.connectors.http.settings import ClientCredentials, Placement
from provisor.connectors.scim.failures import INVALID_CREDENTIALS
from provisor.errors import Denied, Unreachable
from provisor.model.entries import Anchor
from tests.fakes.scim.server import running
from tests.fakes.scim.switches import Switches
from tests.unit.connectors.scim.stage import Stage, opened

NOBODY = Anchor("7")


@asynccontextmanager
async def with_tokens(**switches: object) -> AsyncGenerator[Stage]:
    """Open a target that gets its tokens from another server, which takes none but its own."""
    async with running() as issuer:
        oauth = {"tokenUrl": issuer.token_url, "clientId": "me", "clientSecret": "hush-hush"}
        async with opened(oauth=oauth) as stage:
            stage.switch(token="never", **switches)
            stage.fake.take_tokens_of(issuer.fake)
            yield stage


async def look(stage: Stage) -> None:
    await stage.target.fetch("User", NOBODY)


@pytest.mark.parametrize(
    ("chosen", "switches", "header"),
    [
        ({"token": "t0ken"}, {"token": "t0ken"}, "Bearer t0ken"),
        (
            {"userName": "ada", "password": "pä:ss"},
            {"token": "ada:pä:ss"},
            "Basic " + base64.b64encode("ada:pä:ss".encode()).decode(),
        ),
        ({}, {}, ""),
    ],
)
async def test_each_request_says_who_we_are(
    chosen: Mapping[str, Any], switches: Mapping[str, object], header: str
) -> None:
    async with opened(switches, **chosen) as stage:
        await look(stage)
        (logged,) = stage.fake.log
        assert dict(logged.headers or {}).get("authorization", "") == header


async def test_a_token_is_fetched_once_for_all() -> None:
    async with with_tokens() as stage:
        await asyncio.gather(*(look(stage) for _ in range(20)))
        assert stage.fake.tokens_issued == 1


async def test_a_token_that_is_refused_is_fetched_anew_once() -> None:
    async with with_tokens(token_life=3) as stage:
        for _ in range(10):
            await look(stage)
        assert stage.fake.tokens_issued == 4
        assert all(logged.status in (404, 401) for logged in stage.fake.log)


async def test_a_token_is_renewed_before_it_ends() -> None:
    async with with_tokens() as stage:
        await look(stage)
        await stage.clock.sleep(3_600 - 361)
        await look(stage)
        assert stage.fake.tokens_issued == 1
        await stage.clock.sleep(2)
        await look(stage)
        assert stage.fake.tokens_issued == 2


async def test_a_second_refusal_is_final() -> None:
    async with opened({"token": "another"}, token="t0ken") as stage:
        with pytest.raises(Denied) as denied:
            await look(stage)
        assert denied.value.code == INVALID_CREDENTIALS
        assert len(stage.fake.log) == 1, "a token that is given cannot be had anew"
    async with with_tokens() as stage:
        stage.fake.take_tokens_of(stage.fake)
        with pytest.raises(Denied):
            await look(stage)
        assert len(stage.fake.log) == 2


async def test_a_token_endpoint_that_refuses_denies() -> None:
    async with running(Switches(token_status=401)) as issuer:
        oauth = {"tokenUrl": issuer.token_url, "clientId": "me", "clientSecret": "hush-hush"}
        async with opened(oauth=oauth) as stage:
            with pytest.raises(Denied) as denied:
                await stage.target.probe()
            assert denied.value.code == INVALID_CREDENTIALS
            assert "invalid_client" in str(denied.value)
            assert stage.fake.log == []


async def test_a_token_endpoint_that_fails_is_unreachable() -> None:
    async with running(Switches(token_status=503)) as issuer:
        oauth = {"tokenUrl": issuer.token_url, "clientId": "me", "clientSecret": "hush-hush"}
        async with opened(oauth=oauth) as stage:
            with pytest.raises(Unreachable):
                await look(stage)
            assert len(issuer.fake.log) >= 3


def client(placement: Placement, **more: Any) -> ClientCredentials:
    return ClientCredentials(
        token_url="https://id/token",
        client_id="a client",
        client_secret="s:e+c/r",
        placement=placement,
        **more,
    )


@pytest.mark.parametrize(
    ("placement", "form", "has_header"),
    [
        (Placement.HEADER, b"grant_type=client_credentials&scope=a+b", True),
        (
            Placement.BODY,
            b"grant_type=client_credentials&scope=a+b&client_id=a+client&client_secret=s%3Ae%2Bc%2Fr",
            False,
        ),
        (
            Placement.BOTH,
            b"grant_type=client_credentials&scope=a+b&client_id=a+client&client_secret=s%3Ae%2Bc%2Fr",
            True,
        ),
    ],
)
def test_credentials_stand_where_they_are_wanted(
    placement: Placement, form: bytes, has_header: bool
) -> None:
    headers, body = token_request(client(placement, scopes=("a", "b")))

    assert body == form
    basic = "Basic " + base64.b64encode(b"a+client:s%3Ae%2Bc%2Fr").decode()
    assert headers.get("Authorization") == (basic if has_header else None)
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
