"""Connections to a database, and the threads in which its blocking driver works.

Whoever waits for an answer longer than the read timeout closes the socket under the driver's feet:
a server, or whatever stands between, that falls silent holds nobody up for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc

from provisor.connectors.sql.address import Address
from provisor.connectors.sql.failures import failure_of_connecting
from provisor.errors import Rejected, Stale, Throttled, Unreachable

Result = TypeVar("Result")
SNAPSHOTS: Final = ("REPEATABLE READ", "SNAPSHOT", "SERIALIZABLE")
"""Isolation levels under which one transaction sees one state, the cheapest first."""
GRACE_S: Final = 10.0


class Database:
    """One database: an engine, and threads for it. Nothing is opened before it is needed."""

    def __init__(self, address: Address, *, writes: bool, connections_max: int) -> None:
        self.address = address
        self._writes, self._connections_max = writes, connections_max
        self._threads = ThreadPoolExecutor(connections_max, "provisor-sql")
        self._engine: Engine | None = None
        self.prepared: Callable[[Engine], None] = _as_it_is
        """What is done with the engine before it is used."""

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = _engine(self.address, self._writes, self._connections_max)
            self.prepared(self._engine)
        return self._engine

    @contextmanager
    def connected(self) -> Generator[Connection]:
        """Open a connection, in a worker thread. Raises Denied, Unreachable."""
        try:
            connection = self.engine.connect()
        except exc.SQLAlchemyError as error:
            raise failure_of_connecting(error, self.address.place) from error
        try:
            yield connection
        except (Rejected, Stale, Throttled):
            raise  # one object's trouble; the connection is as good as before
        except BaseException:
            # Closing would first read the rest of an unbuffered result.
            connection.invalidate()
            raise
        finally:
            with contextlib.suppress(exc.SQLAlchemyError):  # it may have gone on its way out
                connection.close()

    async def do(self, work: Callable[[Connection], Result]) -> Result:
        """Do some work on a connection of its own, in a thread. Raises what the work raises."""
        return await self._held(self._threads, lambda hand: hand.run(work))

    async def _held(self, threads: ThreadPoolExecutor, work: Callable[[_Hand], Result]) -> Result:
        hand = _Hand(self)
        return await self.answered(threads, lambda: work(hand), hand.cut)

    async def answered(
        self, threads: ThreadPoolExecutor, work: Callable[[], Result], cut: Callable[[], None]
    ) -> Result:
        """Wait for a thread's answer; cut its connection where it takes too long."""
        future = asyncio.get_running_loop().run_in_executor(threads, work)
        limit_s = self.address.timeouts.read + self.address.timeouts.connect
        try:
            return await asyncio.wait_for(asyncio.shield(future), limit_s)
        except TimeoutError:
            cut()
            return await _last_words(future, self.address.place)
        except asyncio.CancelledError:
            cut()
            with contextlib.suppress(Exception):
                await _last_words(future, self.address.place)
            raise

    @asynccontextmanager
    async def stepped(
        self, steps: Callable[[Connection], Generator[Result]]
    ) -> AsyncGenerator[Callable[[], Awaitable[Result | None]]]:
        """Give what takes step after step of an iterator that works on one connection.

        Each is awaited; after the last one comes None.
        """
        threads = ThreadPoolExecutor(1, "provisor-sql-read")
        hand = _Hand(self)
        iterator: list[Generator[Result]] = []

        def step() -> Result | None:
            if not iterator:
                iterator.append(hand.iterate(steps))
            return next(iterator[0], None)

        def end() -> None:
            for one in iterator:
                one.close()

        async def take() -> Result | None:
            return await self.answered(threads, step, hand.cut)

        try:
            yield take
        finally:
            with contextlib.suppress(RuntimeError):
                threads.submit(end)
            threads.shutdown(wait=False)

    async def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.get_running_loop().run_in_executor(None, engine.dispose)
        self._threads.shutdown(wait=False)
        self._threads = ThreadPoolExecutor(self._connections_max, "provisor-sql")


async def _last_words(future: asyncio.Future[Result], place: str) -> Result:
    """Return what a thread says when its connection is gone: it knows how far it had come."""
    try:
        return await asyncio.wait_for(asyncio.shield(future), GRACE_S)
    except TimeoutError as error:
        raise Unreachable(f"{place} does not answer, and cannot be let go of") from error


