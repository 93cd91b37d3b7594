"""A real Active Directory domain controller on loopback: Samba's, with its LDAP service alone.

Its ports are fixed, so each has a loopback address of its own. A domain is provisioned once for a
run and copied from then on. The hands that change it here are those of another client library
(ldap3), so that ours is never its own witness.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import ldap3

from tests.worlds.openldap import make_certificates

SAMBA = shutil.which("samba", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""
TOOL = shutil.which("samba-tool", path="/usr/bin:/usr/local/bin") or ""
LDBADD = shutil.which("ldbadd", path="/usr/bin:/usr/local/bin") or ""
LDB_MODULES = next(Path("/usr/lib").glob("*/samba/ldb"), Path("/usr/lib/samba/ldb"))
SETUP = Path("/usr/share/samba/setup/ad-schema")
IS_THERE = bool(SAMBA and TOOL and LDBADD) and SETUP.exists() and os.geteuid() == 0
NOT_THERE = (
    "no Samba domain controller can run here: as root, "
    "apt-get install samba samba-ad-dc samba-ad-provision samba-dsdb-modules ldb-tools"
)
REALM, DOMAIN, SUFFIX = "CORP.EXAMPLE.COM", "CORP", "DC=corp,DC=example,DC=com"
ADMIN, PASSWORD = "administrator@corp.example.com", "Passw0rd.2026"
READER, READER_PASSWORD = "reader@corp.example.com", "Reader.2026"
"""An account without any right of its own: it may not replicate, nor see who was deleted."""
START_S, PROVISION_S = 60.0, 300.0
SHOW_DELETED = "1.2.840.113556.1.4.417"

CONFIG = """
[global]
    bind interfaces only = yes
    interfaces = {host}/8
    cache directory = {folder}/cache
    lock directory = {folder}
    state directory = {folder}/state
    private dir = {folder}/private
    pid directory = {folder}
    ncalrpc dir = {folder}/ncalrpc
    log file = {folder}/samba.log
    log level = 0
    netbios name = DC1
    realm = {realm}
    workgroup = {domain}
    server role = active directory domain controller
    server services = ldap
    ldap server require strong auth = no
    tls keyfile = {folder}/server.key
    tls certfile = {folder}/server.pem
    tls cafile = {folder}/ca.pem
    ldb:nosync = true
