"""`provisor`, on a store that takes PROVISOR_SPARE_PAGES pages more and then is full."""

from __future__ import annotations

import os
import runpy
import sqlite3
from typing import Any

connect = sqlite3.connect


def limited(*arguments: Any, **options: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = connect(*arguments, **options)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    spare = int(os.environ["PROVISOR_SPARE_PAGES"])
    connection.execute(f"PRAGMA max_page_count = {pages + spare}")
    return connection


if __name__ == "__main__":
    sqlite3.connect = limited
    runpy.run_module("provisor", run_name="__main__", alter_sys=True)
