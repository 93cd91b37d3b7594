"""`/ready` says whether the store can be written, soon, and at nobody's cost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisor.cli.places import STORE
from tests.api.served import Served, serving, target, wait_until, workspace


def is_ready(served: Served) -> bool:
    reply = served.send("GET", "/ready", token="")
    assert reply.status in (200, 503), reply.body
    if reply.status == 503:
        assert reply.error["code"] == "ServiceUnavailable"
    return reply.status == 200


def test_a_store_that_somebody_keeps_locked_is_not_ready_and_nobody_else_waits(
    tmp_path: Path,
) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served:
            assert is_ready(served)
            with closing(sqlite3.connect(tmp_path / STORE, isolation_level=None)) as other:
                other.execute("PRAGMA busy_timeout = 60000")
                other.execute("BEGIN IMMEDIATE")
                wait_until(lambda: not is_ready(served))
                assert served.get("/v1.0/servicePrincipals").status == 200
                assert served.send("GET", "/health", token="").status == 200
                other.execute("ROLLBACK")
            wait_until(lambda: is_ready(served))


def test_a_disk_that_is_full_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection that is made from now on can write a page more."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(FULL, encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    with target() as scim:
        token = workspace(work, scim)
        monkeypatch.setenv("PYTHONPATH", str(broken))
        monkeypatch.setenv("FULL_WHEN_THERE_IS", str(tmp_path / "full"))
        with serving(work, scim, token) as served:
            assert is_ready(served)
            (tmp_path / "full").touch()
            wait_until(lambda: not is_ready(served))
            assert served.get("/v1.0/servicePrincipals").status == 200
            (tmp_path / "full").unlink()
            wait_until(lambda: is_ready(served))


FULL = """\
import os, sqlite3
whole = sqlite3.connect

class Full(sqlite3.Connection):
    def execute(self, statement, *rest):
        if statement.strip().startswith("INSERT INTO document") and os.path.exists(
            os.environ["FULL_WHEN_THERE_IS"]
        ):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, *rest)

def connect(*arguments, **options):
    if options.get("factory") is sqlite3.Connection:
        options["factory"] = Full
    return whole(*arguments, **options)

sqlite3.connect = connect
"""
