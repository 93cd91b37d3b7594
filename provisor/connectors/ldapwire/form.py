"""Reading settings field by field, and gathering everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from provisor.connectors.around.problems import Invalid, Problem, duration_s, no_such_setting
from provisor.connectors.ldapwire import filters, names

__all__ = ["Form", "Invalid", "Problem"]

Choice = TypeVar("Choice", bound=str)
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*|\d+(?:\.\d+)+")


class Form:
    """One level of settings. What is wrong goes to a list that all levels share."""

    def __init__(
        self,
        raw: Mapping[str, object],
        allowed: Sequence[str],
        problems: list[Problem],
        prefix: str = "",
    ) -> None:
        self._raw, self.problems, self._prefix = raw, problems, prefix
        for key in raw:
            if key not in allowed:
                self.refuse(key, no_such_setting(key, allowed))

    def __contains__(self, key: str) -> bool:
        return self._raw.get(key) is not None

    def refuse(self, key: str, message: str) -> None:
        self.problems.append(Problem(f"{self._prefix}{key}", message))

    def text(self, key: str, default: str = "") -> str:
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.refuse(key, "is to be a text; put it in quotes")
            return default
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(key, "is to be true or false")
            return default
        return value

    def number(self, key: str, default: int, low: int, high: int) -> int:
        value = self._raw.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(key, f"is to be a whole number between {low} and {high}")
            return default
        return value

    def seconds(self, key: str, default: float, low: float, high: float) -> float:
        """Accept seconds, or an ISO 8601 duration of days and less (`PT5M`)."""
        value = self._raw.get(key)
        if value is None:
            return default
        if isinstance(value, str):
            value = duration_s(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, "is to be a number of seconds, or a duration such as PT5M")
            return default
        if not low <= value <= high:
            self.refuse(key, f"is to lie between {low:g} and {high:g} seconds")
            return default
        return float(value)

    def choice(self, key: str, default: str, *allowed: str) -> str:
        value = self.text(key, default)
        if value not in allowed:
            self.refuse(key, f"is to be one of {', '.join(allowed)}")
            return default
        return value

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Accept one text, or a list of them."""
        value = self._raw.get(key)
        if value is None:
            return default
        given = cast("Sequence[object]", value) if isinstance(value, list | tuple) else [value]
        found = tuple(one for one in given if isinstance(one, str) and one)
        if len(found) != len(given):
            self.refuse(key, "is to be a text, or a list of texts")
            return default
        return found

    def attribute(self, key: str, default: str = "") -> str:
        value = self.text(key, default)
        if value and not ATTRIBUTE.fullmatch(value):
            self.refuse(key, f"'{value}' is no name of an LDAP attribute")
            return default
        return value

    def attributes(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        values = self.texts(key, default)
        for value in values:
            if not ATTRIBUTE.fullmatch(value):
                self.refuse(key, f"'{value}' is no name of an LDAP attribute")
                return default
        return values

    def dn(self, key: str, default: str = "") -> str:
        value = self.text(key, default)
        try:
            names.parse(value)
        except names.NotAName as odd:
            self.refuse(key, str(odd))
            return default
        return value

    def filter(self, key: str) -> str:
        value = self.text(key)
        if not value:
            return ""
        try:
            filters.encode(value)
        except filters.NotAFilter as odd:
            self.refuse(key, str(odd))
            return ""
        return value if value.startswith("(") else f"({value})"

    def below(self, key: str, *allowed: str) -> Form | None:
        """Return the settings within a setting, None if there are none."""
        value = self._raw.get(key)
        if value is None or isinstance(value, bool):
            return None
        if not isinstance(value, Mapping):
            self.refuse(key, f"is to have settings of its own: {', '.join(allowed)}")
            return None
        inner = {str(k): v for k, v in cast("Mapping[object, object]", value).items()}
        return Form(inner, allowed, self.problems, f"{self._prefix}{key}.")

    def is_off(self, key: str) -> bool:
        return self._raw.get(key) is False

    def names(self, key: str) -> Mapping[str, str | None]:
        """Accept a name for each attribute, or null to leave it out."""
        value = self._raw.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(key, "is to say, attribute by attribute, what it is called inside")
            return {}
        found: dict[str, str | None] = {}
        for attribute, name in cast("Mapping[object, object]", value).items():
            if name is not None and (not isinstance(name, str) or not name):
                self.refuse(f"{key}.{attribute}", "is to be a name, or null to leave it out")
            elif not ATTRIBUTE.fullmatch(str(attribute)):
                self.refuse(f"{key}.{attribute}", "is no name of an LDAP attribute")
            else:
                found[str(attribute)] = name
        return found
