"""Real database servers on loopback, on free ports: PostgreSQL and MariaDB.

The hands that change what is in them are the drivers', with statements of the tests' own. Nothing
is left behind: servers end with whoever started them, and their folders go with them.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from pymysql.constants import CLIENT

START_S = 60.0
STOP_S = 10.0
NOBODY = "nobody"
HASTY = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
    "autovacuum=off",
)
"""How PostgreSQL is set where a loss of power is not to be survived."""


def _find(name: str, *folders: str) -> str:
    found = [str(path) for folder in folders for path in sorted(Path("/").glob(f"{folder}/{name}"))]
    return found[-1] if found else shutil.which(name) or ""


POSTGRES = _find(
    "postgres", os.environ.get("POSTGRES_BIN", "").strip("/") or "usr/lib/postgresql/*/bin"
)
"""Of the newest version that is installed, or the one that `POSTGRES_BIN` names a folder of."""
MARIADB = _find("mariadbd", "usr/sbin")
NO_POSTGRES = "PostgreSQL is not installed: apt-get install postgresql"
NO_MARIADB = "MariaDB is not installed: apt-get install mariadb-server"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if is_ready():
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _owned(prefix: str) -> Path:
    """Make a folder for a server to write to."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam(NOBODY).pw_uid, pwd.getpwnam(NOBODY).pw_gid)
    return folder


def _copy(here: Path, there: Path) -> None:
    """Copy a folder that is being written to: what vanishes meanwhile is not needed."""
    there.mkdir(mode=0o700, exist_ok=True)
    for path in here.iterdir():
        with suppress(FileNotFoundError):
            if path.is_dir():
                _copy(path, there / path.name)
            elif path.name != "postmaster.pid":
                shutil.copyfile(path, there / path.name)


def _give(folder: Path) -> None:
    """Have a folder, and what is in it, be the servers'."""
    if os.getuid() == 0:
        nobody = pwd.getpwnam(NOBODY)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


def bound(*command: str) -> list[str]:
    """Return a command that ends with its parent, as the user `nobody` where we are root."""
    as_nobody = ["--reuid=nobody", f"--regid={pwd.getpwnam(NOBODY).pw_gid}", "--clear-groups"]
    return ["setpriv", *(as_nobody if os.getuid() == 0 else []), "--pdeathsig", "KILL", *command]


