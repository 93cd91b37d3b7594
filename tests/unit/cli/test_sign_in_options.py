"""How people sign in by a provider is told to `serve`: whole, safe, in permissions that exist."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from provisor.cli.exits import WrongUse
from provisor.cli.signin import sign_in_options
from provisor.cli.workspace import SignIn

THERE = ("--sign-in-issuer", "https://login.example.com", "--sign-in-client", "provisor")


def said(*arguments: str) -> SignIn | None:
    heard: list[SignIn | None] = []

    @click.command()
    @sign_in_options
    def serve(sign_in: SignIn | None) -> None:
        heard.append(sign_in)

    serve.main(list(arguments), standalone_mode=False)
    return heard[0]


def test_nothing_is_said_and_keys_alone_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVISOR_SIGN_IN_ISSUER", raising=False)
    assert said() is None


def test_groups_may_be_named_as_directories_name_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    grants = ("cn=admins,dc=example=Directory.ReadWrite.All", "staff=AuditLog.Read.All")
    given = [part for one in grants for part in ("--sign-in-grant", one)]
    secret = ("--sign-in-secret-file", str(tmp_path / "secret"))
    found = said(*THERE, "--sign-in-claim", "groups", *given, *secret)
    assert found is not None
    assert found.client_secret == "hush"
    assert found.grants == {
        "cn=admins,dc=example": frozenset({"Directory.ReadWrite.All"}),
        "staff": frozenset({"AuditLog.Read.All"}),
    }
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (THERE[:2], "go together"),
        (("--sign-in-claim", "groups"), "need --sign-in-issuer"),
        (("--sign-in-issuer", "http://login.example.com", *THERE[2:]), "begins with https://"),
        ((*THERE, "--sign-in-claim", "groups"), "say by --sign-in-grant"),
        ((*THERE, "--sign-in-grant", "a=Directory.ReadWrite"), "no permission Directory.ReadWrite"),
        ((*THERE, "--sign-in-grant", "admins"), "it is VALUE=SCOPE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(WrongUse, match=sentence):
        said(*arguments)
