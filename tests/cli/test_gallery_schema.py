"""A schema exported for a gallery application: checked, shown, applied, run.

From CSV files into a SCIM server, as from the live service into the application."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workspace import Workspace

GOLDEN = Path(__file__).parent.parent / "golden" / "graph"
EXPORTED = GOLDEN / "schema-awssinglesignon.json"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PEOPLE: dict[str, dict[str, str]] = {
    "e1": {
        "userPrincipalName": "zoe@example.com",
        "givenName": "Zoë",
        "surname": "Okoye",
        "displayName": "Zoë Okoye",
        "mail": "zoe@example.com",
        "jobTitle": "Director",
        "department": "Sales",
        "telephoneNumber": "+1 (999) 888-7777",
        "preferredLanguage": "en-US",
        "mailNickname": "zoe",
        "employeeId": "17",
        "city": "Lagos",
    },
    "e2": {
        "userPrincipalName": "jan@example.com",
        "givenName": "Jan",
        "surname": "Berg",
        "displayName": "Jan Berg",
        "department": "Legal",
        "manager": "e1",
    },
    "e3": {"userPrincipalName": "kim@example.com", "surname": "Kim", "jobTitle": "Intern"},
    "e4": {"userPrincipalName": "guest@elsewhere.com", "surname": "Guest", "jobTitle": "Advisor"},
    "e5": {"userPrincipalName": "lee@example.com", "surname": "Lee", "jobTitle": "Chef"},
}
COLUMNS = (
    *("id", "userPrincipalName", "displayName", "givenName", "surname", "mail", "jobTitle"),
    *("department", "employeeId", "streetAddress", "city", "state", "postalCode", "country"),
    *("telephoneNumber", "preferredLanguage", "mailNickname", "accountEnabled", "manager"),
)


@pytest.fixture
def gallery(workspace: Workspace) -> Workspace:
    """Return a workspace whose job is to run under the exported schema."""
    _write_people(workspace, PEOPLE)
    workspace.write("groups.csv", "id,displayName\ng1,Leads\n")
    workspace.write("members.csv", "group,member\ng1,e1\ng1,e2\n")
    workspace.write("exported.json", EXPORTED.read_text(encoding="utf-8"))
    text = (workspace.folder / "provisor.yaml").read_text(encoding="utf-8")
    workspace.configure(f"{text}    schema: exported.json\n")
    return workspace


def _write_people(workspace: Workspace, people: dict[str, dict[str, str]]) -> None:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({"id": id, "accountEnabled": "true", **one} for id, one in people.items())
    workspace.write("people.csv", file.getvalue())


def test_an_exported_schema_runs_end_to_end(gallery: Workspace) -> None:
    checked = gallery.provisor("schema", "check", "exported.json")
    assert checked.code == 0, checked.out
    gallery.apply()
    ended = gallery.run()
    assert ended.code == 0, ended.err

    users = {one["userName"]: one for one in gallery.server.says("User")}

    assert set(users) == {"zoe@example.com", "lee@example.com"}  # without a job title nobody passes
    assert _without(users["zoe@example.com"], "id", "meta", "schemas") == {
        "userName": "zoe@example.com",
        "externalId": "zoe",
        "active": True,
        "displayName": "Zoë Okoye",
        "nickName": "zoe",
        "title": "Director",
        "userType": "Field",
        "preferredLanguage": "en-US",
        "locale": "en_US",
        "timezone": "Europe/Berlin",
        "name": {"formatted": "Zoë Okoye", "givenName": "Zoë", "familyName": "Okoye"},
        "emails": [{"type": "work", "value": "zoe@example.com", "primary": True}],
        "phoneNumbers": [{"type": "work", "value": "+19998887777"}],
        "addresses": [{"type": "work", "locality": "Lagos"}],
        ENTERPRISE: {"employeeNumber": "17", "department": "Sales"},
    }
    (group,) = gallery.server.says("Group")
    assert group["displayName"] == "Leads"
    assert [member["value"] for member in group["members"]] == [users["zoe@example.com"]["id"]]


def test_who_comes_into_its_scope_and_leaves_it_again(gallery: Workspace) -> None:
    gallery.apply()
    assert gallery.run().code == 0
    _write_people(gallery, {**PEOPLE, "e2": {**PEOPLE["e2"], "jobTitle": "Counsel"}})
    assert gallery.run().code == 0

    users = {one["userName"]: one for one in gallery.server.says("User")}

    jan, zoe = users["jan@example.com"], users["zoe@example.com"]
    assert jan[ENTERPRISE]["manager"]["value"] == zoe["id"]
    assert jan["userType"] == "Staff"
    (group,) = gallery.server.says("Group")
    assert {member["value"] for member in group["members"]} == {jan["id"], zoe["id"]}

    _write_people(gallery, {**PEOPLE, "e2": {**PEOPLE["e2"], "jobTitle": "Intern"}})
    assert gallery.run().code == 0
    users = {one["userName"]: one for one in gallery.server.says("User")}
    assert users["jan@example.com"]["active"] is False


def test_what_is_shown_is_what_was_exported(gallery: Workspace) -> None:
    gallery.apply()

    shown = gallery.provisor("schema", "show", "people", "--json").json

    exported = json.loads(EXPORTED.read_text(encoding="utf-8"))
    # These two say where it was fetched from, and whose it was there.
    _assert_kept(_without(exported, "@odata.context", "id"), shown, "$")


def _assert_kept(exported: Any, shown: Any, path: str) -> None:
    """Hold that everything exported is there; more may be, such as defaults."""
    if isinstance(exported, dict):
        for key, value in exported.items():  # pyright: ignore[reportUnknownVariableType]
            assert key in shown, f"{path}.{key} is lost"
            _assert_kept(value, shown[key], f"{path}.{key}")
    elif isinstance(exported, list):
        assert len(exported) == len(shown), f"{path} has another length"  # pyright: ignore[reportUnknownArgumentType]
        for index, (one, other) in enumerate(zip(exported, shown, strict=True)):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            _assert_kept(one, other, f"{path}[{index}]")
    elif path.endswith((".flowTypes", ".discoverabilities")):
        assert shown.replace(" ", "") == exported.replace(" ", "")
    else:
        assert shown == exported, path


def _without(resource: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in names}
