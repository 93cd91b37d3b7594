"""Connections and transactions. The only place where PostgreSQL's errors get their names.

A connection may come through PgBouncer in transaction mode, where the next transaction has another
server connection: nothing is set or locked beyond the transaction in which it is needed, and
prepared only where a connection is found to be the server's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias
from weakref import WeakSet

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from provisor.errors import StoreFailed, StoreTooNew
from provisor.store.postgresql.migrations import TOLD
from provisor.store.postgresql.migrations.v0006 import TOO_NEW
from provisor.store.postgresql.spelling import spelt
from provisor.store.sql.database import Bound, Cursor
from provisor.store.sql.transaction import NamedFailures

CONNECT_TIMEOUT_S = 10
SILENCE_MS = 15_000
"""A server that does not acknowledge for so long what was sent to it is taken for lost."""
IDLE_MAX = 16
"""As many as a worker needs that runs eight cycles at a time: opening one costs both sides more
than a whole cycle with one change."""
PREPARED_AFTER, PREPARED_MAX = 3, 300
STREAMED = 2_000
SILENT_S = 5
"""Whoever says nothing for so long in the middle of a transaction is taken for frozen."""
SAID = (f"idle_in_transaction_session_timeout = '{SILENT_S}s'", "lock_timeout = '20s'", TOLD)
"""Whoever freezes in a transaction keeps nobody from the job for longer than that."""
SETTLED = "; ".join(f"SET {one}" for one in SAID).encode()
"""Said once, where a connection is the server's own."""
BEGIN = "BEGIN"
BEGIN_SAYING = "; ".join(("BEGIN", *(f"SET LOCAL {one}" for one in SAID)))
Link: TypeAlias = psycopg.Connection[tuple[Any, ...]]


def connect(address: str) -> Link:
    """Open a connection, in which each statement is a transaction unless one is begun."""
    return psycopg.connect(
        address,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="provisor",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=SILENCE_MS,
        client_encoding="UTF8",
    )