class _Hand:
    """Holds a connection where another thread can cut it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        with self._database.connected() as connection:
            self._connection = connection
            try:
                return work(connection)
            finally:
                self._connection = None

    def iterate(self, steps: Callable[[Connection], Generator[Result]]) -> Generator[Result]:
        with self._database.connected() as connection:
            self._connection = connection
            try:
                yield from steps(connection)
            finally:
                self._connection = None

    def cut(self) -> None:
        """Close the socket, so that the thread that waits for it wakes up."""
        connection = self._connection
        if connection is None or connection.closed:
            return
        with contextlib.suppress(Exception):  # it may be on its way out already
            driver: Any = connection.connection.dbapi_connection
            if hasattr(driver, "pgconn"):
                with socket.socket(fileno=os.dup(driver.pgconn.socket)) as copy:
                    copy.shutdown(socket.SHUT_RDWR)
            elif hasattr(driver, "interrupt"):
                driver.interrupt()
            elif (raw := getattr(driver, "_sock", None)) is not None:
                raw.shutdown(socket.SHUT_RDWR)


def _as_it_is(engine: Engine) -> None:
    """Nobody wants to know what it is asked."""


def _engine(address: Address, writes: bool, connections_max: int) -> Engine:
    url, arguments = address.url, _arguments(address)
    if address.is_sqlite:
        mode = "rw" if writes else "ro"
        place = f"file:{quote(url.database or '')}"
        url = url.set(database=place, query={"mode": mode, "uri": "true"})
    engine = create_engine(
        url,
        connect_args=arguments,
        pool_size=connections_max,
        max_overflow=4,
        pool_timeout=address.timeouts.read,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    if address.is_sqlite:
        _prepare_sqlite(engine, writes)
    elif address.is_mysql:
        _prepare_mysql(engine, writes)
    return engine if writes else _reading(engine, address)


def _reading(engine: Engine, address: Address) -> Engine:
    """Return an engine whose transactions see one state, and change nothing."""
    if address.is_postgresql:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    if address.is_mysql:
        return engine.execution_options(isolation_level="REPEATABLE READ")
    if address.is_sqlite:
        return engine
    with contextlib.suppress(NotImplementedError, exc.SQLAlchemyError), engine.connect() as one:
        dbapi = one.connection.dbapi_connection
        levels = engine.dialect.get_isolation_level_values(dbapi)  # type: ignore[arg-type]
        known = next((level for level in SNAPSHOTS if level in levels), None)
        if known is not None:
            return engine.execution_options(isolation_level=known)
    return engine


def _arguments(address: Address) -> dict[str, Any]:
    timeouts = address.timeouts
    if address.is_postgresql:
        said: dict[str, Any] = {
            "connect_timeout": max(2, round(timeouts.connect)),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": round(timeouts.read * 1000),
            "application_name": "provisor",
            "client_encoding": "utf8",
            "prepare_threshold": None,  # a pool in between may hand statements to another
            "sslmode": {"verify": "verify-full", "require": "require"}.get(address.tls, "prefer"),
        }
        if address.tls == "verify":
            said["sslrootcert"] = address.ca_file or "system"
        return said
    if address.is_mysql:
        said = {
            "connect_timeout": max(1, round(timeouts.connect)),
            "read_timeout": timeouts.read,
            "write_timeout": timeouts.read,
            "charset": "utf8mb4",
        }
        if address.tls != "off":
            said["ssl"] = _tls(address)
        return said
    return {"timeout": timeouts.read} if address.is_sqlite else {}


def _tls(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=address.ca_file or None)
    if address.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _prepare_sqlite(engine: Engine, writes: bool) -> None:
    """Let transactions begin when we say so: the driver would begin them before writes only."""

    def connect(driver: Any, _: object) -> None:
        driver.isolation_level = None
        cursor = driver.cursor()
        cursor.execute("PRAGMA foreign_keys=ON" if writes else "PRAGMA query_only=ON")
        cursor.close()

    def begin(connection: Connection) -> None:
        # Whoever will write waits for others at once, not halfway through.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)


def _prepare_mysql(engine: Engine, writes: bool) -> None:
    """Times are told in UTC, and a slow reader of a long result is not thrown out."""

    def connect(driver: Any, _: object) -> None:
        cursor = driver.cursor()
        cursor.execute("SET time_zone = '+00:00', net_write_timeout = 3600")
        if writes:
            cursor.execute("SET sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
        else:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.close()

    event.listen(engine, "connect", connect)
