"""An entry that was found and is no object."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.model.entries import Anchor, ReadFault


@dataclass(frozen=True, slots=True)
class NoObject:
    """Why an entry is no object, and whose it is if that is certain."""

    where: str
    message: str
    anchor: Anchor | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"

    def fault(self, kind: str) -> ReadFault:
        """Return what a read says of it, where an object of this kind was looked for."""
        return ReadFault(kind=kind, where=self.where, message=self.message, anchor=self.anchor)
