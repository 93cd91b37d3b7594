"""Who freezes while he has a job locked, in the middle of what he says, is cut off by others."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager, suppress

import psycopg
import pytest

from provisor.store.postgresql import PostgresStore, leases
from tests.cli.workspace import wait_until
from tests.contracts.store.building import JOB, job, now_or_never

LOCKS = "SELECT epoch FROM job FOR NO KEY UPDATE"
WAITS_FOR_MORE = """
SELECT pid FROM pg_stat_activity
WHERE pid = %s AND wait_event = 'ClientRead' AND query LIKE 'SELECT epoch%%'
"""


def test_a_job_that_somebody_frozen_has_locked_is_taken_over(
    pg_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two statements that are sent in one go the server knows no limit for silence."""
    monkeypatch.setattr(leases, "SILENT_S", 1.0)
    monkeypatch.setenv("PROVISOR_LEASE_S", "1")
    with closing(PostgresStore(pg_store)) as store, begun(pg_store) as frozen:
        assert store.leases is not None
        assert store.leases.take("somebody.lock") is not None

        now_or_never(store.open_journal(JOB, "another"))  # else the server would give it up

        with pytest.raises(psycopg.Error):
            frozen.execute(LOCKS).fetchone()


@contextmanager
def begun(address: str) -> Generator[psycopg.Connection]:
    """Give a connection that has locked the job, and has not told the server that no more comes."""
    with closing(PostgresStore(address)) as store:
        now_or_never(store.put_job(job()))
    with psycopg.connect(address) as frozen, suppress(psycopg.Error), frozen.pipeline():
        frozen.execute(LOCKS)
        frozen.pgconn.send_flush_request()
        frozen.pgconn.flush()
        with psycopg.connect(address, autocommit=True) as other:
            asked = (WAITS_FOR_MORE, (frozen.info.backend_pid,))
            wait_until(lambda: other.execute(*asked).fetchone() is not None)
        yield frozen
