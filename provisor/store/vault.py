"""Secrets, encrypted at rest. Bound to workspace, owner and name: moved, they do not open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from provisor.store.keys import KeyFile


class SecretRows(Protocol):
    """Where sealed secrets lie."""

    def secret(self, owner: str, name: str) -> bytes | None: ...

    def secret_names(self, owner: str) -> Sequence[str]: ...

    def all_secrets(self) -> Sequence[tuple[str, str, bytes]]: ...

    def put_secrets(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        """Write all of them or none."""
        ...

    def delete_secret(self, owner: str, name: str) -> None: ...


class SealedVault:
    """Implements `ports.Vault`."""

    def __init__(self, rows: SecretRows, keys: KeyFile, workspace: str) -> None:
        """`workspace` is part of what each secret is bound to."""
        self._rows = rows
        self._keys = keys
        self._workspace = workspace

    async def put(self, owner: str, name: str, value: str) -> None:
        sealed = self._keys.ring().seal(value.encode(), self._about(owner, name))
        self._rows.put_secrets([(owner, name, sealed)])

    async def get(self, owner: str, name: str) -> str | None:
        sealed = self._rows.secret(owner, name)
        if sealed is None:
            return None
        return self._keys.ring().open(sealed, self._about(owner, name)).decode()

    async def names(self, owner: str) -> Sequence[str]:
        return self._rows.secret_names(owner)

    async def delete(self, owner: str, name: str) -> None:
        self._rows.delete_secret(owner, name)

    async def rotate(self) -> int:
        """Whenever the process dies, every secret opens with one of the keys in the file."""
        ring = self._keys.begin_rotation()
        rows = [
            (owner, name, ring.seal(ring.open(sealed, about), about))
            for owner, name, sealed in self._rows.all_secrets()
            for about in [self._about(owner, name)]
        ]
        self._rows.put_secrets(rows)
        self._keys.end_rotation(ring)
        return len(rows)

    def _about(self, owner: str, name: str) -> bytes:
        parts = (self._workspace, owner, name)
        return b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
