"""What those values are made of that a cycle makes by the hundred for each object: frozen, compared
and hashed by what they say, and made in C, in a fifth of the time that a frozen dataclass takes."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["Frozen", "field", "replace"]


class Frozen(Struct, frozen=True):
    """Each of its classes says `frozen=True` once more: a type checker asks for it."""
