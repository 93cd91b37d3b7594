"""References are read at each use; what they lead to is never stored, nor shown when they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisor.settings.references import references, resolve


def test_environment_files_and_vault_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    settings = {
        "a": "env:NAME",
        "b": {"c": "file:secret"},
        "d": "sealed:0123",
        "e": "plain",
        "f": [1, "env:NAME"],
    }

    resolved = resolve(settings, tmp_path, {"NAME": "from outside"}, {"d": "from the vault"})

    assert resolved.settings == {
        "a": "from outside",
        "b": {"c": "from a file"},
        "d": "from the vault",
        "e": "plain",
        "f": [1, "from outside"],
    }
    assert not resolved.unresolved


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:MISSING", "the environment variable MISSING is not set"),
        ("env:EMPTY", "the environment variable EMPTY is empty"),
        ("file:missing", "cannot be read: No such file"),
        ("file:empty", "is empty"),
        ("file:binary", "is not UTF-8"),
        ("sealed:00", "`provisor secrets set` puts one"),
    ],
)
def test_what_leads_nowhere_says_the_way_out(reference: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    resolved = resolve({"a": {"b": reference}}, tmp_path, {"EMPTY": ""}, {})

    (missing,) = resolved.unresolved
    assert missing.path == "a.b"
    assert message in missing.message
    assert resolved.settings == {"a": {}}


def test_references_are_listed_with_their_paths() -> None:
    settings = {"token": "env:A", "oauth": {"clientSecret": "file:b", "clientId": "plain"}}

    assert list(references(settings)) == [("token", "env:A"), ("oauth.clientSecret", "file:b")]
