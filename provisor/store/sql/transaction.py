"""Transactions on whatever database, and its errors by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

C = TypeVar("C")


class NamedFailures:
    """Turns what the database raises into a StoreFailed that says what can be done."""

    __slots__ = ("_name",)

    def __init__(self, name: Callable[[BaseException], None]) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self._name(error)


@dataclass(frozen=True, slots=True)
class Ways(Generic[C]):
    """How a connection begins and ends a transaction."""

    connection: C
    begin: Callable[[str], object]
    """Begin one, and return the first row of what is asked in it first, if anything is."""
    commit: Callable[[], object]
    roll_back: Callable[[], object]
    """Raises nothing: what was not committed does not count either way."""
    name: Callable[[BaseException], None]
    """Raise a database error by its name; return where it is none, or shows a mistake of ours."""


class Transaction(Generic[C]):
    """Does everything inside, or nothing. Raises StoreFailed, and what is raised inside.

    `check` is called inside, first of all, with the row that is asked for, and `undone` whenever
    nothing was done. A class, since this is what every object of a cycle passes through twice.
    """

    __slots__ = ("_asks", "_check", "_undone", "_ways")

    def __init__(
        self,
        ways: Ways[C],
        asks: str = "",
        check: Callable[[Any], None] = lambda row: None,
        undone: Callable[[], None] = lambda: None,
    ) -> None:
        self._ways, self._asks = ways, asks
        self._check, self._undone = check, undone

    def __enter__(self) -> C:
        try:
            self._check(self._ways.begin(self._asks))
        except BaseException as error:
            self._undo(error)
            raise
        return self._ways.connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self._undo(error)
            return
        try:
            self._ways.commit()
        except BaseException as failure:
            self._undo(failure)
            raise

    def _undo(self, error: BaseException) -> None:
        self._ways.roll_back()
        self._undone()
        self._ways.name(error)
