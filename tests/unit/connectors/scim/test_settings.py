"""Settings are checked once, and all that is wrong is said at once (spec: scim-target 1, 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisor.connectors.http.settings import (
    Basic,
    Bearer,
    ClientCredentials,
    Invalid,
    Placement,
    Timeouts,
)
from provisor.connectors.scim.quirks import ManagerFormat, PatchStyle
from provisor.connectors.scim.settings import ScimSettings, parse
from provisor.connectors.scim.target import ScimTarget
from provisor.testing.world import Dice, SteppingClock
from tests.unit.connectors.scim.stage import parsed

BASE = "https://scim.example.com/v2"
OAUTH = {"tokenUrl": "https://id.example.com/token", "clientId": "me", "clientSecret": "s3cr3t-1"}


def problems(**raw: Any) -> set[str]:
    found = parse({"baseAddress": BASE, **raw})
    assert isinstance(found, Invalid)
    return {problem.key for problem in found.problems}


def test_little_is_enough() -> None:
    settings = parsed(BASE, token="t")

    assert settings == ScimSettings(base=BASE, credentials=Bearer("t"))
    assert settings.timeouts == Timeouts(connect=10, read=60, total=100)
    assert settings.rate_limit is None
    assert settings.connections_max == 32


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = parse(
        {
            "baseAddress": "ftp://x",
            "patchStyle": "xml",
            "profile": "nobody",
            "userName": "ada",
            "oauth": {"clientId": 3, "credentialPlacement": "nowhere"},
            "timeouts": {"read": -1, "tea": 4},
            "pageSize": "many",
            "headers": {"Authorization": "x", "X-Good": "łódź"},
            "caFile": "no-such-file.pem",
            "proxy": "socks://x",
            "readBack": "perhaps",
            "tokn": "typo",
        }
    )

    assert isinstance(found, Invalid)
    assert {problem.key for problem in found.problems} == {
        "baseAddress",
        "patchStyle",
        "profile",
        "password",
        "oauth.clientId",
        "oauth.clientSecret",
        "oauth.tokenUrl",
        "oauth.credentialPlacement",
        "timeouts.read",
        "timeouts.tea",
        "pageSize",
        "headers.Authorization",
        "headers.X-Good",
        "caFile",
        "proxy",
        "readBack",
        "tokn",
    }
    assert "tokn: is not a setting" in str(found)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://scim.example.com/v2/", BASE),
        ("https://SCIM.example.com:443/v2", BASE),
        ("  https://scim.example.com/v2  ", BASE),
        ("https://scim.example.com", "https://scim.example.com"),
        ("https://scim.example.com:8443/a/b//", "https://scim.example.com:8443/a/b"),
        ("http://127.0.0.1:8000/v2", "http://127.0.0.1:8000/v2"),
        ("http://[::1]:8000/v2", "http://[::1]:8000/v2"),
        ("http://localhost/v2", "http://localhost/v2"),
    ],
)
def test_one_target_has_one_identity(address: str, base: str) -> None:
    settings = parsed(address)
    target = ScimTarget(settings, {}, SteppingClock(), Dice())
    assert settings.base == target.system.identity == base


@pytest.mark.parametrize(
    "address",
    [
        "",
        "scim.example.com/v2",
        "https://",
        "https://user:pass@scim.example.com/v2",
        "https://scim.example.com:port/",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    found = parse({"baseAddress": address})
    assert isinstance(found, Invalid)
    assert {problem.key for problem in found.problems} == {"baseAddress"}


def test_plain_http_is_for_loopback_or_for_who_insists() -> None:
    there = "http://scim.example.com/v2"
    assert isinstance(parse({"baseAddress": there}), Invalid)
    assert parsed(there, allowInsecure=True).base == there
    insecure = {**OAUTH, "tokenUrl": "http://id.example.com/token"}
    assert problems(oauth=insecure) == {"oauth.tokenUrl"}
    assert not isinstance(
        parse({"baseAddress": BASE, "oauth": insecure, "allowInsecure": "true"}), Invalid
    )


@pytest.mark.parametrize(
    ("query", "style", "kept"),
    [
        ("", PatchStyle.RFC, ""),
        ("?aadOptscim062020", PatchStyle.ENTRA_COMPLIANT, ""),
        ("?AADOptscim062020=", PatchStyle.ENTRA_COMPLIANT, ""),
        ("?AzureAdScimPatch2017", PatchStyle.ENTRA_LEGACY, ""),
        ("?tenant=a&aadOptscim062020&x=", PatchStyle.ENTRA_COMPLIANT, "tenant=a&x="),
    ],
)
def test_feature_flags_set_the_style_and_are_not_sent(
    query: str, style: PatchStyle, kept: str
) -> None:
    settings = parsed(BASE + query)
    assert (settings.patch_style, settings.query, settings.base) == (style, kept, BASE)


def test_what_is_set_overrules_flag_and_profile() -> None:
    settings = parsed(
        BASE + "?aadOptscim062020", profile="entra-gallery", patchStyle="RFC", rateLimit=5
    )
    assert settings.patch_style is PatchStyle.RFC
    assert settings.rate_limit == 5


def test_profiles_are_defaults() -> None:
    gallery, aws = parsed(BASE, profile="entra-gallery"), parsed(BASE, profile="aws-iic")
    assert (gallery.patch_style, gallery.rate_limit) == (PatchStyle.ENTRA_LEGACY, 25)
    assert "photos" in aws.quirks.drop_paths
    assert parsed(BASE, profile="aws-iic", dropPaths=["ims"]).quirks.drop_paths == ("ims",)


def test_each_way_to_prove_who_we_are() -> None:
    assert parsed(BASE, token=" t ").credentials == Bearer("t")
    assert parsed(BASE, userName="ada", password="x").credentials == Basic("ada", "x")
    oauth = parsed(BASE, oauth={**OAUTH, "scopes": "a b", "credentialPlacement": "Body"})
    assert oauth.credentials == ClientCredentials(
        token_url="https://id.example.com/token",
        client_id="me",
        client_secret="s3cr3t-1",
        scopes=("a", "b"),
        placement=Placement.BODY,
    )
    assert problems(token="t", oauth=OAUTH) == {"token"}
    assert problems(token="two\nlines") == {"token"}


def test_quirks_are_settings() -> None:
    quirks = parsed(
        BASE,
        managerFormat="string",
        maxMembersPerPatch="10",
        activeAsString="True",
        autoPrimary=["emails", "phoneNumbers"],
    ).quirks
    assert quirks.manager_format is ManagerFormat.STRING
    assert quirks.max_members_per_patch == 10
    assert quirks.active_as_string
    assert quirks.auto_primary == ("emails", "phoneNumbers")


def test_a_ca_file_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    assert parsed(BASE, caFile=str(tmp_path / "ca.pem")).ca_file


def test_nothing_secret_is_shown() -> None:
    for settings in (
        parsed(BASE, token="very-secret"),
        parsed(BASE, userName="ada", password="very-secret"),
        parsed(BASE, oauth={**OAUTH, "clientSecret": "very-secret"}),
        parsed(BASE, proxy="http://me:very-secret@proxy.example.com"),
        parsed(BASE, headers={"X-Key": "very-secret"}),
    ):
        assert "very-secret" not in repr(settings)
        assert "very-secret" in settings.secrets
        system = ScimTarget(settings, {}, SteppingClock(), Dice()).system
        assert "very-secret" not in repr(system)
