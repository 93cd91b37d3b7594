"""How far tables have been read: watermarks that no late commit slips under.

Rows commit in another order than their times and numbers say. On PostgreSQL a row's own `xmin` says
which transaction wrote it, and the snapshot of the last read which ones were still open then: what
they, and all later ones, wrote is read, whatever its time says. Elsewhere the mark is taken back by
an overlap, which has to be longer than any transaction stays open. Rows without a mark are always
read. What is read again and says the same is no change.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, String, exc, func, literal, or_, select, text
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import UserDefinedType

from provisor.connectors.sql.catalogue import XMIN, Table
from provisor.connectors.sql.settings import OVERLAP, OVERLAP_NUMBERS
from provisor.errors import WatermarkExpired
from provisor.model.entries import Watermark

FORM: Final = 1
XIDS_MAX: Final = 2**30
"""Transaction numbers go round after twice as many; further back nothing can be compared."""
SEEN_MAX: Final = 1000
"""So many objects are remembered in a watermark; where there are more, all are read again."""
FOREIGN: Final = "this source did not give that watermark, or has been set up otherwise since"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one table has been read."""

    value: object = None
    """The greatest value of the watermark column; None where there was none."""
    xmin: int | None = None
    """Of PostgreSQL: the oldest transaction that was open."""
    seen: Mapping[str, str] = field(default_factory=dict[str, str])
    """By anchor: what was shown of objects that the next read comes upon again."""


class Window:
    """The objects that the next read will come upon again, since it begins a little earlier."""

    def __init__(self, bound: object, before: Mapping[str, str]) -> None:
        """`bound` is where the next read begins; None: where every object is noted."""
        self._bound, self._before = bound, before
        self._seen: dict[str, str] = {}
        self._is_full = False

    @property
    def seen(self) -> Mapping[str, str]:
        return {} if self._is_full else self._seen

    def is_news(self, anchor: str, mark: object, shown: str) -> bool:
        """Note what is shown of an object; return whether the last read did not show the same."""
        if self._is_within(mark) and not self._is_full:
            self._seen[anchor] = shown
            self._is_full = len(self._seen) > SEEN_MAX
        return self._before.get(anchor) != shown

    def _is_within(self, mark: object) -> bool:
        if self._bound is None or mark is None:
            return True
        try:
            return bool(cast("Any", mark) >= self._bound)
        except TypeError:
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """A watermark, opened."""

    settings: str
    """A hash of what was read, and how."""
    era: str
    """What changes when a database is restored, where it can be told."""
    whole_at: datetime
    """When everything was last read."""
    tables: Mapping[str, Mark] = field(default_factory=dict[str, Mark])


def write_marks(marks: Marks) -> Watermark:
    tables = {n: [_plain(one.value), one.xmin, dict(one.seen)] for n, one in marks.tables.items()}
    content = [FORM, marks.settings, marks.era, marks.whole_at.isoformat(), tables]
    return Watermark(json.dumps(content, separators=(",", ":")))


