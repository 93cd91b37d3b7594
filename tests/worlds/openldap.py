"""A real OpenLDAP server on loopback: started, loaded, restarted, restored from a backup.

The hands that change it here are those of another client library (ldap3), so that ours is never
its own witness.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
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

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SLAPD = next((p for p in ("/usr/sbin/slapd", shutil.which("slapd") or "") if Path(p).exists()), "")
SLAPCAT = "/usr/sbin/slapcat"
SLAPADD = next(
    (p for p in ("/usr/sbin/slapadd", shutil.which("slapadd") or "") if Path(p).exists()), ""
)
MODULES, SCHEMAS = Path("/usr/lib/ldap"), Path("/etc/ldap/schema")
NOT_THERE = "OpenLDAP's slapd is not installed: apt-get install slapd"
IS_THERE = bool(SLAPD) and MODULES.exists() and SCHEMAS.exists()

SUFFIX = "dc=example,dc=com"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "secret"
READER, LIMITED = f"uid=reader,{SUFFIX}", f"uid=limited,{SUFFIX}"
PERMISSIVE_MODIFY = "1.2.840.113556.1.4.1413"
"""Two accounts whose password is their uid: one pages through everything, one gets 500 entries."""
START_S = 20.0

OWN_SCHEMA = """
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'accountActive'
  EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'rank'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.3 NAME 'badge'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.4 NAME 'hiredAt' EQUALITY generalizedTimeMatch
  ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'account2' SUP top AUXILIARY
  MAY ( accountActive $ rank $ badge $ hiredAt ) )
objectclass ( 1.3.6.1.4.1.99999.2.2 NAME 'openGroup' SUP top STRUCTURAL
  MUST cn MAY ( member $ uniqueMember $ memberUid $ description $ displayName ) )
objectclass ( 1.3.6.1.4.1.99999.2.3 NAME 'openAccount' SUP top STRUCTURAL
  MUST uid MAY ( cn $ sn $ givenName $ displayName $ mail $ manager $ carLicense $ title $
  employeeNumber $ userPassword $ description ) )
"""

CONFIG = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {schemas}/nis.schema
include {folder}/own.schema
pidfile {folder}/slapd.pid
modulepath {modules}
moduleload back_mdb
moduleload memberof
moduleload syncprov
moduleload refint
moduleload unique
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSCACertificateFile {folder}/ca.pem
TLSVerifyClient try
sasl-secprops none
sasl-auxprops slapd
authz-regexp "gidNumber=[0-9]*[+]uidNumber=[0-9]*,cn=peercred,cn=external,cn=auth" "{admin}"
authz-regexp "cn=robot" "{reader}"
authz-regexp "uid=([^,]*),cn=[^,]*,cn=auth" "uid=$1,{suffix}"
threads 4
database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {folder}/db
maxsize 1073741824
dbnosync
index objectClass,entryCSN,entryUUID,uid,mail,cn,member,memberOf,modifyTimestamp eq
limits dn.exact="{reader}" size=unlimited size.pr={page_max} size.prtotal=unlimited time=unlimited
access to attrs=userPassword by anonymous auth by self write by * read
access to * by * read
{overlays}
"""
OVERLAYS: Mapping[str, str] = {
    "syncprov": "overlay syncprov\nsyncprov-checkpoint 100 10\nsyncprov-sessionlog 100000",
    "memberof": "overlay memberof\nmemberof-refint TRUE\nmemberof-dangling ignore",
    "refint": "overlay refint\nrefint_attributes member manager",
    "unique": "overlay unique\nunique_uri ldap:///?uid?sub\nunique_uri ldap:///?mail?sub",
}
Attributes = Mapping[str, "str | bytes | int | Sequence[str | bytes | int]"]


