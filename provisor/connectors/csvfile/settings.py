"""What an administrator says about CSV files; parsed once, with all problems at once."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from provisor.connectors.around.problems import Invalid, Problem, no_such_setting

__all__ = ["CsvSettings", "Format", "Invalid", "Membership", "Problem", "parse"]

CANONICAL_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"userName": "userPrincipalName", "familyName": "surname", "id": "objectId"}
)
"""What columns are called inside, unless `attributes` says otherwise (spec: settled 31)."""

SETTLE_MAX_S: Final = 3600.0
KEYS: Final = (
    "users",
    "groups",
    "members",
    "anchor",
    "delimiter",
    "quote",
    "encoding",
    "multiValueSeparator",
    "multiValued",
    "attributes",
    "emptyAsNull",
    "settleFor",
    "manifest",
    "membership",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How characters become cells."""

    delimiter: str = ","
    quote: str | None = '"'
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What the columns of the members file are called."""

    group: str = "group"
    member: str = "member"
    type: str = "type"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSettings:
    """Valid by construction: use `parse`. Paths are absolute."""

    users: tuple[Path, ...]
    groups: tuple[Path, ...] = ()
    members: tuple[Path, ...] = ()
    manifest: Path | None = None
    user_anchor: str = "id"
    group_anchor: str = "id"
    format: Format = field(default_factory=Format)
    membership: Membership = field(default_factory=Membership)
    separator: str = ""
    """Stands between the values of one cell; empty: every cell is one value."""
    multivalued: frozenset[str] | None = None
    """The columns to split; None: every cell in which the separator stands."""
    attributes: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Names by column, as the administrator wrote them; None leaves the column out."""
    empty_as_null: bool = True
    settle_for_s: float = 2.0

    def name_of(self, column: str) -> str | None:
        """Return what a column's values are called inside; None if they are left out.

        A default gives way where the administrator has given its name to another column.
        """
        if column in self.attributes:
            return self.attributes[column]
        name = CANONICAL_NAMES.get(column, column)
        return column if name in self.attributes.values() else name


def parse(raw: Mapping[str, object], base: Path) -> CsvSettings | Invalid:
    """Return settings in which every path is relative to `base`, or all that is wrong."""
    form = _Form(raw, base)
    anchors = form.anchors()
    settings = CsvSettings(
        users=form.paths("users"),
        groups=form.paths("groups"),
        members=form.paths("members"),
        manifest=next(iter(form.paths("manifest", count_max=1)), None),
        user_anchor=anchors[0],
        group_anchor=anchors[1],
        format=form.format(),
        membership=form.membership(),
        separator=form.text("multiValueSeparator", ""),
        multivalued=form.multivalued(),
        attributes=form.attributes(),
        empty_as_null=form.flag("emptyAsNull", default=True),
        settle_for_s=form.seconds("settleFor", 2.0),
    )
    form.check_whole(settings)
    return Invalid(tuple(form.problems)) if form.problems else settings