"""
Values = Mapping[str, "str | bytes | int | Sequence[str | bytes | int]"]


@dataclass(kw_only=True)
class Samba:
    """A domain controller; what it is made of stays in its folder when it is stopped."""

    folder: Path
    host: str
    _process: subprocess.Popen[bytes] | None = None
    _hands: ldap3.Connection | None = field(default=None, repr=False)

    @classmethod
    @contextmanager
    def run(cls, folder: Path, seed: Path) -> Generator[Samba]:
        """Start a domain controller with nothing in it but its own; `seed` is kept for others."""
        shutil.copytree(provisioned(seed), folder, dirs_exist_ok=True)
        world = cls(folder=folder, host=free_address())
        make_certificates(folder, world.host)
        world.start()
        try:
            world.furnish()
            yield world
        finally:
            world.stop()

    @property
    def url(self) -> str:
        return f"ldap://{self.host}:389"

    @property
    def tls_url(self) -> str:
        return f"ldaps://{self.host}:636"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def start(self) -> None:
        """Start it, and return when it answers."""
        for name in ("cache", "ncalrpc", "etc"):
            (self.folder / name).mkdir(exist_ok=True)
        config = self.folder / "etc" / "smb.conf"
        config.write_text(
            CONFIG.format(host=self.host, folder=self.folder, realm=REALM, domain=DOMAIN)
        )
        (self.folder / "server.key").chmod(0o600)
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [SAMBA, "-s", str(config), "--foreground", "--no-process-group", "--model=single"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + START_S
        while not self.answers():
            assert self._process.poll() is None, self.words()
            assert time.monotonic() < ends, self.words()
            time.sleep(0.05)

    def words(self) -> str:
        """Return the last that it wrote into its logs."""
        logs = [self.folder / name for name in ("out.log", "samba.log")]
        return "\n".join(log.read_text()[-2000:] for log in logs if log.exists())

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.host, 389)) == 0

    def stop(self) -> None:
        self.let_go()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def back_up(self) -> Path:
        """Keep a copy of the database; the server is stopped meanwhile."""
        self.stop()
        kept = self.folder / "backup"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder / "private", kept, ignore=shutil.ignore_patterns("ldap*"))
        self.start()
        return kept

    def restore(self, kept: Path) -> None:
        """Make it what it was, as a snapshot of a virtual machine does."""
        self.stop()
        shutil.rmtree(self.folder / "private")
        shutil.copytree(kept, self.folder / "private")
        (self.folder / "private").chmod(0o700)
        self.start()

    def load(self, ldif: str) -> None:
        """Add very many entries at once, offline: the server is stopped meanwhile."""
        self.stop()
        file = self.folder / "load.ldif"
        file.write_text(ldif, encoding="utf-8")
        config = self.folder / "etc" / "smb.conf"
        done = subprocess.run(
            [
                LDBADD, "-H", str(self.folder / "private" / "sam.ldb"), str(file),
                f"--configfile={config}", "--option=ldb:nosync=true",
            ],
            env={**os.environ, "LDB_MODULES_PATH": str(LDB_MODULES)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        self.start()

    # other hands

    def furnish(self) -> None:
        self.person(
            f"CN=reader,CN=Users,{SUFFIX}",
            "reader",
            userPrincipalName=READER,
            unicodePwd=f'"{READER_PASSWORD}"'.encode("utf-16-le"),
            userAccountControl=512,
        )
        # Somebody was deleted once, as in every domain: where nobody was, nobody can tell whether
        # an account would see it.
        left = f"CN=left,CN=Users,{SUFFIX}"
        self.person(left, "left")
        self.delete(left)

    def container(self, dn: str) -> None:
        self.add(dn, {"objectClass": "organizationalUnit"})

    def person(self, dn: str, account: str, **said: Any) -> str:
        """Add a person, disabled unless said otherwise; return the objectGUID."""
        made: dict[str, Any] = {"objectClass": "user", "sAMAccountName": account}
        return self.add(dn, {**made, "userAccountControl": 546, **said})

    def group(self, dn: str, account: str, **said: Any) -> str:
        return self.add(dn, {"objectClass": "group", "sAMAccountName": account, **said})

    def add(self, dn: str, attributes: Values) -> str:
        """Add an entry; return its objectGUID."""
        self._do("add", dn, attributes=dict(attributes))
        return self.guid(dn)

    def modify(self, dn: str, changes: Mapping[str, object]) -> None:
        """Replace attributes by these values; None takes one away."""
        listed = {
            name: [(ldap3.MODIFY_REPLACE, [] if value is None else _listed(value))]
            for name, value in changes.items()
        }
        self._do("modify", dn, changes=listed)

    def members(self, dn: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        changes = [
            (kind, [*names])
            for kind, names in ((ldap3.MODIFY_ADD, [*add]), (ldap3.MODIFY_DELETE, [*remove]))
            if names
        ]
        self._do("modify", dn, changes={"member": changes})

    def rename(self, dn: str, rdn: str, superior: str | None = None) -> None:
        self._do("modify_dn", dn, relative_dn=rdn, new_superior=superior)

    def delete(self, dn: str) -> None:
        self._do("delete", dn)

    def undelete(self, guid: str, dn: str) -> None:
        """Bring somebody back, as administrators do within the lifetime of tombstones."""
        found = self.entries(SUFFIX, f"(objectGUID={_escaped(guid)})", deleted=True)
        (buried,) = found
        changes: dict[str, list[tuple[str, list[str]]]] = {
            "isDeleted": [(ldap3.MODIFY_DELETE, [])],
            "distinguishedName": [(ldap3.MODIFY_REPLACE, [dn])],
        }
        self._do("modify", buried, changes=changes, controls=[(SHOW_DELETED, True, None)])

    def clear(self, base: str) -> None:
        """Delete what is below a name, and the name."""
        for dn in sorted(self.entries(base, attributes=["1.1"]), key=lambda dn: -dn.count(",")):
            self.delete(dn)

    def entries(
        self,
        base: str = SUFFIX,
        filter: str = "(objectClass=*)",
        *,
        attributes: Sequence[str] = ("*", "uSNChanged"),
        deleted: bool = False,
    ) -> dict[str, dict[str, list[bytes]]]:
        """Return what another client sees: octets by attribute, by name."""
        hands: Any = self._connected()
        controls = [(SHOW_DELETED, True, None)] if deleted else None
        hands.search(base, filter, attributes=[*attributes], controls=controls)
        found = cast("list[dict[str, Any]]", hands.response or [])
        return {
            cast(str, one["dn"]): one["raw_attributes"]
            for one in found
            if one["type"] == "searchResEntry"
        }

    def entry(self, dn: str, *attributes: str) -> dict[str, list[bytes]] | None:
        hands: Any = self._connected()
        asked = [*attributes] or ["*"]
        if not hands.search(dn, "(objectClass=*)", search_scope=ldap3.BASE, attributes=asked):
            return None
        found = cast("list[dict[str, Any]]", hands.response)
        return next(one["raw_attributes"] for one in found if one["type"] == "searchResEntry")

    def guid(self, dn: str) -> str:
        found = self.entry(dn, "objectGUID")
        assert found is not None, dn
        return str(UUID(bytes_le=found["objectGUID"][0]))

    def by_guid(self, guid: str, *attributes: str) -> dict[str, list[bytes]] | None:
        """Return an entry wherever it is; its name is in `distinguishedName`."""
        found = self.entries(
            SUFFIX, f"(objectGUID={_escaped(guid)})", attributes=attributes or ("*",)
        )
        return next(iter(found.values()), None)

    def let_go(self) -> None:
        if self._hands is not None:
            with contextlib.suppress(Exception):
                self._hands.unbind()
            self._hands = None

    def _connected(self) -> ldap3.Connection:
        if self._hands is None or self._hands.closed:
            server = ldap3.Server(self.host, port=389, get_info=ldap3.NONE)
            self._hands = ldap3.Connection(server, ADMIN, PASSWORD, auto_bind=True)
        return self._hands

    def _do(self, what: str, dn: str, **arguments: object) -> None:
        hands = self._connected()
        assert getattr(hands, what)(dn, **arguments), f"{what} {dn}: {hands.result}"


def provisioned(seed: Path) -> Path:
    """Return a folder with a new domain, made by whoever comes first and shared by all."""
    seed.parent.mkdir(parents=True, exist_ok=True)
    with seed.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not seed.exists():
            unfinished = seed.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            _provision(unfinished)
            unfinished.rename(seed)
    return seed


def _provision(folder: Path) -> None:
    folder.mkdir()
    chosen = {
        "realm": REALM,
        "domain": DOMAIN,
        "server-role": "dc",
        "dns-backend": "NONE",
        "adminpass": PASSWORD,
        "host-name": "dc1",
        "host-ip": "127.0.0.1",
        "targetdir": str(folder),
        "backend-store": "mdb",
        "backend-store-size": "1Gb",
        "option": "ldb:nosync=true",
    }
    listed = [f"--{name}={value}" for name, value in chosen.items()]
    done = subprocess.run(
        [TOOL, "domain", "provision", *listed], capture_output=True, timeout=PROVISION_S, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    relaxed = ("--complexity=off", "--min-pwd-length=4", "--min-pwd-age=0", "--history-length=0")
    url = str(folder / "private" / "sam.ldb")
    config = str(folder / "etc" / "smb.conf")
    done = subprocess.run(
        [TOOL, "domain", "passwordsettings", "set", "-s", config, "-H", url, *relaxed],
        capture_output=True,
        timeout=PROVISION_S,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def free_address() -> str:
    """Return a loopback address where nobody is."""
    chance = random.SystemRandom()
    while True:
        host = f"127.{chance.randrange(1, 255)}.{chance.randrange(256)}.{chance.randrange(2, 255)}"
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in (389, 636, 3268, 3269):
                stack.enter_context(socket.socket()).bind((host, port))
            return host


def _listed(value: object) -> list[object]:
    return [*cast("Sequence[object]", value)] if isinstance(value, list | tuple) else [value]


def _escaped(guid: str) -> str:
    return "".join(f"\\{octet:02x}" for octet in UUID(guid).bytes_le)
