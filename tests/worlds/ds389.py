"""A real 389 Directory Server on loopback, in a folder of its own.

Its content synchronisation is another one than OpenLDAP's: refreshes end without a phase of
deletions, entries are named by their nsUniqueId, and who leaves the filter is not told.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.worlds.openldap import (
    ADMIN,
    OWN_SCHEMA,
    PASSWORD,
    START_S,
    SUFFIX,
    OpenLdap,
)

NS_SLAPD: Final = Path("/usr/sbin/ns-slapd")
TEMPLATE: Final = Path("/usr/share/dirsrv/data/template-dse.ldif")
COLLATIONS: Final = Path("/etc/dirsrv/config/slapd-collations.conf")
IS_THERE: Final = NS_SLAPD.exists() and TEMPLATE.exists()
NOT_THERE: Final = "389 Directory Server is not installed: apt-get install 389-ds-base"
PLACES: Final = [
    "lock",
    "tmp",
    "cert",
    "ldif",
    "bak",
    "run",
    "inst",
    "log",
    "config",
    "db",
    "db_home",
]
PLUGINS: Final = (
    "Retro Changelog Plugin",
    "Content Synchronization",
    "referential integrity postoperation",
)
MAY_READ: Final = (
    '(targetattr != "userPassword")(version 3.0; acl "all may read"; allow (read, search, compare) '
    'userdn="ldap:///all";)'
)
BACKEND: Final = """
dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userroot
nsslapd-suffix: {suffix}

dn: cn=entryuuid,cn=plugins,cn=config
objectClass: top
objectClass: nsSlapdPlugin
cn: entryuuid
nsslapd-pluginPath: libentryuuid-plugin
nsslapd-pluginInitfunc: entryuuid_plugin_init
nsslapd-pluginType: betxnpreoperation
nsslapd-pluginEnabled: on
nsslapd-pluginId: none
nsslapd-pluginVersion: none
nsslapd-pluginVendor: none
nsslapd-pluginDescription: none

dn: cn="{suffix}",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: "{suffix}"
nsslapd-state: backend
nsslapd-backend: userroot
"""


@dataclass(kw_only=True)
class Ds389(OpenLdap):
    """A server; other hands come in as they do at OpenLDAP."""

    def configure(self) -> None:
        places = {f"{name}_dir": self.folder / name for name in PLACES}
        schema = places["schema_dir"] = places["config_dir"] / "schema"
        for place in places.values():
            place.mkdir(parents=True)
        said = {
            **{name: str(place) for name, place in places.items()},
            "fqdn": "localhost",
            "ds_port": str(self.port),
            "ds_user": "root",
            "rootdn": ADMIN,
            "ds_passwd": _salted(PASSWORD),
            "ldapi_enabled": "off",
            "ldapi": str(self.folder / "ldapi"),
            "ldapi_autobind": "off",
            "ds_suffix": SUFFIX,
            "db_lib": "bdb",
        }
        text = re.sub(r"%(\w+)%", lambda found: said[found[1]], TEMPLATE.read_text())
        for name in PLUGINS:
            entry = rf"(dn: cn={name},cn=plugins,cn=config\n(?:.+\n)*?nsslapd-pluginenabled: )off"
            text, count = re.subn(entry, r"\1on", text, flags=re.IGNORECASE)
            assert count == 1, name
        text = text.replace(
            "\nreferint-membership-attr: uniquemember", "\nreferint-membership-attr: manager"
        )
        text = text.rstrip() + "\n" + BACKEND.format(suffix=SUFFIX)
        (self.folder / "config" / "dse.ldif").write_text(text)
        (schema / "99own.ldif").write_text(_schema())
        (schema / "99user.ldif").write_text("dn: cn=schema\n")
        shutil.copy(COLLATIONS, places["config_dir"])

    def furnish(self) -> None:
        super().furnish()
        for target in (SUFFIX, "cn=changelog"):
            self.modify(target, {"aci": [MAY_READ]})

    def start(self) -> None:
        places = ("-D", str(self.folder / "config"), "-i", str(self.folder / "pid"))
        self.launch([str(NS_SLAPD), *places, "-d", "0"])

    def stop(self) -> None:
        self.let_go()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(START_S)
            self._process = None


def _salted(password: str) -> str:
    digest = hashlib.sha1(password.encode() + b"salt", usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + b"salt").decode()


def _schema() -> str:
    """Return our schema as a server of this kind reads it: each definition on a line."""
    lines = ["dn: cn=schema"]
    for line in OWN_SCHEMA.strip().splitlines():
        word, _, rest = line.partition(" ")
        match word.lower():
            case "attributetype":
                lines.append(f"attributeTypes: {rest}")
            case "objectclass":
                lines.append(f"objectClasses: {rest}")
            case _:
                lines[-1] += f" {line.strip()}"
    return "\n".join(lines) + "\n"