class _Form:
    """Reads fields one by one and gathers what is wrong with them."""

    def __init__(self, raw: Mapping[str, object], base: Path) -> None:
        self._raw = raw
        self._base = base
        self.problems: list[Problem] = []
        for key in raw:
            if key not in KEYS:
                self._refuse(key, no_such_setting(key, KEYS))

    def text(self, key: str, default: str) -> str:
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self._refuse(key, "is to be a text; put it in quotes")
            return default
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._raw.get(key, default)
        if not isinstance(value, bool):
            self._refuse(key, "is to be true or false")
            return default
        return value

    def seconds(self, key: str, default: float) -> float:
        """Accept seconds or an ISO 8601 duration of minutes and seconds (`PT1M30S`)."""
        value = self._raw.get(key, default)
        if isinstance(value, str) and len(value) > 2:
            parts = re.fullmatch(r"PT(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", value)
            value = 60 * int(parts[1] or 0) + float(parts[2] or 0) if parts else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(key, "is to be a number of seconds, or a duration such as PT2S")
            return default
        if not 0 <= value <= SETTLE_MAX_S:
            self._refuse(key, f"is to lie between 0 and {SETTLE_MAX_S:g} seconds")
            return default
        return float(value)

    def paths(self, key: str, count_max: int = 1000) -> tuple[Path, ...]:
        """Accept one path, or a list of them. Symbolic links are kept: they may be moved on."""
        value = self._raw.get(key)
        if value is None:
            return ()
        given = cast("Sequence[object]", value) if isinstance(value, list) else [value]
        texts = [path for path in given if isinstance(path, str) and path]
        if len(texts) != len(given) or not 0 < len(texts) <= count_max:
            many = " or a list of such names" if count_max > 1 else ""
            self._refuse(key, f"is to be the name of a file{many}")
            return ()
        found = tuple(Path(os.path.abspath(self._base / path)) for path in texts)  # noqa: PTH100
        if len(set(found)) != len(found):
            self._refuse(key, "names a file twice")
        return found

    def anchors(self) -> tuple[str, str]:
        """Accept one column for users and groups, or one for each."""
        value = self._raw.get("anchor", "id")
        if isinstance(value, str) and value:
            return value, value
        if isinstance(value, Mapping):
            each = self._texts("anchor", cast("Mapping[object, object]", value), "users", "groups")
            return each.get("users", "id"), each.get("groups", "id")
        self._refuse("anchor", "is to be the column that holds the id which never changes")
        return "id", "id"

    def membership(self) -> Membership:
        value = self._raw.get("membership")
        if value is None:
            return Membership()
        if not isinstance(value, Mapping):
            self._refuse("membership", "is to say what the columns group, member, type are called")
            return Membership()
        columns = cast("Mapping[object, object]", value)
        return Membership(**self._texts("membership", columns, "group", "member", "type"))

    def attributes(self) -> Mapping[str, str | None]:
        value = self._raw.get("attributes")
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._refuse("attributes", "is to say, column by column, what it is called inside")
            return {}
        names: dict[str, str | None] = {}
        for column, name in cast("Mapping[object, object]", value).items():
            if name is not None and (not isinstance(name, str) or not name):
                self._refuse(f"attributes.{column}", "is to be a name, or null to leave it out")
            else:
                names[str(column)] = name
        self._refuse_shared_names(names)
        return names

    def _refuse_shared_names(self, names: Mapping[str, str | None]) -> None:
        taken: dict[str, str] = {}
        for column, name in names.items():
            if name is not None and taken.setdefault(name, column) != column:
                message = f"{name} is the name of the column {taken[name]} already"
                self._refuse(f"attributes.{column}", message)

    def multivalued(self) -> frozenset[str] | None:
        value = self._raw.get("multiValued")
        if value is None:
            return None
        given = cast("Sequence[object]", value) if isinstance(value, list) else ()
        names = frozenset(name for name in given if isinstance(name, str))
        if not names or len(names) != len(given):
            self._refuse("multiValued", "is to be a list of columns")
        if not self._raw.get("multiValueSeparator"):
            self._refuse("multiValued", "needs multiValueSeparator: what stands between values")
        return names

    def format(self) -> Format:
        delimiter = self._mark("delimiter", ",")
        quote = self._mark("quote", '"') if self._raw.get("quote", '"') else None
        if delimiter == quote:
            self._refuse("quote", "cannot be the delimiter too")
        encoding = self.text("encoding", "utf-8")
        try:
            "a,\n".encode(encoding)
            codecs.getincrementaldecoder(encoding)
        except (LookupError, UnicodeError):
            known = "utf-8, utf-16, windows-1252, iso-8859-1, …"
            self._refuse("encoding", f"there is no encoding {encoding!r}; there are {known}")
        return Format(delimiter=delimiter, quote=quote, encoding=encoding)

    def check_whole(self, settings: CsvSettings) -> None:
        """Refuse what is wrong only when settings are seen together."""
        if not settings.users and "users" not in self._refused():
            self._refuse("users", "is missing: name the file that holds the people")
        if settings.members and not settings.groups and "groups" not in self._refused():
            self._refuse("groups", "is missing: members belong to groups, so name their file too")
        every = [*settings.users, *settings.groups, *settings.members]
        every += [settings.manifest] if settings.manifest else []
        each_once = len(set(every)) == len(every)
        if not each_once and not self.problems:
            self._refuse("users", "one file cannot be two of users, groups, members, manifest")
        if settings.manifest and len({path.name for path in every}) != len(set(every)):
            self._refuse("manifest", "needs files whose names differ, folders left aside")

    def _texts(self, key: str, value: Mapping[object, object], *allowed: str) -> dict[str, str]:
        texts: dict[str, str] = {}
        for name, text in value.items():
            if name not in allowed:
                self._refuse(f"{key}.{name}", f"is none of {', '.join(allowed)}")
            elif not isinstance(text, str) or not text:
                self._refuse(f"{key}.{name}", "is to be the name of a column")
            else:
                texts[str(name)] = text
        return texts

    def _mark(self, key: str, default: str) -> str:
        mark = self.text(key, default)
        if len(mark) != 1 or mark in "\r\n\0":
            self._refuse(key, 'is to be a single character; for a tabulator write "\\t"')
            return default
        return mark

    def _refused(self) -> set[str]:
        return {problem.path for problem in self.problems}

    def _refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))
