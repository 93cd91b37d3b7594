"""What the settings of connectors say, for whoever fills them in: each explained in a sentence.

The connectors' own `settings` modules check them; a test holds both to one another. What has a form
of its own (`attributes`, `disabled`, …) is left to `provisor.yaml` and its page in the
documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

SOURCE, TARGET = "source", "target"


class Kind(StrEnum):
    """How a setting is filled in."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    PATH = "path"
    """A file, by its name beside `provisor.yaml`."""
    SECRET = "secret"  # noqa: S105
    """Given as `env:NAME` or `file:PATH`: never written out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a connector."""

    path: str
    """As in `provisor.yaml`: `oauth.clientId` lies within `oauth`."""
    says: str
    kind: Kind = Kind.TEXT
    default: str = ""
    """What holds where it is not said."""
    example: str = ""
    choices: tuple[str, ...] = ()
    is_required: bool = False
    is_usual: bool = False
    """Most who set such a system up say it; the others are rarely needed."""
    side: str = ""
    """The one side that knows it; empty: both."""


def _usual(
    path: str,
    says: str,
    example: str = "",
    *,
    kind: Kind = Kind.TEXT,
    default: str = "",
    is_required: bool = False,
    side: str = "",
) -> Setting:
    return Setting(
        path=path,
        says=says,
        kind=kind,
        default=default,
        example=example,
        is_required=is_required,
        is_usual=True,
        side=side,
    )


def _flag(path: str, says: str, default: str, side: str = "") -> Setting:
    return Setting(path=path, says=says, kind=Kind.FLAG, default=default, side=side)


def _number(path: str, says: str, default: str, side: str = "") -> Setting:
    return Setting(path=path, says=says, kind=Kind.NUMBER, default=default, side=side)


def _choice(path: str, says: str, *choices: str, side: str = "") -> Setting:
    """A choice whose first is what holds where nothing is said."""
    return Setting(
        path=path, says=says, kind=Kind.CHOICE, default=choices[0], choices=choices, side=side
    )


CA_FILE: Final = Setting(
    path="caFile",
    says="A file with the certificates to trust, where the system's are not enough.",
    kind=Kind.PATH,
    example="company-ca.pem",
)
FULL_READ_EVERY: Final = "How often everything is read although changes are told."
_NETWORK: Final = (
    CA_FILE,
    Setting(path="proxy", says="The proxy on the way, as http://host:port.", kind=Kind.SECRET),
    _number("rateLimit", "Requests a second. Without it the limit is learned.", ""),
    _flag("allowInsecure", "Allows plain http to another machine: anybody can read it.", "false"),
)

CSV: Final = (
    _usual(
        "users", "The file with people.", "people.csv", kind=Kind.PATH, is_required=True
    ),
    _usual("groups", "The file with groups. Without it there are none.", "groups.csv",
           kind=Kind.PATH),
    _usual("members", "The file that says who belongs to which group.", "members.csv",
           kind=Kind.PATH),
    _usual("anchor", "The column with the id that never changes.", default="id"),
    Setting(path="delimiter", says="What stands between cells: one character.", default=","),
    Setting(path="encoding", says="How characters are written.", default="utf-8",
            example="windows-1252"),
    Setting(path="multiValueSeparator", says="What stands between several values in one cell.",
            example=";"),
    _flag("emptyAsNull", "An empty cell is no value; else it is the empty text.", "true"),
    _number("settleFor", "Seconds for which nobody may have written a file before it is read.",
            "2"),
    Setting(path="manifest", says="A file that vouches for the others.", kind=Kind.PATH),
)  # fmt: skip

SCIM: Final = (
    _usual(
        "baseAddress",
        "Where the application's SCIM service is, without /Users.",
        "https://app.example.com/scim/v2",
        is_required=True,
    ),
    _usual("token", "The bearer token that the application gave you.", kind=Kind.SECRET),
    Setting(path="userName", says="Instead of a token: the user name for HTTP basic."),
    Setting(path="password", says="And its password.", kind=Kind.SECRET),
    Setting(path="oauth.tokenUrl", says="Instead of a token: where an OAuth client gets one."),
    Setting(path="oauth.clientId", says="The id of that client."),
    Setting(path="oauth.clientSecret", says="Its secret.", kind=Kind.SECRET),
    _choice("profile", "Defaults for a known kind of application.",
            "generic", "entra-gallery", "aws-iic"),
    _choice("patchStyle", "How changes are written.", "rfc", "entra-compliant", "entra-legacy",
            side=TARGET),
    _number("pageSize", "Objects in one page of a listing.", "100"),
    _flag("readBack", "After the first write of each kind, look at what was stored.", "true",
          side=TARGET),
    _flag("probeWrites", "A probe may make objects of its own, and removes them again.", "false",
          side=TARGET),
    _choice("changes", "How changes are found: all is read, or what is newer.",
            "snapshot", "timestamps", side=SOURCE),
    Setting(path="fullReadEvery", says=FULL_READ_EVERY, default="P1D", side=SOURCE),
    *_NETWORK,
)  # fmt: skip

