"""What administrators set for a job besides its rules, in all the places where they may set it.

Four layers, each over the one before: what Provisor does by itself, the configuration file
(`guards:` and its neighbours), secrets that are settings, settings of the job. A threshold in the
last two can tighten a guard, never loosen it (spec: settled 12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast

import msgspec

from provisor.graph.problems import Problem, Problems
from provisor.graph.schema.codes import Code
from provisor.graph.schema.directories import closest
from provisor.graph.wire.base import duration_of
from provisor.model.entries import Anchor, EntryKey
from provisor.model.rules import Policy, TargetReads

SYNC_ALL = "SyncAll"
SKIP_OUT_OF_SCOPE = "SkipOutOfScopeDeletions"
NOTIFICATIONS = "SyncNotificationSettings"
HARD_DELETES = "HardDeletesEnabled"
THRESHOLD = "QuarantineTooManyDeletesThreshold"
THRESHOLD_DEFAULT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Who hears of a quarantine."""

    is_enabled: bool = False
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """All that is set for a job, by whatever way."""

    policy: Policy = field(default_factory=Policy)
    has_hard_deletes: bool = True
    """False: every Delete flow is off (`schema.rules.without_deletes`)."""
    notifications: Notifications = field(default_factory=Notifications)


class Drift(StrEnum):
    """What a reconcile does with what others changed."""

    REPAIR = "repair"
    REPORT = "report"


def from_file(
    options: Mapping[str, object], base: Policy | None = None
) -> tuple[Policy, tuple[Problem, ...]]:
    """Return the policy that a job's entry in the configuration file makes of `base`.

    `options` holds only what `OPTIONS` names; what is missing stays as it is.
    """
    problems = Problems()
    policy = base or Policy()
    for name, value in options.items():
        read = OPTIONS.get(name)
        if read is None:
            _unknown(name, OPTIONS, problems.at(name))
        elif value is not None:
            policy = read(policy, value, problems.at(name))
    return policy, tuple(problems.found)


