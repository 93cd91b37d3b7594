"""Secrets open for the workspace, owner and name they were sealed for, and with its key alone."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest

from provisor.store.keys import VARIABLE, KeyFile, KeyUnusable
from provisor.store.sqlite.store import SqliteStore
from provisor.store.vault import SealedVault


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "provisor.db")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    file = KeyFile(tmp_path / "provisor.key", {})
    file.make()
    return file


def test_a_secret_comes_back_and_does_not_lie_in_the_store(
    store: SqliteStore, keys: KeyFile, tmp_path: Path
) -> None:
    vault = SealedVault(store, keys, "tenant")

    asyncio.run(vault.put("app", "target.token", "s3cret-value"))

    assert asyncio.run(vault.get("app", "target.token")) == "s3cret-value"
    assert asyncio.run(vault.names("app")) == ["target.token"]
    for file in tmp_path.glob("provisor.db*"):
        assert b"s3cret-value" not in file.read_bytes()


def test_a_secret_that_is_not_there_is_none_and_a_deleted_one_is_gone(
    store: SqliteStore, keys: KeyFile
) -> None:
    vault = SealedVault(store, keys, "tenant")
    asyncio.run(vault.put("app", "token", "x"))

    asyncio.run(vault.delete("app", "token"))

    assert asyncio.run(vault.get("app", "token")) is None
    assert asyncio.run(vault.names("app")) == []


@pytest.mark.parametrize(
    ("workspace", "owner", "name"),
    [("another", "app", "token"), ("tenant", "another", "token"), ("tenant", "app", "another")],
)
def test_a_secret_that_was_moved_does_not_open(
    store: SqliteStore, keys: KeyFile, workspace: str, owner: str, name: str
) -> None:
    asyncio.run(SealedVault(store, keys, "tenant").put("app", "token", "x"))
    sealed = store.secret("app", "token")
    assert sealed is not None
    store.put_secrets([(owner, name, sealed)])

    with pytest.raises(KeyUnusable):
        asyncio.run(SealedVault(store, keys, workspace).get(owner, name))


def test_rotation_makes_a_new_key_and_every_secret_still_opens(
    store: SqliteStore, keys: KeyFile, tmp_path: Path
) -> None:
    vault = SealedVault(store, keys, "tenant")
    asyncio.run(vault.put("app", "token", "x"))
    before = (tmp_path / "provisor.key").read_bytes()

    assert asyncio.run(vault.rotate()) == 1

    after = (tmp_path / "provisor.key").read_bytes()
    assert len(after.split()) == 1
    assert after != before
    assert asyncio.run(vault.get("app", "token")) == "x"


@pytest.mark.parametrize("dies_after_sealing", [False, True])
def test_a_rotation_that_dies_leaves_every_secret_readable(
    store: SqliteStore, keys: KeyFile, dies_after_sealing: bool
) -> None:
    vault = SealedVault(store, keys, "tenant")
    asyncio.run(vault.put("app", "token", "x"))

    ring = keys.begin_rotation()
    if dies_after_sealing:
        asyncio.run(vault.put("app", "other", "y"))

    assert len(ring.keys) == 2
    assert asyncio.run(vault.get("app", "token")) == "x"
    assert asyncio.run(vault.rotate()) == 1 + dies_after_sealing
    assert asyncio.run(vault.get("app", "token")) == "x"


def test_a_key_file_that_others_may_read_is_refused(keys: KeyFile, tmp_path: Path) -> None:
    (tmp_path / "provisor.key").chmod(0o640)

    with pytest.raises(KeyUnusable, match="chmod 600"):
        keys.ring()


def test_a_key_file_is_made_for_its_owner_alone(keys: KeyFile, tmp_path: Path) -> None:
    assert (tmp_path / "provisor.key").stat().st_mode & 0o777 == 0o600


def test_the_environment_may_hold_the_key_which_cannot_be_rotated_there(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "none.key", {VARIABLE: b64encode(bytes(32)).decode()})

    sealed = keys.ring().seal(b"x", b"about")

    assert keys.ring().open(sealed, b"about") == b"x"
    with pytest.raises(KeyUnusable, match="key file"):
        keys.begin_rotation()


@pytest.mark.parametrize("text", ["", "no base64!", "c2hvcnQ="])
def test_a_key_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "provisor.key"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(KeyUnusable, match=r"provisor\.key"):
        KeyFile(path, {}).ring()


def test_what_was_sealed_with_another_key_says_so(keys: KeyFile, tmp_path: Path) -> None:
    other = KeyFile(tmp_path / "other.key", {})
    other.make()
    sealed = other.ring().seal(b"x", b"")

    with pytest.raises(KeyUnusable, match="another key"):
        keys.ring().open(sealed, b"")
