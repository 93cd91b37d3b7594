"""What strangers send: filters of the API, names and answers of directories, answers of SCIM."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from random import Random
from typing import Any, cast

from provisor.connectors.http.body import Json, JsonObject, NotJson, decode
from provisor.connectors.ldapwire import ber, names
from provisor.connectors.ldapwire import filters as ldap_filters
from provisor.connectors.scim.discovery import abilities_of, resource_types_of, schemas_of
from provisor.connectors.scim.paths import PathError, parse, quoted
from provisor.connectors.scim.paths import read as read_at
from provisor.connectors.scim.quirks import Quirks
from provisor.connectors.scim.resources import entry_of, shape_of
from provisor.connectors.scim.wire import error_answer, list_answer
from provisor.errors import AdapterError
from provisor.graph.http.faults import Fault
from provisor.graph.http.filters import holds, parse_filter, paths_of
from provisor.graph.http.query import parse_query, sliced
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.telemetry.measures import Malformed, from_line, to_line
from tests.fuzz.matter import one, spoilt, text_value

FILTERS = (
    "displayName eq 'O''Brien' and (id ne null or not(startswith(appId,'a')))",
    "jobId eq 'scim.1' and activityDateTime ge 2025-01-01T00:00:00Z",
    "contains(tolower(displayName),'x') or count le 7 or isOk eq true",
    "owners/any(o:o/id eq 'a')",
    "statusInfo/status eq 'success'",
)
QUERIES = ("$filter=a eq 'b'&$top=5&$skip=1", "%24select=id,name&$orderby=id desc&$count=true")
DOCUMENT: dict[str, object] = {
    "displayName": "O'Brien",
    "id": 7,
    "count": 2.5,
    "isOk": True,
    "statusInfo": {"status": "success"},
    "owners": [{"id": "a"}, None, 3],
    "nothing": None,
}
LDAP_FILTERS = (
    "(&(objectClass=person)(|(cn=a*b*c)(!(mail=*)))(memberOf:1.2.840.113556.1.4.1941:=cn=x))",
    "(cn=\\2a\\28ö)",
    "uid=ada",
)
LDAP_NAMES = ('CN="Lovelace, Ada"+UID=7,OU=Staff\\, all,DC=example', "cn=\\c3\\a9\\ ,dc=x", "")
PATHS = (
    'emails[type eq "work"].value',
    "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
    "manager",
    "addresses[primary eq true]",
)
USER: JsonObject = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "id": "2819c223",
    "userName": "ada@example.com",
    "active": "True",
    "name": {"givenName": "Ada"},
    "emails": [{"type": "work", "value": "ada@example.com", "primary": True}, "odd"],
    "meta": {"version": 'W/"3"', "lastModified": "2025-01-01T00:00:00Z"},
}
DISCOVERED: JsonObject = {
    "totalResults": 1,
    "patch": {"supported": True},
    "filter": {"supported": True, "maxResults": 200},
    "Resources": [
        {
            "id": "urn:x:User",
            "name": "User",
            "endpoint": "/Users",
            "schemaExtensions": [{"schema": "urn:y", "required": False}],
            "attributes": [
                {"name": "emails", "type": "complex", "multiValued": True,
                 "subAttributes": [{"name": "value", "type": "string"}]},
                {"name": "manager", "type": "reference", "referenceTypes": ["User"]},
            ],
        }
    ],
}  # fmt: skip
SHAPE = shape_of(
    "User",
    [
        AttributeDefinition(name=name, type=type)
        for name, type in (
            ("id", AttributeType.STRING),
            ("userName", AttributeType.STRING),
            ("active", AttributeType.BOOLEAN),
            ("name.givenName", AttributeType.STRING),
            ('emails[type eq "work"].value', AttributeType.STRING),
            ("meta.lastModified", AttributeType.DATE_TIME),
        )
    ],
)


def odata(chance: Random, case: dict[str, object]) -> None:
    """A filter of the API is refused, or holds of a document or not."""
    text = case["filter"] = spoilt(chance, one(chance, FILTERS))
    with suppress(Fault):
        condition = parse_filter(text)
        assert isinstance(holds(condition, damaged(chance, DOCUMENT)), bool)
        assert all(isinstance(path, str) for path in paths_of(condition))
    raw = case["query"] = spoilt(chance, one(chance, QUERIES))
    with suppress(Fault):
        query = parse_query(raw, is_beta=chance.random() < 0.5)
        items = [damaged(chance, DOCUMENT) for _ in range(3)]
        assert len(sliced(items, query, "thing", tuple(DOCUMENT), skip=0).items) <= 3


def ldap(chance: Random, case: dict[str, object]) -> None:
    """Filters, names and messages of a directory are read, or refused by name."""
    text = case["filter"] = sayable(spoilt(chance, one(chance, LDAP_FILTERS)))
    with suppress(ldap_filters.NotAFilter):
        ldap_filters.encode(text)
    value = case["value"] = sayable(text_value(chance))
    ldap_filters.encode(ldap_filters.equals("cn", value))  # whatever a value is, it is one value
    name = case["name"] = sayable(spoilt(chance, one(chance, LDAP_NAMES)))
    with suppress(names.NotAName):
        taken = names.parse(name)
        assert names.parse(names.format(taken)) == taken
        assert names.is_below(name, name)
    message = ber.sequence(ber.integer(chance.randrange(-(2**31), 2**31)), ber.octets(value))
    content = case["message"] = broken(chance, message)
    with suppress(ber.Malformed):
        reader = ber.Reader(content).enter(ber.SEQUENCE)
        reader.integer()
        reader.text()


def scim(chance: Random, case: dict[str, object]) -> None:
    """Whatever a SCIM service answers is understood as far as it goes, or refused as one answer."""
    body = case["body"] = broken(chance, json.dumps(one(chance, (USER, DISCOVERED))).encode())
    with suppress(NotJson):
        understood(decode(body))
    documents: tuple[dict[str, object], ...] = ({**USER}, {**DISCOVERED})
    understood(cast(Json, damaged(chance, one(chance, documents))))
    text = case["path"] = spoilt(chance, one(chance, PATHS))
    with suppress(PathError):
        read_at(USER, parse(text))
    assert json.loads(quoted(sayable(text_value(chance)))) is not None


def understood(content: Json) -> None:
    """Read an answer in every way in which one is read."""
    list_answer(content)
    error_answer(content)
    abilities_of(content)
    resource_types_of(content)
    schemas_of(content)
    if isinstance(content, dict):
        with suppress(AdapterError):
            entry_of(SHAPE, content, Quirks())


def measures(chance: Random, case: dict[str, object]) -> None:
    """What another process says it has counted is believed only where it can be so."""
    line = to_line({("provisor_store_up", ()): (1.0,)})
    said = case["line"] = broken(chance, line)
    with suppress(Malformed):
        assert to_line(from_line(said))


def sayable(text: str) -> str:
    """Return a text as it can come over a wire: without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def broken(chance: Random, content: bytes) -> bytes:
    """Return bytes with a few of them changed, cut or repeated."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(3):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + chance.randrange(9)]
            case _:
                made[at:at] = made[at : at + 12] * chance.choice((1, 2, 200))
    return bytes(made)


def damaged(chance: Random, document: dict[str, object]) -> dict[str, object]:
    """Return a document in which some value is of another kind, or gone."""
    made = copy.deepcopy(document)
    place: Any = made
    for _ in range(chance.randint(1, 6)):
        keys = places(place)
        if not keys:
            break
        key = one(chance, keys)
        if chance.random() < 0.4:
            place[key] = odd(chance)
            break
        place = place[key]
    return made


def places(held: object) -> list[Any]:
    """Return under what keys or numbers something holds something."""
    if isinstance(held, dict):
        return list(cast(dict[str, object], held))
    return list(range(len(cast(list[object], held)))) if isinstance(held, list) else []


def odd(chance: Random) -> object:
    text, nested = text_value(chance), list[object]()
    values: tuple[object, ...] = (None, True, -1, 1e300, 10**400, "", text, ["x"] * 50)
    containers: tuple[object, ...] = (nested, dict[str, object](), [nested], {"value": nested})
    return chance.choice((*values, *containers))
