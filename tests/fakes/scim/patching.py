"""How PATCH operations are read, strictly as RFC 7644 has it or as servers made for Entra do."""

from __future__ import annotations

import copy
import re
from typing import Any

from tests.fakes.scim.store import CORE, Resource, as_list, as_object, is_same
from tests.fakes.scim.switches import Switches

LISTS = {"emails", "phoneNumbers", "addresses", "roles", "members", "photos", "ims", "entitlements"}
FLAGS = {"active", "primary"}
_PATH = re.compile(
    r"""(?:(?P<urn>urn:.*):)?(?P<name>[A-Za-z$_][\w$-]*)
    (?:\[\s*(?P<by>\w+)\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*"|true|false)\s*\])?(?:\.(?P<sub>\w+))?""",
    re.VERBOSE | re.IGNORECASE,
)


class BadPatch(Exception):
    """An operation that is refused."""

    def __init__(self, scim_type: str, detail: str) -> None:
        super().__init__(detail)
        self.scim_type = scim_type


def patched(resource: Resource, operations: list[Any], switches: Switches) -> Resource:
    """Return the resource with all operations carried out, or raise: all or nothing."""
    if switches.operations_max and len(operations) > switches.operations_max:
        raise BadPatch("tooMany", f"more than {switches.operations_max} operations")
    work = copy.deepcopy(resource)
    for operation in operations:
        _Patcher(work, switches).carry_out(operation)
    return work


