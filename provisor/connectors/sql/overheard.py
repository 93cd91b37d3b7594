"""What a database is asked, told in its own words: statements, never the values they are given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, event

from provisor.connectors.around.trace import Exchange, Trace
from provisor.ports import Clock

BEGAN = "provisor.began"


def overhear(engine: Engine, place: str, trace: Trace, clock: Clock) -> None:
    """Note every statement and how it ended. Values travel apart from it, as parameters."""

    def before(connection: Any, _cursor: object, _statement: str, *_: object) -> None:
        connection.info[BEGAN] = clock.now()

    def after(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        count = int(cursor.rowcount)
        rows = "done" if count < 0 else f"{count:,} row{'' if count == 1 else 's'}"
        _note(trace, place, statement, connection.info.get(BEGAN), clock.now, rows, is_done=True)

    def failed(context: Any) -> None:
        if context.statement is not None:
            why = type(context.original_exception).__name__
            began = context.connection.info.get(BEGAN) if context.connection else None
            _note(trace, place, context.statement, began, clock.now, why, is_done=False)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)


def _note(
    trace: Trace,
    place: str,
    statement: str,
    began: datetime | None,
    now: Callable[[], datetime],
    outcome: str,
    *,
    is_done: bool,
) -> None:
    at = began or now()
    trace.note(
        Exchange(
            at=at,
            duration_ms=round((now() - at).total_seconds() * 1000),
            method=statement.split(maxsplit=1)[0].upper() if statement.strip() else "",
            address=place,
            sent=statement,
            status=0,
            answered="",
            protocol="SQL",
            outcome=outcome,
            is_done=is_done,
        )
    )