@dataclass(kw_only=True)
class Server:
    """A running server: databases are made in it, and it may be killed and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        """End it at once, as a loss of power does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_S)

    def stop(self) -> None:
        """End it without ceremony: nothing in it is needed any more."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if self.is_postgres else signal.SIGKILL)
            self.process.wait(STOP_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_postgres(self) -> bool:
        return isinstance(self, Postgres)


@dataclass(kw_only=True)
class Postgres(Server):
    """PostgreSQL; `hr` may log in with the password `hr-password`."""

    settings: Sequence[str] = HASTY

    @classmethod
    @contextmanager
    def run(cls, settings: Sequence[str] = HASTY) -> Generator[Postgres]:
        folder = _owned("provisor-pg-")
        server = cls(folder=folder, port=free_port(), settings=settings)
        try:
            initdb = str(Path(POSTGRES).parent / "initdb")
            made = subprocess.run(
                bound(
                    initdb, "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                    "--locale=C.UTF-8", "-N",
                ),
                capture_output=True, check=False, cwd=folder,
            )  # fmt: skip
            assert made.returncode == 0, made.stderr.decode()
            hba = folder / "data" / "pg_hba.conf"
            trusted = "".join(
                f"host {what} postgres 127.0.0.1/32 trust\n" for what in ("all", "replication")
            )
            hba.write_text(f"{trusted}host all all 127.0.0.1/32 scram-sha-256\n")
            server.start()
            with server.root() as root:
                root.execute("CREATE ROLE hr LOGIN PASSWORD 'hr-password'")
                root.execute("CREATE DATABASE hr OWNER hr")
            with server.root("hr") as root:
                root.execute("CREATE EXTENSION citext")
            yield server
        finally:
            server.stop()

    def replica(self) -> Postgres:
        """Begin a server that follows this one, as fast as it can. Stop it yourself.

        Its files are copied while this one writes (PostgreSQL, "Making a Base Backup Using the Low
        Level API"): `pg_basebackup` is not part of every package.
        """
        folder = _owned("provisor-pg-")
        data = folder / "data"
        with self.root() as root:
            is_old = root.info.server_version < 15_00_00
            begin, end = ("start_backup", "stop_backup(FALSE)") if is_old else (
                "backup_start", "backup_stop()"
            )  # fmt: skip
            aside = ", FALSE" if is_old else ""
            root.execute(f"SELECT pg_{begin}('replica', TRUE{aside})".encode())
            _copy(self.folder / "data", data)
            (label,) = root.execute(f"SELECT labelfile FROM pg_{end}".encode()).fetchone() or ("",)
        _copy(self.folder / "data" / "pg_wal", data / "pg_wal")
        (data / "backup_label").write_text(label)
        (data / "standby.signal").touch()
        followed = f"host=127.0.0.1 port={self.port} user=postgres"
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{followed}'\n")
        _give(data)
        replica = Postgres(folder=folder, port=free_port(), settings=self.settings)
        replica.start()
        return replica

    def promote(self) -> None:
        """Let a replica follow nobody any more; it takes writes when this returns."""
        with self.root() as root:
            root.execute("SELECT pg_promote(TRUE, 60)")

    def start(self) -> None:
        log = self.folder / "log"
        always = ("listen_addresses=127.0.0.1", "unix_socket_directories=")
        options = [part for one in (*self.settings, *always) for part in ("-c", one)]
        command = bound(POSTGRES, "-D", f"{self.folder}/data", "-p", str(self.port), *options)
        log.touch()
        end = time.monotonic() + START_S
        while True:
            log.write_bytes(b"")
            with log.open("ab") as words:
                self.process = subprocess.Popen(
                    command, stdout=words, stderr=words, cwd=self.folder
                )
            try:
                return _wait(self.process, self._is_ready, log)
            except RuntimeError:
                # Those who served connections die a moment after the one who was killed.
                if b"is still in use" not in log.read_bytes() or time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            with self.root():
                return True
        except psycopg.OperationalError:
            return False

    @contextmanager
    def root(self, database: str = "postgres") -> Generator[psycopg.Connection[Any]]:
        """Open a connection of the administrator, in which each statement is its transaction."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            yield connection

    def database(self) -> str:
        """Make an empty schema, which costs less than a database; return its name."""
        name = f"hr{next(self.numbers)}"
        with self.root("hr") as root:
            root.execute(f"CREATE SCHEMA {name} AUTHORIZATION hr".encode())
        return name

    def url(self, name: str) -> str:
        return f"postgresql://hr@127.0.0.1:{self.port}/hr?options=-csearch_path%3D{name},public"


@dataclass(kw_only=True)
class MariaDb(Server):
    """MariaDB; `hr` may log in with the password `hr-password`."""

    collation: str = "utf8mb4_general_ci"
    """What Debian has it be: under it `ę` is `e`, and `A` is `a`."""

    @classmethod
    @contextmanager
    def run(cls) -> Generator[MariaDb]:
        folder = _owned("provisor-maria-")
        server = cls(folder=folder, port=free_port())
        try:
            made = subprocess.run(
                bound(
                    _find("mariadb-install-db", "usr/bin"), "--no-defaults",
                    "--auth-root-authentication-method=normal", f"--datadir={folder}/data",
                    "--skip-test-db", "--skip-name-resolve",
                ),
                capture_output=True, check=False, cwd=folder,
            )  # fmt: skip
            assert made.returncode == 0, made.stderr.decode()
            server.start()
            with server.root() as root, root.cursor() as cursor:
                cursor.execute("CREATE USER hr@'%' IDENTIFIED BY 'hr-password'")
                cursor.execute("GRANT ALL ON `hr%`.* TO hr@'%'")
            yield server
        finally:
            server.stop()

    def start(self) -> None:
        log = self.folder / "log"
        command = bound(
            MARIADB, "--no-defaults", f"--datadir={self.folder}/data", f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--socket={self.folder}/s.sock", "--skip-name-resolve",
            "--character-set-server=utf8mb4", f"--collation-server={self.collation}",
            "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M",
            "--skip-log-bin", f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}",
        )  # fmt: skip
        log.touch()
        with log.open("ab") as words:
            self.process = subprocess.Popen(command, stdout=words, stderr=words, cwd=self.folder)
        _wait(self.process, self._is_ready, log)

    def _is_ready(self) -> bool:
        try:
            with self.root():
                return True
        except pymysql.Error:
            return False

    @contextmanager
    def root(self, database: str | None = None) -> Generator[pymysql.Connection[Any]]:
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            autocommit=True,
            charset="utf8mb4",
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
        try:
            yield connection
        finally:
            connection.close()

    def database(self) -> str:
        name = f"hr{next(self.numbers)}"
        with self.root() as root, root.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str) -> str:
        return f"mariadb://hr@127.0.0.1:{self.port}/{database}"
