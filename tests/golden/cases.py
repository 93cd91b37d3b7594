"""Golden cases as data: one JSON object a line.

`expr` over the attributes `in` at the time `now` gives `out`, in its text rendering: a list for
several values, null for none, "DROP" and "IgnoreObjectFlow" for flows. `taken` are the values that
the target already has. `doc` is what the published page prints where its own expression gives
something else; it is never asserted. `error` stands for `out` where the object is refused, or
where the text is no expression at all.

Lines K were given by .NET's own Regex and DateTime; N and I are decisions of ours, I of what is
refused before any object is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from provisor.expressions import Answer, Candidates, Context, ExpressionError, FixedChance
from provisor.expressions.rendering import Rendered, rendered
from provisor.model.entries import Attributes, Value

FOLDER = Path(__file__).parent
LONG_AGO = "2025-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    id: str
    text: str
    attributes: Attributes
    context: Context
    taken: tuple[str, ...]
    out: Rendered
    error: str | None


def cases() -> Iterator[Case]:
    for file in sorted(FOLDER.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield read_case(json.loads(line))


def read_case(line: dict[str, Any]) -> Case:
    given: dict[str, Any] = line.get("in", {})
    attributes: dict[str, Value] = {
        name: tuple(cast("list[str]", value)) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    now = datetime.fromisoformat(line.get("now", LONG_AGO)).astimezone(UTC)
    return Case(
        id=line["id"],
        text=line["expr"],
        attributes=attributes,
        context=Context(now, line.get("domain", "contoso.com"), FixedChance()),
        taken=tuple(line.get("taken", ())),
        out=line.get("out"),
        error=line.get("error"),
    )


def shown(answer: Answer, taken: Sequence[str] = ()) -> Rendered:
    """Return an answer as the golden lines write it; of candidates the first that is free.

    Raises ExpressionError where none is.
    """
    if not isinstance(answer, Candidates):
        return rendered(answer)
    used = {value.lower() for value in taken}
    for one in answer.values:
        if str(one).lower() not in used:
            return rendered(one)
    raise ExpressionError("none is free", "UniqueValueExhausted")