@dataclass(kw_only=True)
class OpenLdap:
    """A server; what it is made of stays in its folder when it is stopped."""

    folder: Path
    port: int
    tls_port: int
    page_max: int = 1000
    overlays: Sequence[str] = ("syncprov", "memberof", "refint", "unique")
    _process: subprocess.Popen[bytes] | None = None
    _hands: ldap3.Connection | None = field(default=None, repr=False)

    @classmethod
    @contextmanager
    def run(
        cls,
        folder: Path,
        *,
        overlays: Sequence[str] = ("syncprov", "memberof", "refint", "unique"),
        page_max: int = 1000,
    ) -> Generator[OpenLdap]:
        """Start a server on free ports, with nothing but its suffix and accounts in it."""
        port, tls_port = free_ports(2)
        world = cls(
            folder=folder, port=port, tls_port=tls_port, page_max=page_max, overlays=overlays
        )
        world.configure()
        world.start()
        try:
            world.furnish()
            yield world
        finally:
            world.stop()

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://localhost:{self.tls_port}"

    @property
    def socket_url(self) -> str:
        return f"ldapi://{str(self.folder / 'ldapi').replace('/', '%2F')}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def configure(self) -> None:
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        make_certificates(self.folder)
        (self.folder / "own.schema").write_text(OWN_SCHEMA)
        (self.folder / "slapd.conf").write_text(
            CONFIG.format(
                schemas=SCHEMAS,
                modules=MODULES,
                folder=self.folder,
                suffix=SUFFIX,
                admin=ADMIN,
                password=PASSWORD,
                reader=READER,
                page_max=self.page_max,
                overlays="\n".join(OVERLAYS[name] for name in self.overlays),
            )
        )

    def start(self) -> None:
        """Start it, and return when it answers."""
        urls = f"{self.url} ldaps://127.0.0.1:{self.tls_port} {self.socket_url}"
        self.launch([SLAPD, "-f", str(self.folder / "slapd.conf"), "-h", urls, "-d", "0"])

    def launch(self, command: Sequence[str]) -> None:
        name = Path(command[0]).name
        with (self.folder / f"{name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        ends = time.monotonic() + START_S
        while not answers(self.port):
            assert self._process.poll() is None, (self.folder / f"{name}.log").read_text()[-2000:]
            assert time.monotonic() < ends, f"{name} does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        self.let_go()
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
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
        """Keep a copy of all that it holds; the server is stopped meanwhile."""
        self.stop()
        kept = self.folder / "backup"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder / "db", kept)
        self.start()
        return kept

    def restore(self, kept: Path) -> None:
        """Make it what it was: as an administrator does after a disk broke."""
        self.stop()
        shutil.rmtree(self.folder / "db")
        shutil.copytree(kept, self.folder / "db")
        self.start()

    def load(self, ldif: Path) -> None:
        """Add very many entries at once, as `slapadd` does: the server is stopped meanwhile."""
        self.stop()
        self._slapadd(ldif, "-w")
        self.start()

    def _slapadd(self, ldif: Path, *options: str) -> None:
        config = str(self.folder / "slapd.conf")
        subprocess.run(
            [SLAPADD, "-q", *options, "-f", config, "-b", SUFFIX, "-l", str(ldif)],
            check=True,
            capture_output=True,
        )

    def follow_up(self, dn: str, member: str) -> None:
        """Take somebody out of a group as the overlay `refint` does: the group's modifyTimestamp
        and entryCSN stay as they were, and nobody is told. The server is stopped meanwhile."""
        self.stop()
        config, whole = str(self.folder / "slapd.conf"), self.folder / "whole.ldif"
        subprocess.run([SLAPCAT, "-f", config, "-o", "ldif-wrap=no", "-l", str(whole)], check=True)
        entries = whole.read_text(encoding="utf-8").split("\n\n")
        kept = [
            entry.replace(f"\nmember: {member}", "") if entry.startswith(f"dn: {dn}\n") else entry
            for entry in entries
        ]
        assert kept != entries, f"{member} is not in {dn}"
        whole.write_text("\n\n".join(kept), encoding="utf-8")
        shutil.rmtree(self.folder / "db")
        (self.folder / "db").mkdir()
        self._slapadd(whole)
        self.start()

    # other hands

    def furnish(self) -> None:
        self.add(SUFFIX, {"objectClass": ["dcObject", "organization"], "dc": "example", "o": "Ex"})
        for dn in (READER, LIMITED):
            uid = dn.split(",")[0].removeprefix("uid=")
            self.add(
                dn,
                {
                    "objectClass": ["account", "simpleSecurityObject"],
                    "uid": uid,
                    "userPassword": uid,
                },
            )

    def add(self, dn: str, attributes: Attributes) -> None:
        self._do("add", dn, attributes=dict(attributes))

    def modify(self, dn: str, changes: Mapping[str, object]) -> None:
        """Replace attributes by these values; None takes one away."""
        listed = {
            name: [(ldap3.MODIFY_REPLACE, [] if value is None else _listed(value))]
            for name, value in changes.items()
        }
        self._do("modify", dn, changes=listed)

    def members(self, dn: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change who is in a group by its `member`. Who is there already, or is not, is no mistake:
        the server follows up renames a little later."""
        changes = [
            (kind, [*names])
            for kind, names in ((ldap3.MODIFY_ADD, [*add]), (ldap3.MODIFY_DELETE, [*remove]))
            if names
        ]
        permissive = [(PERMISSIVE_MODIFY, True, None)]
        self._do("modify", dn, changes={"member": changes}, controls=permissive)

    def rename(self, dn: str, rdn: str, superior: str | None = None) -> None:
        self._do("modify_dn", dn, relative_dn=rdn, new_superior=superior)

    def delete(self, dn: str) -> None:
        self._do("delete", dn)

    def clear(self, base: str) -> None:
        """Delete what is below a name, and the name."""
        for dn in sorted(self.entries(base), key=lambda dn: dn.count(","), reverse=True):
            self.delete(dn)

    def entries(
        self,
        base: str = SUFFIX,
        filter: str = "(objectClass=*)",
        *,
        attributes: Sequence[str] = ("*", "+"),
    ) -> dict[str, dict[str, list[str]]]:
        """Return what another client sees: texts by attribute, by name."""
        hands: Any = self._connected()
        hands.search(base, filter, attributes=[*attributes])
        found = cast("list[dict[str, Any]]", hands.response or [])
        return {
            cast(str, one["dn"]): {
                name: [v.decode("utf-8", "replace") for v in values]
                for name, values in one["raw_attributes"].items()
            }
            for one in found
            if one["type"] == "searchResEntry"
        }

    def entry(self, dn: str) -> dict[str, list[str]] | None:
        found = self.entries(dn) if self._is_there(dn) else {}
        return found.get(dn) or next(iter(found.values()), None)

    def _is_there(self, dn: str) -> bool:
        hands: Any = self._connected()
        return bool(hands.search(dn, "(objectClass=*)", search_scope=ldap3.BASE))

    def uuid(self, dn: str) -> str:
        found = self.entry(dn)
        assert found is not None, dn
        return found["entryUUID"][0]

    def accepts(self, dn: str, password: str) -> bool:
        """Tell whether somebody may come in with this password."""
        server = ldap3.Server("127.0.0.1", port=self.port, get_info=ldap3.NONE)
        visitor: Any = ldap3.Connection(server, dn, password)
        try:
            return bool(visitor.bind())
        finally:
            visitor.unbind()

    def let_go(self) -> None:
        if self._hands is not None:
            with contextlib.suppress(Exception):
                self._hands.unbind()
            self._hands = None

    def _connected(self) -> ldap3.Connection:
        if self._hands is None:
            server = ldap3.Server("127.0.0.1", port=self.port, get_info=ldap3.NONE)
            self._hands = ldap3.Connection(server, ADMIN, PASSWORD, auto_bind=True)
        return self._hands

    def _do(self, what: str, dn: str, **arguments: object) -> None:
        hands = self._connected()
        assert getattr(hands, what)(dn, **arguments), f"{what} {dn}: {hands.result}"


def _listed(value: object) -> list[object]:
    return [*cast("Sequence[object]", value)] if isinstance(value, list | tuple) else [value]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on just now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def make_certificates(folder: Path, address: str = "127.0.0.1") -> None:
    """Write an authority, a server's certificate for localhost, and a client's."""
    authority = _Authority("Test authority")
    (folder / "ca.pem").write_bytes(authority.pem)
    names: dict[str, list[x509.GeneralName]] = {
        "server": [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address(address)),
        ],
        "robot": [],
    }
    for name, alternatives in names.items():
        certificate, key = authority.issue(name, alternatives)
        (folder / f"{name}.pem").write_bytes(certificate)
        (folder / f"{name}.key").write_bytes(key)


class _Authority:
    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = (
            self._begun(self._name, self._key)
            .add_extension(constraints, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, alternatives: list[x509.GeneralName]) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
        )