class _Patcher:
    def __init__(self, resource: Resource, switches: Switches) -> None:
        self._resource, self._switches = resource, switches

    def carry_out(self, operation: dict[str, Any]) -> None:
        op = self._op(operation.get("op"))
        path, value = operation.get("path"), operation.get("value")
        if path is None:
            self._without_path(op, value)
        else:
            self._at(op, path, value)

    def _op(self, given: object) -> str:
        spelled = str(given)
        known = {
            "strict": spelled == spelled.lower(),
            "lenient": True,
            "legacy": spelled == spelled.capitalize(),
        }[self._switches.dialect]
        if not known or spelled.lower() not in ("add", "replace", "remove"):
            raise BadPatch("invalidSyntax", f"op {spelled!r} is not known")
        return spelled.lower()

    def _without_path(self, op: str, value: object) -> None:
        named = as_object(value)
        if op == "remove" or named is None or self._switches.dialect == "legacy":
            raise BadPatch("noTarget", "an operation without path")
        for name, inner in named.items():
            is_urn = name.lower().startswith("urn:")
            if is_urn and (nested := as_object(inner)) is not None:
                for sub, raw in nested.items():
                    self._at(op, f"{name}:{sub}", raw, is_nested=True)
            elif self._switches.dialect == "strict" and ("." in name or is_urn):
                raise BadPatch("invalidPath", f"{name!r} is no attribute name")
            else:
                self._at(op, name, inner)

    def _at(self, op: str, path: str, value: Any, *, is_nested: bool = False) -> None:
        found = _PATH.fullmatch(path)
        if found is None:
            raise BadPatch("invalidPath", f"{path!r} is no path")
        container = self._container(found["urn"], is_nested)
        name, sub = found["name"], found["sub"]
        if name == "manager":
            self._manager(container, op, sub, value)
        elif name == "members":
            self._members(container, op, found["value"], value)
        elif found["by"]:
            self._element(container, name, op, found, value)
        elif sub:
            inner = container.setdefault(name, [] if name in LISTS else {})
            listed = as_list(inner)
            for one in [inner] if listed is None else listed:
                self._set(one, sub, op, value)
        elif name in LISTS:
            self._list(container, name, op, value)
        else:
            self._set(container, name, op, value)

    def _container(self, urn: str | None, is_nested: bool) -> Resource:
        if not urn or urn.startswith(CORE):
            return self._resource
        if self._switches.extensions_nested_only and not is_nested:
            raise BadPatch("invalidPath", "no paths into extensions")
        return self._resource.setdefault(urn, {})

    def _set(self, container: Resource, name: str, op: str, value: Any) -> None:
        value = self._flag(name, value)
        is_cleared = self._switches.dialect != "strict" and value in ("", None)
        if op == "remove" or is_cleared:
            container.pop(name, None)
        elif (inner := as_object(container.get(name))) and (given := as_object(value)):
            inner.update(given)
        else:
            container[name] = value

    def _flag(self, name: str, value: Any) -> Any:
        if name not in FLAGS or value is None:
            return value
        wants_text = self._switches.wants_text_booleans or self._switches.dialect == "legacy"
        is_text = isinstance(value, str)
        if is_text != wants_text and self._switches.dialect != "lenient":
            raise BadPatch("invalidValue", f"{name} is {value!r}")
        return str(value).lower() == "true"

    def _element(
        self, container: Resource, name: str, op: str, found: re.Match[str], value: Any
    ) -> None:
        if self._switches.refuses_filter_paths:
            raise BadPatch("invalidPath", "no filters in paths")
        elements: list[Resource] = container.setdefault(name, [])
        by, wanted = found["by"], re.sub(r"\\(.)", r"\1", found["value"].strip('"'))
        chosen = [e for e in elements if is_same(e.get(by), wanted)]
        if not chosen and op != "remove" and self._makes_elements:
            chosen = [{by: wanted == "True" if by == "primary" else wanted}]
            elements.extend(chosen)
        if not chosen:
            raise BadPatch("noTarget", f"{found[0]!r} fits nothing")
        if op == "remove" and not found["sub"]:
            container[name] = [e for e in elements if e not in chosen]
        for element in chosen:
            self._set(element, found["sub"] or "value", op, value)
            if set(element) <= {by, "primary"}:
                elements.remove(element)

    @property
    def _makes_elements(self) -> bool:
        return self._switches.makes_elements or self._switches.dialect != "strict"

    def _list(self, container: Resource, name: str, op: str, value: Any) -> None:
        if op == "remove":
            container.pop(name, None)
            return
        listed = as_list(value)
        new = [value] if listed is None else listed
        if any(as_object(element) is None for element in new):
            raise BadPatch("invalidValue", f"{name} takes complex values")
        held: list[Any] = container.get(name, []) if op == "add" else []
        container[name] = [*held, *(element for element in new if element not in held)]

    def _manager(self, container: Resource, op: str, sub: str | None, value: Any) -> None:
        if op == "remove" or value in ("", None, []):
            container.pop("manager", None)
            return
        if (listed := as_list(value)) is not None:
            value = listed[0]
        given = as_object(value)
        shape = "valuePath" if sub else "string" if given is None else "object"
        if self._switches.takes_manager_as not in ("any", shape):
            raise BadPatch("invalidValue", f"manager comes as {shape}")
        container["manager"] = {"value": str(value if given is None else given.get("value"))}

    def _members(self, container: Resource, op: str, filtered: str | None, value: Any) -> None:
        held: dict[str, Any] = {str(m["value"]): m for m in container.get("members", [])}
        named = [filtered.strip('"')] if filtered else [str(m["value"]) for m in value or ()]
        if self._switches.members_max and len(named) > self._switches.members_max:
            raise BadPatch("tooMany", f"more than {self._switches.members_max} members")
        if op == "remove":
            is_everybody = not named or (not filtered and self._switches.array_removes_all)
            for id in list(held) if is_everybody else named:
                held.pop(id, None)
        else:
            held = held if op == "add" else {}
            held |= {id: {"value": id} for id in named}
        container["members"] = list(held.values())


def member_ids(operations: list[Any], *, adds: bool) -> list[str]:
    """Return the members that operations add or remove by list."""
    wanted = ("add", "replace") if adds else ("remove",)
    return [
        str(member["value"])
        for operation in operations
        if operation.get("path") == "members" and str(operation.get("op")).lower() in wanted
        for member in operation.get("value") or ()
    ]
