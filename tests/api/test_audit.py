"""Every administrative act is on record: who, from where, what it changed, and no secret."""

from __future__ import annotations

from tests.api.served import Served


def test_what_was_changed_is_told_with_old_and_new(house: Served, sync: str, job: str) -> None:
    marked = "marked-of-the-audit-0001"
    secrets = house.get(f"{sync}/secrets").json["value"]
    changed = [{**one, "value": marked} if one["key"] == "SecretToken" else one for one in secrets]
    more = [*changed, {"key": "SyncAll", "value": "false"}]
    assert house.put(f"{sync}/secrets", {"value": more}).status == 204
    assert house.patch(job, {"schedule": {"interval": "PT20M"}}).status == 200
    assert house.post(f"{job}/start").status == 204
    assert house.post(f"{job}/pause").status == 204
    told = house.get("/v1.0/auditLogs/directoryAudits?$top=4")
    paused, started, patched, put = told.json["value"]
    assert paused["activityDisplayName"] == "Disable/pause provisioning configuration"
    assert started["activityDisplayName"] == "Enable/start provisioning configuration"
    for one in (paused, started, patched, put):
        assert one["initiatedBy"]["app"] == {"displayName": "all", "ipAddress": "127.0.0.1"}
    (interval,) = patched["targetResources"][0]["modifiedProperties"]
    assert interval == {"displayName": "schedule", "oldValue": "0:40:00", "newValue": "0:20:00"}
    properties = put["targetResources"][0]["modifiedProperties"]
    by_name = {one["displayName"]: (one["oldValue"], one["newValue"]) for one in properties}
    assert by_name == {"SecretToken": ("*", "*"), "SyncAll": ("", "false")}
    assert marked not in told.body.decode()


def test_the_audit_is_paged_and_for_auditors(house: Served, job: str) -> None:
    page = house.get("/v1.0/auditLogs/directoryAudits?$top=2&$select=id").json
    assert [set(one) for one in page["value"]] == [{"id"}, {"id"}]
    rest = house.get(page["@odata.nextLink"].removeprefix(house.url)).json["value"]
    assert not {one["id"] for one in rest} & {one["id"] for one in page["value"]}
    reader = house.token_of("ProvisioningLog.Read.All")
    assert house.send("GET", "/v1.0/auditLogs/directoryAudits", token=reader).status == 403