_DIRECTORY: Final = (
    _usual("url", "Where the directory answers.", "ldaps://directory.example.com",
           is_required=True),
    _usual("base", "Where people and groups are.", "dc=example,dc=com", is_required=True),
    _usual("bindDn", "The account that reads or writes.", "cn=provisor,dc=example,dc=com"),
    _usual("password", "Its password.", kind=Kind.SECRET),
    _usual("users.base", "Where people are, if not everywhere below.",
           "ou=people,dc=example,dc=com"),
    Setting(path="users.filter", says="Which of them count, as an LDAP filter.",
            example="(employeeType=staff)"),
    _usual("groups.base", "Where groups are, if not everywhere below.",
           "ou=groups,dc=example,dc=com"),
    _flag("startTls", "With ldap://: TLS before anything else is said.", "false"),
    _flag("allowInsecure", "Lets ldap:// to another machine go without TLS.", "false"),
    CA_FILE,
    Setting(path="fullReadEvery", says=FULL_READ_EVERY, default="P1D", side=SOURCE),
    _number("pageSize", "Entries in a page; not more than the server allows.", "1000"),
)  # fmt: skip

LDAP: Final = (
    *_DIRECTORY,
    Setting(path="anchor", says="The attribute that never changes.", default="entryUUID"),
    _choice("changes", "How changes are found.", "auto", "sync", "timestamps", "snapshot",
            side=SOURCE),
)  # fmt: skip

ACTIVE_DIRECTORY: Final = (
    *_DIRECTORY,
    _choice("changes", "How changes are found.", "auto", "dirsync", "usn", "snapshot",
            side=SOURCE),
    _flag("expiredIsDisabled", "An account that has expired counts as disabled.", "true"),
    Setting(path="initialPassword", says="What new accounts are given; else one nobody knows.",
            kind=Kind.SECRET, side=TARGET),
    _flag("mustChangePassword", "New accounts choose a password when they first sign in.", "true",
          side=TARGET),
)  # fmt: skip

SQL: Final = (
    _usual("url", "The database, never with a password.",
           "postgresql://provisor@db.example.com/hr", is_required=True),
    _usual("password", "The password of its account.", kind=Kind.SECRET),
    _usual("users.table", "The table or view with people.", "people", is_required=True),
    _usual("users.anchor", "The column that names a person for ever.", default="id"),
    _usual("groups.table", "The table or view with groups.", "teams"),
    Setting(path="groups.anchor", says="The column that names a group for ever.", default="id"),
    _usual("groups.members.table", "The table that says who belongs to which group.",
           "team_members"),
    _usual("groups.members.group", "Its column with the group.", "team_id"),
    _usual("groups.members.member", "Its column with the member.", "person_id"),
    Setting(path="users.watermark", says="A column that grows with each change: a time or number.",
            example="updated_at", side=SOURCE),
    Setting(path="schema", says="Where tables lie that name no schema."),
    _choice("tls", "How the way there is kept private.", "verify", "require", "off"),
    CA_FILE,
    Setting(path="fullEvery", says=FULL_READ_EVERY, default="P1D", side=SOURCE),
)  # fmt: skip

MSGRAPH: Final = (
    _usual("tenant", "The id or a domain of the tenant.", "contoso.onmicrosoft.com",
           is_required=True),
    _usual("clientId", "The id of the app registration.", is_required=True),
    _usual("clientSecret", "Its secret.", kind=Kind.SECRET),
    Setting(path="baseAddress", says="For national clouds: where their Graph is.",
            default="https://graph.microsoft.com/v1.0"),
    Setting(path="authority", says="Where tokens are issued.",
            default="https://login.microsoftonline.com"),
    _flag("groups", "Whether groups are read too.", "true"),
    Setting(path="fullReadEvery", says=FULL_READ_EVERY, default="P7D", side=SOURCE),
    *_NETWORK,
)  # fmt: skip

DESCRIBED: Final = MappingProxyType(
    {
        "csv": CSV,
        "scim": SCIM,
        "ldap": LDAP,
        "activedirectory": ACTIVE_DIRECTORY,
        "sql": SQL,
        "msgraph": MSGRAPH,
        "inbound": (),
    }
)
"""The settings of each connector that is built in, the most usual first."""