def from_api(
    base: Policy, *, settings: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[JobOptions, tuple[Problem, ...]]:
    """Return what settings and secrets make of the policy of the file.

    What they leave out stays as the file has it. Names that mean nothing here are others' business.
    """
    problems = Problems()
    options = JobOptions(policy=base)
    given = {**_spelled(secrets), **_spelled(settings)}
    for name, read in SETTINGS.items():
        text = given.get(name.lower())
        if text:
            options = read(options, text, problems.at(name))
    return options, tuple(problems.found)


def _spelled(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs.items()}


def _unknown(name: str, known: Iterable[str], at: Problems) -> None:
    listed = tuple(known)
    hint = f"{closest(name, listed)}There are {', '.join(listed)}."
    at.error(Code.UNKNOWN_PROPERTY, f"There is no option {name!r}.", hint)


# --- settings and secrets, which are always text ------------------------------------------------


def _truth_of(text: str, problems: Problems) -> bool | None:
    match text.strip().lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            problems.error(Code.WRONG_TYPE, f"{text[:60]!r} is neither True nor False.")
            return None


def _sync_all(options: JobOptions, text: str, problems: Problems) -> JobOptions:
    value = _truth_of(text, problems)
    return options if value is None else _with(options, sync_all=value)


def _skip_out_of_scope(options: JobOptions, text: str, problems: Problems) -> JobOptions:
    value = _truth_of(text, problems)
    return options if value is None else _with(options, skips_out_of_scope_deletions=value)


def _hard_deletes(options: JobOptions, text: str, problems: Problems) -> JobOptions:
    value = _truth_of(text, problems)
    return options if value is None else replace(options, has_hard_deletes=value)


def _threshold(options: JobOptions, text: str, problems: Problems) -> JobOptions:
    if not text.strip().isdecimal():
        problems.error(Code.WRONG_TYPE, f"{text[:60]!r} is no whole number.", "Write 500, say.")
        return options
    return _tightened(options, int(text), problems)


def _notifications(options: JobOptions, text: str, problems: Problems) -> JobOptions:
    try:
        raw = cast(object, msgspec.json.decode(text))
    except msgspec.DecodeError as failure:
        problems.error(Code.INVALID_JSON, f"This is no JSON in a text: {failure}.")
        return options
    if not isinstance(raw, dict):
        problems.error(Code.WRONG_TYPE, "This should be a JSON object in a text.")
        return options
    given = _spelled_values(cast(dict[str, object], raw))
    is_enabled = _flag(given, "Enabled", problems)
    recipients = str(given.get("recipients") or "")
    people = tuple(one.strip() for one in recipients.replace(",", ";").split(";") if one.strip())
    options = replace(
        options, notifications=Notifications(is_enabled=is_enabled, recipients=people)
    )
    if not _flag(given, "DeleteThresholdEnabled", problems):
        return options
    at = problems.at("DeleteThresholdValue")
    value = given.get("deletethresholdvalue", THRESHOLD_DEFAULT)
    if isinstance(value, bool) or not isinstance(value, int):
        at.error(Code.WRONG_TYPE, "This should be a whole number.", "Write 500, say.")
        return options
    return _tightened(options, value, at)


def _spelled_values(raw: Mapping[str, object]) -> dict[str, object]:
    return {name.lower(): value for name, value in raw.items()}


def _flag(given: Mapping[str, object], name: str, problems: Problems) -> bool:
    value = given.get(name.lower(), False)
    if isinstance(value, str):
        return bool(_truth_of(value, problems.at(name)))
    if not isinstance(value, bool | None):
        problems.at(name).error(Code.WRONG_TYPE, "This should be true or false.")
    return value is True


def _tightened(options: JobOptions, count: int, problems: Problems) -> JobOptions:
    """Let a threshold act before our own guard would; never after it."""
    if count < 1:
        problems.error(Code.WRONG_TYPE, f"{count} is too small.", "The smallest is 1.")
        return options
    guards = options.policy.guards
    own = guards.departures.count
    departures = replace(guards.departures, count=count if own is None else min(own, count))
    return _with(options, guards=replace(guards, departures=departures))


def _with(options: JobOptions, **changes: Any) -> JobOptions:
    return replace(options, policy=replace(options.policy, **changes))


SETTINGS: Mapping[str, Callable[[JobOptions, str, Problems], JobOptions]] = {
    SYNC_ALL: _sync_all,
    SKIP_OUT_OF_SCOPE: _skip_out_of_scope,
    HARD_DELETES: _hard_deletes,
    THRESHOLD: _threshold,
    NOTIFICATIONS: _notifications,
}


# --- the configuration file ---------------------------------------------------------------------


def _wrong(problems: Problems, expected: str) -> None:
    problems.error(Code.WRONG_TYPE, f"This should be {expected}.")


def _text(value: object, problems: Problems) -> str | None:
    if isinstance(value, str):
        return value
    _wrong(problems, "a text")
    return None


def _boolean(name: str) -> Callable[[Policy, object, Problems], Policy]:
    def read(policy: Policy, value: object, problems: Problems) -> Policy:
        if not isinstance(value, bool):
            _wrong(problems, "true or false")
            return policy
        changes: dict[str, Any] = {name: value}
        return replace(policy, **changes)

    return read


def _default_domain(policy: Policy, value: object, problems: Problems) -> Policy:
    text = _text(value, problems)
    return policy if text is None else replace(policy, default_domain=text)


def _parallel(policy: Policy, value: object, problems: Problems) -> Policy:
    number = _number(value, 1, problems)
    return policy if number is None else replace(policy, parallel_max=number)


def _number(value: object, least: int, problems: Problems) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        _wrong(problems, "a whole number")
        return None
    if value < least:
        problems.error(Code.WRONG_TYPE, f"{value} is too small.", f"The smallest is {least}.")
        return None
    return value


def _delete_after(policy: Policy, value: object, problems: Problems) -> Policy:
    text = _text(value, problems)
    if text is None:
        return policy
    if text.strip().lower() == "never":
        return replace(policy, delete_after=None)
    try:
        duration = duration_of(text)
    except ValueError as failure:
        problems.error(Code.WRONG_TYPE, f"{failure}.", "Write P30D, say, or never.")
        return policy
    if duration <= timedelta(0):
        problems.error(Code.WRONG_TYPE, "This is no time at all.", "Write P30D, say, or never.")
        return policy
    return replace(policy, delete_after=duration)


def _target_reads(policy: Policy, value: object, problems: Problems) -> Policy:
    word = _word(TargetReads, value, problems)
    return policy if word is None else replace(policy, target_reads=word)


def _drift(policy: Policy, value: object, problems: Problems) -> Policy:
    word = _word(Drift, value, problems)
    return policy if word is None else replace(policy, repairs_drift=word is Drift.REPAIR)


W = TypeVar("W", bound=StrEnum)


def _word(kind: type[W], value: object, problems: Problems) -> W | None:
    found = next((one for one in kind if one.value.lower() == str(value).lower()), None)
    if found is None:
        problems.error(Code.UNKNOWN_VALUE, f"{value!r} is none of {', '.join(kind)}.")
    return found


def _canaries(policy: Policy, value: object, problems: Problems) -> Policy:
    if not isinstance(value, list):
        _wrong(problems, "a list")
        return policy
    keys: list[EntryKey] = []
    for index, item in enumerate(cast(list[object], value)):
        kind, _, anchor = str(item).rpartition(":")
        if isinstance(item, str | int) and anchor:
            keys.append(EntryKey(kind or "User", Anchor(anchor)))
        else:
            problems.at(index).error(
                Code.WRONG_TYPE, "This names no object.", "Write the id of one, or User:ID."
            )
    return replace(policy, canaries=frozenset(keys))


def _guards(policy: Policy, value: object, problems: Problems) -> Policy:
    guards = policy.guards
    for name, options in _group(value, problems).items():
        at = problems.at(name)
        match name:
            case "departures":
                numbers = _numbers(options, {"percent": 0, "floor": 0, "count": 1}, at)
                guards = replace(guards, departures=replace(guards.departures, **numbers))
            case "members":
                numbers = _numbers(options, {"percent": 0, "floor": 0}, at)
                guards = replace(guards, members=replace(guards.members, **numbers))
            case "shrinks":
                numbers = _numbers(options, {"percent": 0, "rows": 0}, at)
                shrinks = {f"shrinks_{part}": number for part, number in numbers.items()}
                guards = replace(guards, **shrinks)
            case _:
                _unknown(name, ("departures", "members", "shrinks"), at)
    return replace(policy, guards=guards)


THRESHOLDS: Mapping[str, str] = {
    "minFailures": "failures_min",
    "proportion": "proportion",
    "base": "base",
    "total": "total",
}


def _thresholds(policy: Policy, value: object, problems: Problems) -> Policy:
    thresholds = policy.thresholds
    for name, number in _group(value, problems).items():
        at = problems.at(name)
        if name not in THRESHOLDS:
            _unknown(name, THRESHOLDS, at)
            continue
        read = _proportion(number, at) if name == "proportion" else _number(number, 0, at)
        if read is not None:
            changes: dict[str, Any] = {THRESHOLDS[name]: read}
            thresholds = replace(thresholds, **changes)
    return replace(policy, thresholds=thresholds)


def _proportion(value: object, problems: Problems) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 < cast(float, value) <= 1:
        return float(cast(float, value))
    problems.error(Code.WRONG_TYPE, "This should be a number between 0 and 1.", "Write 0.4, say.")
    return None


def _group(value: object, problems: Problems) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        _wrong(problems, "a group of options")
        return {}
    return cast(Mapping[str, object], value)


def _numbers(value: object, least: Mapping[str, int], problems: Problems) -> dict[str, Any]:
    """Return the whole numbers of a group by name; what is missing is left as it was."""
    read: dict[str, Any] = {}
    for name, number in _group(value, problems).items():
        at = problems.at(name)
        if name not in least:
            _unknown(name, least, at)
            continue
        found = _number(number, least[name], at)
        if found is not None:
            read[name] = found
    return read


OPTIONS: Mapping[str, Callable[[Policy, object, Problems], Policy]] = {
    "syncAll": _boolean("sync_all"),
    "skipOutOfScopeDeletions": _boolean("skips_out_of_scope_deletions"),
    "relinkMissing": _boolean("relinks_missing"),
    "deleteReleased": _boolean("deletes_released"),
    "deleteAfter": _delete_after,
    "targetReads": _target_reads,
    "drift": _drift,
    "canaries": _canaries,
    "guards": _guards,
    "thresholds": _thresholds,
    "defaultDomain": _default_domain,
    "parallel": _parallel,
}
"""What a job's entry in the configuration file may say of its policy."""
