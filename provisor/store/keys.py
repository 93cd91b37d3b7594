"""The key of a workspace: in a file that only its owner reads, or in the environment; never in
the store."""

from __future__ import annotations

import binascii
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provisor.errors import StoreFailed
from provisor.store.files import replace_private

VARIABLE = "PROVISOR_KEY"
KEY_BYTES, ID_BYTES, NONCE_BYTES = 32, 8, 12
VERSION = b"\x01"


class KeyUnusable(StoreFailed):
    """There is no key, or none that may be used, or not the one that something was sealed with."""

    default_code = "KeyUnusable"


@dataclass(frozen=True, slots=True)
class Key:
    id: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id.hex()})"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key that seals, first, and those that something may still be sealed with."""

    keys: tuple[Key, ...]

    def seal(self, content: bytes, about: bytes) -> bytes:
        """Encrypt; `about` must be the same to open it again. AES-256-GCM, a fresh nonce each."""
        key, nonce = self.keys[0], os.urandom(NONCE_BYTES)
        return VERSION + key.id + nonce + AESGCM(key.secret).encrypt(nonce, content, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Decrypt. Raises KeyUnusable."""
        head = len(VERSION) + ID_BYTES
        id, nonce = sealed[len(VERSION) : head], sealed[head : head + NONCE_BYTES]
        key = next((k for k in self.keys if k.id == id), None)
        if key is None or sealed[: len(VERSION)] != VERSION:
            raise KeyUnusable(
                "this was sealed with another key than the workspace has now; bring the key back "
                "that was used, or enter the secret again"
            )
        try:
            return AESGCM(key.secret).decrypt(nonce, sealed[head + NONCE_BYTES :], about)
        except InvalidTag as error:
            raise KeyUnusable("this was changed since it was sealed, or moved elsewhere") from error


class KeyFile:
    """Where a workspace's keys lie."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._given = environment.get(VARIABLE, "")

    def make(self) -> None:
        """Make a key unless there is one. Raises KeyUnusable."""
        if not self._given and not self._path.exists():
            self._write((_new_key(),))

    def ring(self) -> KeyRing:
        """Return the keys as they are now. Raises KeyUnusable."""
        if self._given:
            return KeyRing((_key_of(_decoded(self._given, f"the variable {VARIABLE}")),))
        try:
            self._refuse_if_shared()
            lines = self._path.read_text("ascii").split()
        except FileNotFoundError as error:
            raise KeyUnusable(
                f"there is no key file {self._path.name}; put the workspace's key back beside "
                f"provisor.yaml, or into the variable {VARIABLE}"
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise KeyUnusable(f"the key file {self._path.name} cannot be read: {error}") from error
        if not lines:
            raise KeyUnusable(f"the key file {self._path.name} is empty")
        return KeyRing(tuple(_key_of(_decoded(line, self._path.name)) for line in lines))

    def begin_rotation(self) -> KeyRing:
        """Put a new key before those there are: from now on it seals, and all still open."""
        if self._given:
            raise KeyUnusable(
                f"the key comes from the variable {VARIABLE}: put it into the key file to rotate it"
            )
        keys = (_new_key(), *self.ring().keys)
        self._write(keys)
        return KeyRing(keys)

    def end_rotation(self, ring: KeyRing) -> None:
        """Drop all keys but the first: nothing is sealed with them any more."""
        self._write(ring.keys[:1])

    def _write(self, keys: tuple[Key, ...]) -> None:
        lines = [b64encode(key.secret) for key in keys]
        try:
            replace_private(self._path, b"\n".join(lines) + b"\n")
        except OSError as error:
            raise KeyUnusable(f"the key file cannot be written: {error}") from error

    def _refuse_if_shared(self) -> None:
        """Windows has no such bits; its access lists are left to the administrator."""
        if os.name != "posix":
            return
        mode = self._path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyUnusable(
                f"others may read the key file {self._path.name}; take that from them with "
                f"chmod 600 {self._path.name}, and rotate the key if somebody may have read it"
            )


def _decoded(text: str, where: str) -> bytes:
    try:
        secret = b64decode(text, validate=True)
    except binascii.Error as error:
        raise KeyUnusable(f"the key in {where} is no base64") from error
    if len(secret) != KEY_BYTES:
        raise KeyUnusable(f"the key in {where} has {len(secret)} bytes where {KEY_BYTES} are due")
    return secret


def _new_key() -> Key:
    return _key_of(os.urandom(KEY_BYTES))


def _key_of(secret: bytes) -> Key:
    """The id is derived, so that a key in the environment has the same one everywhere."""
    digest = AESGCM(secret).encrypt(b"\0" * NONCE_BYTES, b"", b"provisor key id")
    return Key(digest[:ID_BYTES], secret)