class Pool:
    """Connections that nobody needs just now: opening one costs more than most of what is asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._idle: list[Link] = []
        self._direct, self._settled = WeakSet[Link](), WeakSet[Link]()
        self._is_closed = False

    def take(self) -> Link:
        while self._idle:
            link = self._idle.pop()
            if not link.closed:
                return link
        return self._new()

    def fresh(self) -> Link:
        """Return a connection that is surely a new one, since those that waited may be lost too."""
        self._forget()
        return self._new()

    def is_direct(self, link: Link) -> bool:
        """Tell whether what is set or prepared on a connection is there in its next transaction:
        not where PgBouncer stands between, which gives out a process number of its own."""
        return link in self._direct

    def settle(self, link: Link) -> None:
        """Say once what every transaction would have to say, where it is remembered."""
        if link in self._direct and link not in self._settled:
            link.execute(SETTLED)
            self._settled.add(link)

    def _new(self) -> Link:
        link = connect(self.address)
        link.prepared_max = PREPARED_MAX
        row = link.execute(b"SELECT pg_backend_pid()").fetchone()
        if row is not None and row[0] == link.info.backend_pid:
            self._direct.add(link)
        return link

    def give_back(self, link: Link) -> None:
        is_well = not link.closed and link.info.transaction_status is TransactionStatus.IDLE
        if is_well and not self._is_closed and len(self._idle) < IDLE_MAX:
            self._idle.append(link)
        else:
            link.close()

    def close(self) -> None:
        self._is_closed = True
        self._forget()

    def _forget(self) -> None:
        for link in self._idle:
            link.close()
        self._idle.clear()


class Session:
    """What statements are given to. It takes a connection when it needs one, and another where
    that was lost between two transactions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._link: Link | None = None
        self._is_closed = self._is_inside = self._prepares = False

    def prepare(self) -> None:
        """From now on have the server plan once what is asked again and again. A plan is for tables
        as they are: not for who fills them."""
        self._prepares = True
        if self._link is not None:
            self._ready(self._link)

    def execute(self, statement: str, bound: Bound = (), /) -> Cursor:
        return self._do(lambda link: link.execute(spelt(statement).encode(), bound))

    def executemany(self, statement: str, rows: Iterable[Sequence[object]], /) -> None:
        asked = list(rows)
        if asked:
            with self._linked().cursor() as cursor:
                cursor.executemany(spelt(statement).encode(), asked)

    def copy(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Carry out a COPY FROM STDIN with these rows."""
        with self._linked().cursor() as cursor, cursor.copy(statement.encode()) as stream:
            for row in rows:
                stream.write_row(row)

    def stream(self, statement: str, bound: Bound) -> Iterator[Sequence[object]]:
        """Yield rows as they come; call inside a transaction."""
        with self._linked().cursor(name="provisor", withhold=False) as cursor:
            cursor.itersize = STREAMED
            yield from cursor.execute(spelt(statement).encode(), bound)

    @contextmanager
    def together(self) -> Generator[None]:
        """Send what is executed inside in one go. What comes of it is known at the end, and
        whatever went wrong is raised there."""
        with self._linked().pipeline():
            yield

    def begin(self, asks: str = "") -> Any:
        """Begin a transaction, and return the first row of what is asked in it first, without any
        value: that goes out with it."""
        cursor = self._do(partial(self._begin, asks))
        self._is_inside = True
        while cursor.nextset():
            pass
        return cursor.fetchone() if asks else None

    def _begin(self, asks: str, link: Link) -> Any:
        begin = BEGIN if self._pool.is_direct(link) else BEGIN_SAYING
        statement = f"{begin}; {asks}" if asks else begin
        return link.execute(statement.encode(), prepare=False)

    def alone(self, statement: str, bound: Bound = ()) -> Any:
        """Carry out a statement that is a transaction of its own, and return its first row, if it
        has any. It may be carried out twice."""
        if self._pool.is_direct(self._linked()):
            return _returned(self.execute(statement, bound), statement)
        try:
            self.begin()
            row = _returned(self.execute(statement, bound), statement)
            self.commit()
        except BaseException:
            self.roll_back()
            raise
        return row

    def commit(self) -> None:
        self._linked().execute(b"COMMIT")
        self._is_inside = False

    def roll_back(self) -> None:
        """What was not committed does not count, whether the server hears of it or not."""
        self._is_inside = False
        link = self._link
        if link is None:
            return
        try:
            if link.info.transaction_status is not TransactionStatus.IDLE:
                link.execute(b"ROLLBACK")
        except psycopg.Error:
            with contextlib.suppress(psycopg.Error):
                link.close()

    def close(self) -> None:
        self._is_closed = True
        link, self._link = self._link, None
        if link is not None:
            self._pool.give_back(link)

    def _linked(self) -> Link:
        if self._is_closed:
            raise psycopg.OperationalError("the store was closed")
        if self._link is None or (self._link.closed and not self._is_inside):
            self._link = self._ready(self._pool.take())
        return self._link

    def _ready(self, link: Link) -> Link:
        self._pool.settle(link)
        prepares = self._prepares and self._pool.is_direct(link)
        link.prepare_threshold = PREPARED_AFTER if prepares else None
        return link

    def _do(self, work: Callable[[Link], Any]) -> Any:
        """Outside a transaction nothing is asked that could not be asked twice."""
        link = self._linked()
        try:
            return work(link)
        except psycopg.OperationalError:
            if self._is_inside or self._is_closed or not link.closed:
                raise
            self._link = self._ready(self._pool.fresh())
            return work(self._link)


def _returned(cursor: Cursor, statement: str) -> Any:
    return cursor.fetchone() if "RETURNING" in statement else None


def name(error: BaseException) -> None:
    """Raise a database error by its name; one that shows a mistake of ours stays what it is."""
    if isinstance(error, psycopg.Error) and error.diag.sqlstate == TOO_NEW:
        raise StoreTooNew(error.diag.message_primary or "") from error
    if isinstance(error, psycopg.Error) and not isinstance(error, psycopg.IntegrityError):
        raise StoreFailed(_advice(error)) from error


NAMED_FAILURES = NamedFailures(name)


def _advice(error: psycopg.Error) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    match error:
        case errors.DiskFull() | errors.OutOfMemory():
            return f"PostgreSQL has no room ({text}); nothing was sent. Make room on its disk"
        case errors.InsufficientPrivilege() | errors.InvalidPassword():
            return f"PostgreSQL refuses it ({text}); look at the role in the store's address"
        case errors.LockNotAvailable() | errors.DeadlockDetected():
            return f"others have kept the store locked ({text}); try again"
        case errors.TooManyConnections():
            return f"PostgreSQL has no connection left ({text}); raise its limit, or use PgBouncer"
        case errors.ReadOnlySqlTransaction():
            return f"this PostgreSQL takes no writes ({text}); name the primary server"
        case psycopg.OperationalError() if "no password supplied" in text:
            return (
                f"PostgreSQL wants a password ({text}): PGPASSFILE names a file that has it,"
                " or it stands in the store's address"
            )
        case psycopg.OperationalError():
            return f"PostgreSQL cannot be reached ({text}); what was committed is safe"
        case _:
            return f"the store failed ({text})"
