"""Objects that are being carried through, as they are remembered now.

Who has the job is the only one who changes its standings, so that what was read need not be read
again before the next step. What waits for an administrator is not held: approvals come from
elsewhere.
"""

from __future__ import annotations

from provisor.model.decisions import Standing, StandingKey

HELD_MAX = 2_000


class Held:
    def __init__(self) -> None:
        self._numbers: dict[StandingKey, int] = {}
        self._standings: dict[int, Standing] = {}

    def clear(self) -> None:
        self._numbers.clear()
        self._standings.clear()

    def keep(self, number: int, standing: Standing) -> None:
        """Hold an object that was just read."""
        if standing.staged is not None or standing.references_staged is not None:
            return
        if len(self._standings) >= HELD_MAX:
            self.clear()
        self._numbers[standing.key] = number
        self._standings[number] = standing

    def find(self, key: StandingKey) -> tuple[int, Standing] | None:
        """Return an object with its number, if it is held."""
        number = self._numbers.get(key)
        standing = self._standings.get(number) if number is not None else None
        return None if number is None or standing is None else (number, standing)

    def numbered(self, number: int) -> Standing | None:
        """Return an object by its number, if it is held."""
        return self._standings.get(number)

    def change(self, number: int, standing: Standing) -> None:
        """An object that may be held is this from now on."""
        if number in self._standings:
            self._standings[number] = standing

    def drop(self, number: int) -> None:
        """An object that may be held is another by now."""
        self._standings.pop(number, None)
