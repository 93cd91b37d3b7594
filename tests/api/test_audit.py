"""Every administrative act is on record: who, from where, what it changed, and no secret."""

from __future__ import annotations

import json
from typing import Any

from tests.api.served import Served


def changes(entry: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what an entry says was changed: old and new."""
    (resource,) = entry["targetResources"]
    return {
        one["displayName"]: (one["oldValue"], one["newValue"])
        for one in resource["modifiedProperties"]
    }


def latest(house: Served) -> dict[str, Any]:
    return dict(house.get("/v1.0/auditLogs/directoryAudits?$top=1").json["value"][0])


def test_an_edited_schema_is_told_by_the_way_to_what_was_edited(house: Served, job: str) -> None:
    schema = house.get(f"{job}/schema").json
    rule = schema["synchronizationRules"][0]
    mapping = rule["objectMappings"][0]
    edited = next(m for m in mapping["attributeMappings"] if m["targetAttributeName"] == "title")
    edited["source"] = {"expression": 'Append([jobTitle], "!")', "type": "Function"}
    edited["flowType"] = "ObjectAddOnly"
    assert house.put(f"{job}/schema", schema).status == 204
    entry = latest(house)
    assert entry["activityDisplayName"] == "Update attribute mappings or scope"
    told = changes(entry)
    at = next(path for path in told if path.endswith(".flowType"))
    assert at.endswith(".attributeMappings[title].flowType")
    assert told[at] == ("Always", "ObjectAddOnly")
    expression = f"{at.removesuffix('flowType')}source.expression"
    assert told[expression] == ("[jobTitle]", 'Append([jobTitle], "!")')
    assert {path.rpartition(".")[2] for path in told} <= {"flowType", "expression", "name", "type"}

    assert house.delete(f"{job}/schema").status == 204
    assert changes(latest(house))[expression] == ('Append([jobTitle], "!")', "[jobTitle]")


def test_what_flows_where_nobody_may_read_is_not_told(house: Served, job: str) -> None:
    marked = "marked-of-the-audit-0002"
    schema = house.get(f"{job}/schema").json
    mapping = schema["synchronizationRules"][0]["objectMappings"][0]
    mapping["attributeMappings"].append(
        {"targetAttributeName": "password", "defaultValue": marked,
         "source": {"type": "Constant", "expression": f'"{marked}"'}, "flowType": "ObjectAddOnly"}
    )  # fmt: skip
    refused = house.put(f"{job}/schema", schema)
    assert refused.status == 204, refused.body
    entry = latest(house)
    assert "[Redact]" in {new for _, new in changes(entry).values()}
    assert marked not in str(entry)
    other = marked.replace("2", "3")
    edited = json.loads(json.dumps(schema).replace(marked, other))
    assert house.put(f"{job}/schema", edited).status == 204
    entry = latest(house)
    assert ("[Redact]", "[Redact]") in changes(entry).values()
    assert marked not in str(entry)
    assert other not in str(entry)


def test_restarts_assignments_keys_and_applications_are_told(house: Served, job: str) -> None:
    house.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark, Escrows"}})
    assert set(changes(latest(house))["resetScope"][1].split(", ")) == {"Watermark", "Escrows"}
    house.post(f"{job}/pause")

    principal = job.split("/")[3]
    at = f"/v1.0/servicePrincipals/{principal}/appRoleAssignedTo"
    made = house.post(at, {"principalId": "somebody", "resourceId": principal})
    assert made.status == 201, made.body
    assert changes(latest(house))["assignment"][1].endswith("somebody")
    assert house.delete(f"{at}/{made.json['id']}").status == 204
    assert changes(latest(house))["assignment"][1] == ""

    house.principal("Audited")
    assert changes(latest(house))["displayName"] == ("", "Audited")

    house.token_of("Synchronization.Read.All", "Group.Read.All")
    told = changes(latest(house))
    assert told["scopes"] == ("", "Synchronization.Read.All, Group.Read.All")
    assert told["expires"] == ("", "never")


def test_what_was_changed_is_told_with_old_and_new(house: Served, sync: str, job: str) -> None:
    marked = "marked-of-the-audit-0001"
    secrets = house.get(f"{sync}/secrets").json["value"]
    changed = [{**one, "value": marked} if one["key"] == "SecretToken" else one for one in secrets]
    more = [*changed, {"key": "SyncAll", "value": "false"}]
    assert house.put(f"{sync}/secrets", {"value": more}).status == 204
    assert house.patch(job, {"schedule": {"interval": "PT20M"}}).status == 200
    assert house.post(f"{job}/start").status == 204
    assert house.post(f"{job}/pause").status == 204
    answer = house.get("/v1.0/auditLogs/directoryAudits?$top=4")
    paused, started, patched, put = answer.json["value"]
    for one, standing in ((started, ("Paused", "Disabled")), (paused, ("NotRun", "Active"))):
        told = {name: old for name, (old, _) in changes(one).items()}
        assert told == dict(zip(("status", "schedule"), standing, strict=True))
    assert paused["activityDisplayName"] == "Disable/pause provisioning configuration"
    assert started["activityDisplayName"] == "Enable/start provisioning configuration"
    for one in (paused, started, patched, put):
        assert one["initiatedBy"]["app"] == {"displayName": "all", "ipAddress": "127.0.0.1"}
    (interval,) = patched["targetResources"][0]["modifiedProperties"]
    assert interval == {"displayName": "schedule", "oldValue": "0:40:00", "newValue": "0:20:00"}
    properties = put["targetResources"][0]["modifiedProperties"]
    by_name = {one["displayName"]: (one["oldValue"], one["newValue"]) for one in properties}
    assert by_name == {"SecretToken": ("*", "*"), "SyncAll": ("", "false")}
    assert marked not in answer.body.decode()


def test_the_audit_is_paged_and_for_auditors(house: Served, job: str) -> None:
    page = house.get("/v1.0/auditLogs/directoryAudits?$top=2&$select=id").json
    assert [set(one) for one in page["value"]] == [{"id"}, {"id"}]
    rest = house.get(page["@odata.nextLink"].removeprefix(house.url)).json["value"]
    assert not {one["id"] for one in rest} & {one["id"] for one in page["value"]}
    reader = house.token_of("ProvisioningLog.Read.All")
    assert house.send("GET", "/v1.0/auditLogs/directoryAudits", token=reader).status == 403
