"""Takes settings out of a mapping one by one, and gathers what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import cast

from provisor.connectors.around.problems import Invalid, Problem, duration_s, no_such_setting

__all__ = ["Form", "Invalid", "Problem"]


class Form:
    """Reads one mapping of settings."""

    def __init__(
        self,
        raw: Mapping[str, object],
        prefix: str,
        problems: list[Problem],
        known: Sequence[str] | None,
    ) -> None:
        """`known` names the keys there are; None: any."""
        self._raw, self._prefix, self._problems, self._known = raw, prefix, problems, known

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._raw)

    def complain(self, key: str, message: str) -> None:
        path = f"{self._prefix}{key}" if key else self._prefix.rstrip(".")
        self._problems.append(Problem(path, message))

    def finish(self) -> None:
        """Complain about keys that there are not: most often misspellings."""
        if self._known is None:
            return
        for key in self._raw:
            if key not in self._known:
                self.complain(key, no_such_setting(key, self._known))

    def text(self, key: str, default: str = "") -> str:
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.complain(key, "is to be a text; put it in quotes")
            return default
        return value

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value and not any(one.path == f"{self._prefix}{key}" for one in self._problems):
            self.complain(key, "is missing")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._raw.get(key, default)
        if not isinstance(value, bool):
            self.complain(key, "is to be true or false")
            return default
        return value

    def count(self, key: str, default: int) -> int:
        value = self._raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.complain(key, "is to be a whole number of 1 or more")
            return default
        return value

    def seconds(self, key: str, default: float) -> float:
        value = self._raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 86_400:
            self.complain(key, "is to be a number of seconds above 0")
            return default
        return float(value)

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        value = self._raw.get(key, default)
        if value is False and "off" in choices:  # YAML reads a bare off as false
            return "off"
        if value not in choices:
            self.complain(key, f"is to be one of {', '.join(choices)}")
            return default
        return str(value)

    def duration(
        self, key: str, default: timedelta | None, *, never: bool = False
    ) -> timedelta | None:
        """Accept `PT10M`, `P1D`; with `never` also that word, which gives None."""
        value = self._raw.get(key)
        if value is None:
            return default
        if never and value == "never":
            return None
        found = duration_s(value) if isinstance(value, str) else None
        if found is None:
            also = ", or never" if never else ""
            self.complain(key, f"is to be a duration such as PT10M or P1D{also}")
            return default
        return timedelta(seconds=found)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Accept one text or number, or a list of them; None where there is nothing."""
        value = self._raw.get(key)
        if value is None:
            return None
        given = cast("Sequence[object]", value) if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int) for one in given):
            self.complain(key, "is to be a list of texts")
            return ()
        return tuple(str(one) for one in given)

    def texts_by_name(self, key: str) -> Mapping[str, str]:
        inner = self.inner(key, None)
        return {name: inner.needed(name) for name in inner.names} if inner is not None else {}

    def names_of(self, key: str) -> Mapping[str, str | None]:
        """Accept names by column; null leaves a column out."""
        inner = self.inner(key, None)
        found: dict[str, str | None] = {}
        for name in inner.names if inner is not None else ():
            value = cast("Mapping[str, object]", self._raw[key])[name]
            if value is not None and (not isinstance(value, str) or not value):
                self.complain(f"{key}.{name}", "is to be a name, or null to leave the column out")
            else:
                found[name] = value
        taken = [name for name in found.values() if name is not None]
        for name in sorted({name for name in taken if taken.count(name) > 1}):
            self.complain(key, f"gives the name {name} to several columns")
        return found

    def inner(self, key: str, known: Sequence[str] | None) -> Form | None:
        """Return a form of the mapping inside; None where there is none."""
        value = self._raw.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.complain(key, "is to be a mapping")
            return None
        raw = {str(k): v for k, v in cast("Mapping[object, object]", value).items()}
        return Form(raw, f"{self._prefix}{key}.", self._problems, known)

    def several(self, key: str, known: Sequence[str]) -> Iterator[Form]:
        """Yield a form for each mapping of a list, or for the one that is there."""
        value = self._raw.get(key)
        if isinstance(value, list):
            for place, one in enumerate(cast("Sequence[object]", value)):
                if isinstance(one, Mapping):
                    raw = {str(k): v for k, v in cast("Mapping[object, object]", one).items()}
                    yield Form(raw, f"{self._prefix}{key}.{place}.", self._problems, known)
                else:
                    self.complain(f"{key}.{place}", "is to be a mapping")
        elif (inner := self.inner(key, known)) is not None:
            yield inner