def read_marks(watermark: Watermark) -> Marks:
    """Return what `write_marks` wrote. Raises WatermarkExpired."""
    try:
        form, settings, era, whole_at, tables = json.loads(watermark)
        if form != FORM or not isinstance(settings, str) or not isinstance(era, str):
            raise WatermarkExpired(FOREIGN)
        return Marks(
            settings=settings,
            era=era,
            whole_at=datetime.fromisoformat(whole_at),
            tables={n: Mark(_value(v), xmin, seen) for n, (v, xmin, seen) in tables.items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise WatermarkExpired(FOREIGN) from error


def _plain(value: object) -> object:
    match value:
        case None | int() | str():
            return value
        case datetime():
            return {"time": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
        case Decimal():
            return {"number": str(value)}
        case float():
            return {"float": value.hex()}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case _:
            raise TypeError(f"a {type(value).__name__} is no watermark")


def _value(plain: object) -> object:
    if not isinstance(plain, dict):
        return plain
    ((kind, said),) = cast("dict[str, Any]", plain).items()
    match kind:
        case "time":
            return datetime.fromisoformat(said)
        case "day":
            return date.fromisoformat(said)
        case "number":
            return Decimal(said)
        case "float":
            return float.fromhex(said)
        case _:
            return base64.b64decode(said)


# taking a mark


class _Xid(UserDefinedType[Any]):
    """PostgreSQL's 32-bit transaction number."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid"


def is_numbered(connection: Connection, table: Table) -> bool:
    """Tell whether the rows of a table say which transaction wrote them."""
    return connection.dialect.name == "postgresql" and table.is_base


def oldest_open(connection: Connection) -> int | None:
    """Return the oldest transaction that this transaction's snapshot saw open; PostgreSQL only."""
    if connection.dialect.name != "postgresql":
        return None
    return int(
        connection.execute(text("SELECT txid_snapshot_xmin(txid_current_snapshot())")).scalar_one()
    )


def era_of(connection: Connection) -> str:
    """Return which database this is, and which of its lives: a restore begins another one."""
    if connection.dialect.name != "postgresql":
        return ""
    try:
        with connection.begin_nested():
            asked = text(
                "SELECT s.system_identifier, c.timeline_id"
                " FROM pg_control_system() s, pg_control_checkpoint() c"
            )
            return ".".join(map(str, connection.execute(asked).one()))
    except exc.SQLAlchemyError:
        return ""  # not everybody may ask


def take_mark(connection: Connection, table: Table, column: str | None) -> Mark:
    """Return how far a read in this transaction comes. Raises SQLAlchemyError."""
    xmin = oldest_open(connection) if is_numbered(connection, table) else None
    if column is None:
        return Mark(None, xmin)
    greatest = connection.execute(select(func.max(table.clause.c[column]))).scalar()
    return Mark(_not_after_now(connection, greatest), xmin)


def _not_after_now(connection: Connection, value: object) -> object:
    """A row that claims to be from the future must not hide those that come until then."""
    if isinstance(value, datetime):
        now = connection.execute(select(func.now())).scalar_one()
        aware = now if now.tzinfo else now.replace(tzinfo=UTC)
        limit = aware if value.tzinfo else aware.astimezone(UTC).replace(tzinfo=None)
        return min(value, limit)
    if isinstance(value, str) and (style := _style(value)) is not None:
        now = connection.execute(text("SELECT CURRENT_TIMESTAMP")).scalar_one()
        found = datetime.fromisoformat(str(now))
        limit_text = _styled(found.replace(tzinfo=UTC) if not found.tzinfo else found, style)
        return min(value, limit_text)
    return value


# asking from a mark


def since(
    connection: Connection, table: Table, column: str | None, mark: Mark, overlap: timedelta | None
) -> ColumnElement[bool] | None:
    """Return what selects the rows that may have come or changed; None for all of them.

    Raises WatermarkExpired where that cannot be told any more.
    """
    conditions: list[ColumnElement[bool]] = []
    is_exact = mark.xmin is not None and is_numbered(connection, table)
    if mark.xmin is not None and is_exact:
        conditions.append(_written_since(connection, table, mark.xmin))
    if column is not None:
        if mark.value is None:
            return None
        asked: ColumnElement[Any] = table.clause.c[column]
        bound = _bound(mark.value, overlap if not is_exact else overlap or timedelta(0))
        # Who is known by transaction need not be read again for having the same time as the last.
        is_later = asked > bound if is_exact and not overlap else asked >= bound
        conditions += [is_later, asked.is_(None)]
    return or_(*conditions) if conditions else None


def bound_of(connection: Connection, table: Table, mark: Mark, overlap: timedelta | None) -> object:
    """Return the value from which the next read asks; None where it cannot be told."""
    is_exact = mark.xmin is not None and is_numbered(connection, table)
    if mark.value is None:
        return None
    try:
        return _bound(mark.value, overlap if not is_exact else overlap or timedelta(0))
    except WatermarkExpired:
        return None


def _written_since(connection: Connection, table: Table, xmin: int) -> ColumnElement[bool]:
    now = oldest_open(connection) or 0
    if not 0 <= now - xmin < XIDS_MAX:
        raise WatermarkExpired("the database is an older one than that which was read last")
    number = sql_cast(sql_cast(literal(str(xmin % 2**32), String()), String()), _Xid())
    written: ColumnElement[Any] = table.clause.c[XMIN]
    return func.age(written) <= func.age(number)


def _bound(value: object, overlap: timedelta | None) -> object:
    match value:
        case bool():
            return value
        case int() | Decimal():
            # A number says nothing of time: how many may be open at once is guessed generously.
            return value - (0 if overlap == timedelta(0) else OVERLAP_NUMBERS)
        case datetime() | date():
            return value - (OVERLAP if overlap is None else overlap)
        case str():
            style = _style(value)
            if style is None:
                raise WatermarkExpired("the watermark column holds texts that are no times")
            moment = datetime.fromisoformat(value)
            return _styled(moment - (OVERLAP if overlap is None else overlap), style)
        case float():
            return value - (OVERLAP if overlap is None else overlap).total_seconds()
        case _:
            return value


@dataclass(frozen=True, slots=True)
class _Style:
    """How a column writes its times: texts are compared as they stand there."""

    separator: str
    digits: int
    zone: str


def _style(value: str) -> _Style | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) < 19:
        return None
    rest = value[19:]
    fraction = rest[: len(rest) - len(rest.lstrip(".0123456789"))] if rest.startswith(".") else ""
    zone = rest[len(fraction) :]
    if zone not in ("", "Z") and moment.utcoffset() != timedelta(0):
        return None  # texts of several zones do not sort by time
    return _Style(value[10], max(0, len(fraction) - 1), zone)


def _styled(moment: datetime, style: _Style) -> str:
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    text = utc.strftime(f"%Y-%m-%d{style.separator}%H:%M:%S")
    if style.digits:
        text += f".{utc.microsecond:06d}"[: style.digits + 1].ljust(style.digits + 1, "0")
    return text + style.zone
