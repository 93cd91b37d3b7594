"""A SCIM bulk request as what it says of people, in the names that templates know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from provisor.connectors.inbound.wire import Upsert
from provisor.graph.http.faults import Fault
from provisor.graph.wire.coding import is_too_deep
from provisor.model.entries import Anchor, Reference, Scalar, Value

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
OPERATIONS_MAX = 50
NAMES: Mapping[str, str] = {
    "userName": "userPrincipalName",
    "displayName": "displayName",
    "active": "accountEnabled",
    "title": "jobTitle",
    "nickName": "mailNickname",
    "userType": "userType",
    "preferredLanguage": "preferredLanguage",
    "name.givenName": "givenName",
    "name.familyName": "surname",
    f"{ENTERPRISE_USER}:department": "department",
    f"{ENTERPRISE_USER}:employeeNumber": "employeeId",
    f"{ENTERPRISE_USER}:costCenter": "costCenter",
    f"{ENTERPRISE_USER}:division": "division",
    f"{ENTERPRISE_USER}:organization": "companyName",
}
"""What templates call an attribute; all others keep their names."""
ADDRESS: Mapping[str, str] = {
    "streetAddress": "streetAddress",
    "locality": "city",
    "region": "state",
    "postalCode": "postalCode",
    "country": "country",
}
PHONES: Mapping[str, str] = {"work": "telephoneNumber", "mobile": "mobile", "fax": "fax"}

Json = Mapping[str, object]


def read_upload(body: bytes) -> Sequence[Upsert]:
    """Return what a bulk request says: all of it, or none. Raises Fault."""
    try:
        raw = cast(object, msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError) as failure:
        raise _wrong(f"This is no JSON document: {failure}.") from failure
    if is_too_deep(raw) or not isinstance(raw, dict):
        raise _wrong("A SCIM bulk request is expected.")
    request = cast(dict[str, object], raw)
    if BULK_REQUEST not in _list(request.get("schemas")):
        raise _wrong(f"schemas does not name {BULK_REQUEST}.")
    operations = _list(request.get("Operations"))
    if not 1 <= len(operations) <= OPERATIONS_MAX:
        raise _wrong(f"There are to be 1 to {OPERATIONS_MAX} operations.")
    ids = [_bulk_id(operation, number) for number, operation in enumerate(operations)]
    if len(set(ids)) < len(ids):
        raise _wrong("A bulkId is given twice.")
    return [_upsert(operation, number) for number, operation in enumerate(operations)]


def _wrong(message: str) -> Fault:
    return Fault(400, "Invalid Data Format", message)


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _object(value: object) -> Json | None:
    return cast(Json, value) if isinstance(value, dict) else None


def _bulk_id(operation: object, number: int) -> str:
    id = (_object(operation) or {}).get("bulkId")
    if not isinstance(id, str) or not id.strip():
        raise _wrong(f"Operations[{number}] has no bulkId.")
    return id


def _upsert(operation: object, number: int) -> Upsert:
    said = _object(operation) or {}
    at = f"Operations[{number}]"
    if str(said.get("method", "")).upper() != "POST":
        raise _wrong(f"{at}.method is POST.")
    if str(said.get("path", "")).rstrip("/").lower() != "/users":
        raise _wrong(f"{at}.path is /Users.")
    data = _object(said.get("data"))
    if data is None:
        raise _wrong(f"{at}.data is missing.")
    external = data.get("externalId")
    if not isinstance(external, str) or not external.strip():
        raise _wrong(f"{at}.data.externalId is to say who is meant.")
    values: dict[str, Value | None] = {}
    for name, value in data.items():
        if name not in ("schemas", "externalId", "id", "meta"):
            values.update(_values(name, value, at))
    return Upsert("User", {**values, "objectId": external, "externalId": external})


def _values(name: str, value: object, at: str) -> Iterable[tuple[str, Value | None]]:
    match name, value:
        case "manager", dict():
            return [("manager", _manager(value))]  # pyright: ignore[reportUnknownArgumentType]
        case ("emails" | "phoneNumbers" | "addresses" as many, list()):
            return _many(many, cast(list[object], value))
        case _, dict() if name.lower() == ENTERPRISE_USER.lower():
            return _nested(f"{ENTERPRISE_USER}:", cast(Json, value), at)
        case _, dict():
            separator = ":" if ":" in name else "."
            return _nested(f"{name}{separator}", cast(Json, value), at)
        case _:
            return [(NAMES.get(name, name), _value(value, f"{at}.{name}"))]


def _nested(prefix: str, values: Json, at: str) -> list[tuple[str, Value | None]]:
    found: list[tuple[str, Value | None]] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        if path == f"{ENTERPRISE_USER}:manager":
            found.append(("manager", _manager(_object(value) or {})))
        elif isinstance(value, dict):
            found += _nested(f"{path}.", cast(Json, value), at)
        else:
            found.append((NAMES.get(path, path), _value(value, f"{at}.{path}")))
    return found


def _manager(value: Json) -> Value | None:
    id = value.get("value")
    return Reference("User", Anchor(id)) if isinstance(id, str) and id else None


def _many(name: str, values: list[object]) -> list[tuple[str, Value | None]]:
    """Take the values that templates know: those for work, the mobile phone."""
    objects = [one for one in map(_object, values) if one is not None]
    if name == "phoneNumbers":
        by_type = {str(one.get("type", "")).lower(): one.get("value") for one in objects}
        return [(PHONES[t], str(v)) for t, v in by_type.items() if t in PHONES and v]
    first = next((one for one in objects if one.get("type") == "work"), None)
    chosen = first or next((one for one in objects if one.get("primary") is True), None)
    chosen = chosen or (objects[0] if objects else {})
    if name == "emails":
        mails = tuple(str(one["value"]) for one in objects if one.get("value"))
        found: list[tuple[str, Value | None]] = [("mail", str(chosen.get("value") or "") or None)]
        return [*found, ("otherMails", mails)] if len(mails) > 1 else found
    return [(ours, str(chosen[theirs])) for theirs, ours in ADDRESS.items() if chosen.get(theirs)]


def _value(value: object, at: str) -> Value | None:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return str(value)
        case list():
            scalars = [one for one in cast(list[object], value) if isinstance(one, str | int)]
            if len(scalars) != len(cast(list[object], value)):
                raise _wrong(f"{at} holds values that nothing here knows.")
            return tuple(cast(Sequence[Scalar], scalars))
        case _:
            raise _wrong(f"{at} holds a value that nothing here knows.")
