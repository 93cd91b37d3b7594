"""Stores on PostgreSQL as each version of Provisor wrote them, as `pg_dump` tells them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.worlds.databases import POSTGRES

FRAME = re.compile(
    r"\\|--|SET |SELECT pg_catalog\.set_config\('search_path'|$|.*OWNER TO |CREATE SCHEMA |COMMENT "
)
"""Lines that say nothing of the store."""


def dumped_as(version: str) -> Path:
    return Path(__file__).parent / f"postgresql-v{version}.sql"


def dump(address: str) -> str:
    """Return what makes such a database again."""
    said = conninfo_to_dict(address)
    told = subprocess.run(
        [
            str(Path(POSTGRES).parent / "pg_dump"), "--inserts", "--no-owner", "--no-privileges",
            "-h", str(said["host"]), "-p", str(said["port"]), "-U", str(said["user"]),
            str(said["dbname"]),
        ],
        env=os.environ | {"PGPASSWORD": str(said["password"])},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return "\n".join(line for line in told.splitlines() if not FRAME.match(line)) + "\n"


def bring(version: str, address: str) -> None:
    """Fill an empty database."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(dumped_as(version).read_text(encoding="utf-8").encode())
