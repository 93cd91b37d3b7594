"""Who has a job, where several machines may: a row with an end, renewed by a thread of its own.

A process that is killed, frozen, or cut off from the database renews nothing, and somebody else
takes the row once it has ended. What the one who slept still tries is refused: by its own clock
before it sends anything, and by the epoch of the job before anything is recorded.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from provisor.errors import StoreFailed
from provisor.store.postgresql.connect import NAMED_FAILURES, SILENT_S, Pool, Session

LASTS_S = 10.0
VARIABLE, SHORTEST_S = "PROVISOR_LEASE_S", 1.0
RENEWED = 0.25
"""After this share of its time a lease is renewed."""
MARGIN = 0.1
"""Who has a lease takes it for ended so much earlier than the others: clocks run apart."""
TAKE = """
INSERT INTO lease (name, holder, token, ends)
VALUES (?, ?, ?, clock_timestamp() + make_interval(secs => ?))
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, token = excluded.token, ends = excluded.ends
WHERE lease.ends < clock_timestamp() OR lease.token = excluded.token
RETURNING set_config('synchronous_commit', 'off', true)
"""
"""Nobody waits until the disk has it: what is written next waits, and has this written before. For
a job that is its epoch, without which nothing is sent."""
RENEW = """
UPDATE lease SET ends = clock_timestamp() + make_interval(secs => ?)
WHERE token IN (SELECT value FROM json_each(?)) RETURNING token
"""

LET_GO = """
DELETE FROM lease WHERE token = ? RETURNING set_config('synchronous_commit', 'off', true)
"""
"""Nobody waits until the disk has it: a server that died and forgot this keeps the lease until its
end, as if we had died."""
FREE = """
SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.usename = current_user AND a.state <> 'idle'
  AND a.wait_event_type = 'Client' AND a.query NOT LIKE 'COPY %'
  AND a.state_change < clock_timestamp() - make_interval(secs => ?)
  AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'job'::regclass
              AND l.mode IN ('RowShareLock', 'RowExclusiveLock'))
"""
"""Who has locked a job and says nothing more. Between two statements that were sent in one go the
server's own limit for silence (`connect.BEGIN`) does not count. While a COPY lasts nobody sees here
whether rows come."""


def lease_s(environ: Mapping[str, str]) -> float:
    """Return how long a lease lasts: what PROVISOR_LEASE_S says, in seconds. Raises StoreFailed."""
    said = environ.get(VARIABLE, "")
    try:
        seconds = float(said or LASTS_S)
    except ValueError:
        seconds = 0.0
    if not SHORTEST_S <= seconds <= 3600:
        raise StoreFailed(f"{VARIABLE} is {said}: say a number of seconds, from 1 to 3600")
    return seconds


@dataclass(slots=True)
class Held:
    """A lease that is ours, until its end."""

    name: str
    token: str
    leases: RowLeases
    until: datetime

    def ends(self) -> datetime:
        return self.until

    def release(self) -> None:
        self.leases.release(self)


@dataclass(slots=True)
class RowLeases:
    """Implements `ports.Leases`."""

    pool: Pool
    who: str
    lasts_s: float = LASTS_S
    _held: dict[str, Held] = field(default_factory=dict[str, Held])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _renewer: threading.Thread | None = None

    def take(self, name: str) -> Held | None:
        session, began = self._session(), datetime.now(UTC)
        token = secrets.token_hex(16)
        with NAMED_FAILURES:
            row = session.execute(TAKE, (name, self.who, token, self.lasts_s)).fetchone()
        session.close()
        if row is None:
            return None
        held = Held(name, token, self, self._end(began))
        with self._lock:
            self._held[token] = held
            if self._renewer is None:
                self._renewer = threading.Thread(
                    target=self._renew_always, name="provisor-leases", daemon=True
                )
                self._renewer.start()
        return held

    def holder(self, name: str) -> str:
        session = self._session()
        try:
            with NAMED_FAILURES:
                row = session.execute(
                    "SELECT holder FROM lease WHERE name = ? AND ends >= clock_timestamp()", (name,)
                ).fetchone()
        finally:
            session.close()
        return row[0] if row else ""

    def living(self, prefix: str) -> int:
        session = self._session()
        try:
            with NAMED_FAILURES:
                (count,) = session.execute(
                    "SELECT count(*) FROM lease"
                    " WHERE starts_with(name, ?) AND ends >= clock_timestamp()",
                    (prefix,),
                ).fetchone()
        finally:
            session.close()
        return count

    def release(self, held: Held) -> None:
        """Let others have it at once; where that cannot be said, they wait for its end."""
        with self._lock:
            self._held.pop(held.token, None)
        session = self._session()
        try:
            with NAMED_FAILURES:
                session.execute(LET_GO, (held.token,))
        except StoreFailed:
            return
        finally:
            session.close()

    def _session(self) -> Session:
        session = Session(self.pool)
        session.prepare()
        return session

    def close(self) -> None:
        self._stop.set()
        if self._renewer is not None:
            self._renewer.join(1.0)

    def _end(self, began: datetime) -> datetime:
        """Counted from before the row was asked for, so that it ends here first."""
        return began + timedelta(seconds=self.lasts_s * (1 - MARGIN))

    def _renew_always(self) -> None:
        """A thread, since a long statement, or a long thought, must not cost us the job."""
        pool = Pool(self.pool.address)
        session = Session(pool)
        while not self._stop.wait(self.lasts_s * RENEWED):
            self._renew(session)
        session.close()
        pool.close()

    def _renew(self, session: Session) -> None:
        with self._lock:
            tokens = [*self._held]
        if not tokens:
            return
        began = datetime.now(UTC)
        wanted = "[" + ", ".join(f'"{token}"' for token in tokens) + "]"
        try:
            with NAMED_FAILURES:
                renewed = {t for (t,) in session.execute(RENEW, (self.lasts_s, wanted))}
                session.execute(FREE, (SILENT_S,))
        except StoreFailed:
            return  # what is ours ends when it said it would, unless the next try gets through
        with self._lock:
            for token in renewed:
                if token in self._held:
                    self._held[token].until = self._end(began)
