"""Where a database is, who we are to it, and how the way there is protected."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from provisor.connectors.sql.form import Form

DRIVERS: Final[Mapping[str, str]] = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}
PORTS: Final[Mapping[str, int]] = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
NOWHERE: Final = URL.create("sqlite+pysqlite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds."""

    connect: float = 10.0
    read: float = 60.0
    """The longest that one answer of the server is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database, by driver, place and name."""

    url: URL = field(repr=False)
    """With the password."""
    tls: str = "off"
    """`verify`: certificate and name; `require`: encrypted by whomever; `off`."""
    ca_file: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def dialect(self) -> str:
        return self.url.get_backend_name()

    @property
    def is_sqlite(self) -> bool:
        return self.dialect == "sqlite"

    @property
    def is_postgresql(self) -> bool:
        return self.dialect == "postgresql"

    @property
    def is_mysql(self) -> bool:
        return self.dialect in ("mysql", "mariadb")

    @property
    def place(self) -> str:
        """Return where it is, for people and as its identity: never a secret, nor the account."""
        if self.is_sqlite:
            return f"sqlite:{self.url.database or ''}"
        port = self.url.port or PORTS.get(self.dialect)
        host = (self.url.host or "local").lower()
        name = "mysql" if self.is_mysql else self.dialect
        return f"{name}://{host}{f':{port}' if port else ''}/{self.url.database or ''}"

    @property
    def account(self) -> str:
        return self.url.username or ""


def to_address(form: Form, base: Path) -> Address:
    """Return the address that settings name; complain about what is wrong with it."""
    text = form.text("url").strip()
    url = _url(form, text, base)
    password = form.text("password")
    if url.password:
        form.complain("url", "holds a password: give it as password, best from env: or file:")
    ca_file = form.text("caFile")
    path = str((base / ca_file).absolute()) if ca_file else ""
    if ca_file and not Path(path).is_file():
        form.complain("caFile", f"there is no file {ca_file}")
    inner, timeouts = form.inner("timeouts", ("connect", "read")), Timeouts()
    if inner is not None:
        timeouts = Timeouts(
            connect=inner.seconds("connect", 10.0), read=inner.seconds("read", 60.0)
        )
        inner.finish()
    usual = "off" if _is_here(url.host) else "verify"
    return Address(
        url=url.set(password=password) if password else url,
        tls=form.choice("tls", ("verify", "require", "off"), usual),
        ca_file=path,
        timeouts=timeouts,
    )


def _url(form: Form, text: str, base: Path) -> URL:
    if not text:
        form.complain("url", "is missing: such as postgresql://account@host/database")
        return NOWHERE
    try:
        url = make_url(text)
        url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
        url.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        form.complain("url", "is no address of the form postgresql://account@host/database")
        return NOWHERE
    except (NoSuchModuleError, ImportError) as missing:
        form.complain("url", f"needs a driver that is not installed ({missing}): pip install it")
        return NOWHERE
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            form.complain("url", "names no file: sqlite:///people.db")
            return NOWHERE
        return url.set(database=str((base / url.database).absolute()))
    if not url.database:
        form.complain("url", "names no database: it stands after the host, behind a slash")
    return url


def _is_here(host: str | None) -> bool:
    if not host or host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
