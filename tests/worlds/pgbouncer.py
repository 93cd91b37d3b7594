"""A real PgBouncer on loopback, in transaction mode, before a PostgreSQL."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.worlds.databases import Postgres, bound, free_port

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
NO_PGBOUNCER = "PgBouncer is not installed: apt-get install pgbouncer"
PATIENCE_S = 20.0
SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_reset_query =
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def before(server: Postgres, address: str) -> Generator[str]:
    """Give the address of the same database through PgBouncer, which has three connections."""
    assert PGBOUNCER, NO_PGBOUNCER
    folder, port = Path(tempfile.mkdtemp(prefix="provisor-bouncer-")), free_port()
    settings = folder / "pgbouncer.ini"
    database = address.rpartition("/")[2]
    text = SETTINGS.format(server=server.port, port=port)
    settings.write_text(text.replace("* =", f"{database} = user=hr password=hr-password"))
    folder.chmod(0o755)
    with subprocess.Popen(
        bound(PGBOUNCER, "-q", str(settings)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(port)
            yield f"postgresql://hr@127.0.0.1:{port}/{database}"
        finally:
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "PgBouncer did not start"
            time.sleep(0.05)
        else:
            return
