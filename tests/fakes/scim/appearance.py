"""How resources look when they leave the server: truthful, or as some servers show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.fakes.scim.store import ENTERPRISE, Resource, as_list, as_object
from tests.fakes.scim.switches import Switches

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def shown(resource: Resource, switches: Switches, *, without_members: bool) -> Resource:
    """Return a resource as it is sent."""
    said = dict(resource)
    said["meta"] = {k: v for k, v in resource["meta"].items() if k != "version"}
    if switches.has_versions:
        said["meta"]["version"] = resource["meta"]["version"]
    if without_members and not switches.shows_members:
        said.pop("members", None)
    if not switches.members_say_kind and "members" in said:
        said["members"] = [{"value": member["value"]} for member in said["members"]]
    if switches.numeric_ids:
        said["id"] = int(resource["id"])
    if switches.manager_as != "object" and (manager := said.get(ENTERPRISE, {}).get("manager")):
        id = manager["value"]
        shape = id if switches.manager_as == "string" else [{"$ref": f"/Users/{id}", "value": id}]
        said[ENTERPRISE] = {**said[ENTERPRISE], "manager": shape}
    if switches.no_type:
        said = {n: v if n == "schemas" else _typeless(v) for n, v in said.items()}
    if switches.booleans_as_text or switches.integers_as_text:
        said = {name: _as_text(value, switches) for name, value in said.items()}
    if switches.swaps_case:
        said = {name.swapcase() if ":" not in name else name: v for name, v in said.items()}
    return said


def _typeless(value: Any) -> Any:
    elements = as_list(value)
    if elements is None:
        return value
    return [{k: v for k, v in (as_object(e) or {}).items() if k != "type"} for e in elements]


def _as_text(value: Any, switches: Switches) -> Any:
    if isinstance(value, bool):
        return str(value) if switches.booleans_as_text else value
    if isinstance(value, int):
        return str(value) if switches.integers_as_text else value
    if (inner := as_object(value)) is not None:
        return {name: _as_text(one, switches) for name, one in inner.items()}
    if (elements := as_list(value)) is not None:
        return [_as_text(one, switches) for one in elements]
    return value


def page(
    found: Sequence[Resource], start: int, count: int, switches: Switches
) -> tuple[Sequence[Resource], Resource]:
    """Return what of a list is on one page, and the frame around it."""
    first = 0 if switches.ignores_start else max(start, 1) - 1
    size = min(count, switches.page_max or count)
    listed = found[first : first + size]
    if not listed and found and switches.repeats_last and start > 1:
        listed = found[-1:]
    total: Any = len(listed) if switches.counts_page else len(found) + switches.miscounts
    frame: Resource = {
        "schemas": [LIST],
        "totalResults": str(total) if switches.total_as_text else total,
        "startIndex": start,
        "itemsPerPage": len(listed),
    }
    if switches.no_total:
        del frame["totalResults"]
    return listed, frame


def discovery(switches: Switches) -> dict[str, Resource]:
    """Return what the server says of itself, by path."""
    configuration: Resource = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": switches.has_patch or switches.announces_patch},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": switches.has_filter, "maxResults": switches.filter_max or 1_000},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": switches.has_versions},
        "authenticationSchemes": [],
    }
    if switches.has_cursors:
        configuration["pagination"] = {
            "cursor": True,
            "index": False,
            "defaultPaginationMethod": "cursor",
        }
    return {
        "/ServiceProviderConfig": configuration,
        "/ResourceTypes": _listed([_type("User", ENTERPRISE), _type("Group")]),
        "/Schemas": _listed([_user_schema(), _enterprise_schema(), _group_schema()]),
    }


def _listed(resources: list[Resource]) -> Resource:
    return {"schemas": [LIST], "totalResults": len(resources), "Resources": resources}


def _type(name: str, *extensions: str) -> Resource:
    return {
        "id": name,
        "name": name,
        "endpoint": f"/{name}s",
        "schema": f"urn:ietf:params:scim:schemas:core:2.0:{name}",
        "schemaExtensions": [{"schema": e, "required": False} for e in extensions],
    }


def _attribute(name: str, kind: str = "string", **more: Any) -> Resource:
    return {"name": name, "type": kind, "multiValued": False, "mutability": "readWrite", **more}


def _many(name: str, *kinds: str) -> Resource:
    subs = [
        _attribute("value"),
        _attribute("type", canonicalValues=list(kinds)),
        _attribute("primary", "boolean"),
    ]
    return _attribute(name, "complex", multiValued=True, subAttributes=subs)


def _pointing(name: str, *, many: bool, to: list[str]) -> Resource:
    subs = [_attribute("value"), _attribute("$ref", "reference", referenceTypes=to)]
    return _attribute(name, "complex", multiValued=many, subAttributes=subs)


def _user_schema() -> Resource:
    names = [_attribute(n) for n in ("formatted", "givenName", "familyName")]
    return {
        "id": "urn:ietf:params:scim:schemas:core:2.0:User",
        "name": "User",
        "attributes": [
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("name", "complex", subAttributes=names),
            _attribute("displayName"),
            _attribute("title"),
            _attribute("active", "boolean"),
            _attribute("password", mutability="writeOnly"),
            _many("emails", "work", "home"),
            _many("phoneNumbers", "work", "mobile"),
        ],
    }


def _enterprise_schema() -> Resource:
    return {
        "id": ENTERPRISE,
        "name": "EnterpriseUser",
        "attributes": [
            _attribute("department"),
            _attribute("employeeNumber"),
            _pointing("manager", many=False, to=["User"]),
        ],
    }


def _group_schema() -> Resource:
    return {
        "id": "urn:ietf:params:scim:schemas:core:2.0:Group",
        "name": "Group",
        "attributes": [
            _attribute("displayName", required=True),
            _pointing("members", many=True, to=["User", "Group"]),
        ],
    }
