"""Going through the provisioning log for those who are meant: what the store can tell of a filter,
what a record alone can tell, and how much is looked at for one request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime, timedelta

from provisor.graph.http.filters import Comparison, Condition, Junction, Path, Test
from provisor.model.decisions import Action, Record, Verdict
from provisor.ports import Ledger, RecordQuery

PERSON = (
    "sourceidentity/id", "sourceidentity/displayname", "targetidentity/id",
    "targetidentity/displayname",
)  # fmt: skip
"""What names whom an entry is about."""
READ_AT_ONCE = 500
LOOKED_AT_MAX = 20_000
"""A page ends after so many records, however few of them passed; the next one goes on."""
NAMES_AT_ONCE, NAMES_MAX = 25_000, 100_000
"""... and after so many that the store has passed over, where it looks for a part of a name: no
index answers that."""


class Walk:
    """Records that may be meant, one after the other, until it is enough for one request."""

    def __init__(self, ledger: Ledger, asked: RecordQuery, size: int) -> None:
        """The first look is for a page of this `size`: most questions ask for no more."""
        self._ledger = ledger
        self._query = replace(asked, limit=min(size + 1, READ_AT_ONCE))
        self.at = asked.after
        """The position behind which to go on."""
        self.is_cut_short = False
        """There may be more behind it."""

    async def records(self) -> AsyncGenerator[tuple[int, str, Record]]:
        """Yield positions, job ids and records."""
        looked_at, passed = 0, 0
        if self._query.naming and self._query.is_descending:
            await self._begin_at_the_newest()
        while True:
            rows = await self._ledger.records(self._query)
            for row in rows:
                if looked_at == LOOKED_AT_MAX:
                    self.is_cut_short = True
                    return
                looked_at += 1
                yield row
                self.at = row[0]
            if len(rows) == self._query.limit:
                self._query = replace(self._query, after=self.at, limit=READ_AT_ONCE)
            elif not self._query.end:
                return
            else:
                passed += NAMES_AT_ONCE
                self.at = self._query.end + 1
                if passed >= NAMES_MAX:
                    self.is_cut_short = True
                    return
                self._bound()

    async def _begin_at_the_newest(self) -> None:
        if not self.at:
            newest = await self._ledger.records(RecordQuery(limit=1))
            self.at = newest[0][0] + 1 if newest else 1
        self._bound()

    def _bound(self) -> None:
        end = max(self.at - 1 - NAMES_AT_ONCE, 0)
        self._query = replace(self._query, after=self.at, end=end)


def narrowed(query: RecordQuery, condition: Condition) -> RecordQuery:
    """Let the store pass over what the filter would refuse anyway, where it can tell."""
    parts = condition.of if isinstance(condition, Junction) and condition.is_all else (condition,)
    for part in parts:
        match part:
            case Comparison(operator=operator, left=Path(text=path), right=value) if (
                path not in PERSON
            ):
                query = _narrowed(query, path, operator, value)
            case Junction(is_all=True):
                query = narrowed(query, part)
            case _:
                query = _of_person(query, part)
    return query


def _of_person(query: RecordQuery, condition: Condition) -> RecordQuery:
    """Narrow by somebody who is meant in one way or another: by an id, or a part of a name."""
    parts = condition.of if isinstance(condition, Junction) else (condition,)
    said = {_meant(part) for part in parts}
    texts = {text for text, _ in said}
    if len(texts) != 1 or "" in texts:
        return query
    (text,) = texts
    are_ids = all(is_id for _, is_id in said)
    return replace(query, id=text) if are_ids else replace(query, naming=text)


def _meant(condition: Condition) -> tuple[str, bool]:
    """Return the text that a condition finds somebody by, and whether as an id; no text if it asks
    for something else."""
    match condition:
        case Comparison(operator="eq", left=Path(text=path), right=str(text)) if path in PERSON:
            return text, path.endswith("/id")
        case Test(text=Path(text=path), part=str(part)) if path in PERSON:
            return part, False
        case _:
            return "", False


def _narrowed(query: RecordQuery, path: str, operator: str, value: object) -> RecordQuery:
    match path, operator, value:
        case "jobid", "eq", str():
            return replace(query, job=value)
        case "cycleid", "eq", str():
            return replace(query, cycle=value)
        case "changeid", "eq", str():
            return replace(query, change=value)
        case (("provisioningaction" | "action"), "eq", str()):
            return replace(query, action=_spelled(value, Action))
        case (("provisioningstatusinfo/status" | "statusinfo/status"), "eq", str()):
            return replace(query, verdict=_spelled(value, Verdict))
        case (
            (
                "provisioningstatusinfo/errorinformation/errorcode"
                | "statusinfo/errorinformation/errorcode"
            ),
            "eq",
            str(),
        ):
            return replace(query, code=value)
        case "activitydatetime", "gt" | "ge" | "eq", datetime():
            since = value if query.since is None else max(value, query.since)
            return replace(query, since=since)
        case "activitydatetime", "lt" | "le", datetime():
            until = value + timedelta(microseconds=1)
            return replace(query, until=until if query.until is None else min(until, query.until))
        case _:
            return query


def _spelled(text: str, kind: type[Action] | type[Verdict]) -> str:
    """Return a word as the store has it; clients write it in capitals or not."""
    return next((one.value for one in kind if one.value.lower() == text.lower()), text)


def may_hold(condition: Condition, record: Record) -> bool:
    """Tell from the record alone whether a filter may let it pass: who looks for one person in a
    long log does not wait for the entries of all others to be made. True where that is open."""
    match condition:
        case Junction(is_all=True, of=parts):
            return all(may_hold(part, record) for part in parts)
        case Junction(of=parts):
            return any(may_hold(part, record) for part in parts)
        case Comparison(operator="eq", left=Path(text=path), right=str(text)) if path in PERSON:
            return any(text == known for known in _names(record))
        case Test(text=Path(text=path), part=str(part)) if path in PERSON:
            return any(part in known for known in _names(record))
        case _:
            return True


def _names(record: Record) -> tuple[str, ...]:
    """Return all that entries call those by whom a record is about."""
    named = (record.key.anchor, record.target, record.source_name, record.target_name)
    return tuple(name for name in named if name)
