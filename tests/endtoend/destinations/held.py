"""What tests want of any server that an organisation flows into."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Held:
    """What a target says: accounts by login, members by the name of the group."""

    accounts: Mapping[str, tuple[str, str, str]]
    """Display name, title and the manager's login, of whoever is enabled."""
    members: Mapping[str, set[str]]
    disabled: set[str]
    odd: Sequence[str] = ()
    """What else is not as it is to be."""


class Target(Protocol):
    settings: str
    password: str
    """Of the account that writes; `TARGET_PASSWORD` to the settings."""

    def login(self, user_name: str) -> str: ...

    def says(self) -> Held: ...

    @contextmanager
    def cut_off(self) -> Generator[None]:
        """Break connections meanwhile once a part of the people is there: answers are lost."""
        ...

    @property
    def asked(self) -> int:
        """Return how many requests came so far; 0 where nobody can look on."""
        ...

    def restart(self) -> None:
        """Break all connections; be started again where the server is ours alone."""
        ...

    def edit(self, login: str, other: str, disabled: str) -> None:
        """Let somebody else give a person another title, disable another, and enable one who is
        disabled."""
        ...

    def expel(self, login: str, group: str) -> None:
        """Let somebody else take a person out of a group."""
        ...
