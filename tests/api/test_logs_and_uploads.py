"""What happened, told and downloaded; and people who are pushed rather than read."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.api.served import Served, wait_until

# logs


def test_logs_are_filtered_ordered_and_paged(house: Served, sync: str, job: str) -> None:
    house.post(f"{job}/start")
    wait_until(lambda: house.get(f"{job}?$select=status").json["status"]["lastExecution"])
    house.post(f"{job}/pause")
    id = job.rpartition("/")[2]
    filter = quote(f"jobId eq '{id}'")
    link = f"/beta/auditLogs/provisioning?$filter={filter}&$orderby=activityDateTime desc&$top=1"
    link = link.replace(" ", "%20")
    seen: list[str] = []
    while link:
        page = house.get(link.removeprefix(house.url))
        assert page.status == 200, page.body
        assert len(page.json["value"]) <= 1
        seen += [entry["id"] for entry in page.json["value"]]
        assert all(entry["jobId"] == id for entry in page.json["value"])
        link = page.json.get("@odata.nextLink", "")
        assert not link or link.startswith(house.url)
    assert len(seen) == len(set(seen)) == 2

    entry = house.get(f"/v1.0/auditLogs/provisioning/{seen[0]}").json
    assert entry["id"] == seen[0]
    assert "statusInfo" not in entry
    lower = quote(f"jobid eq '{id}' and provisioningStatusInfo/status ne 'Failure'")
    assert len(house.get(f"/v1.0/auditLogs/provisioning/?$filter={lower}").json["value"]) == 2
    other = quote(f"jobid eq '{id}' and contains(tolower(targetIdentity/displayName), 'nobody')")
    assert house.get(f"/v1.0/auditLogs/provisioning?$filter={other}").json["value"] == []
    wrong = quote("nonsense eq 'x'")
    assert house.get(f"/v1.0/auditLogs/provisioning?$filter={wrong}").status == 400
    assert house.get("/v1.0/auditLogs/provisioning?$skip=1").status == 400
    archive = house.get(f"/v1.0/auditLogs/provisioning?$filter={filter}&$format=csv")
    assert (archive.headers["content-type"], archive.body[:2]) == ("application/zip", b"PK")


def test_a_skip_token_is_good_for_its_own_question_only(house: Served) -> None:
    path = "/v1.0/auditLogs/provisioning"
    assert house.get(f"{path}?$skiptoken=MTA.0123456789abcdef").status == 400


# upload


def upload(*operations: object) -> dict[str, object]:
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    return {"schemas": [schema], "Operations": list(operations), "failOnErrors": None}


def person(id: str, **said: object) -> dict[str, object]:
    data = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": id,
        "userName": f"{id}@example.org",
        "name": {"givenName": "Barbara", "familyName": "Jensen"},
        "displayName": "Barbara Jensen",
        "active": True,
        **said,
    }
    return {"method": "POST", "bulkId": id, "path": "/Users", "data": data}


def test_people_are_uploaded_and_provisioned(house: Served, sync: str) -> None:
    made = house.post(f"{sync}/jobs", {"templateId": "API2SCIM"})
    assert made.status == 201, made.body
    job = f"{sync}/jobs/{made.json['id']}"
    media = {"Content-Type": "application/scim+json"}
    body = json.dumps(upload(person("701984"))).encode()
    answer = house.send("POST", f"{job}/bulkUpload", body, media)
    assert (answer.status, answer.body) == (202, b"")
    assert "content-type" not in answer.headers
    where = answer.headers["location"]
    assert where.startswith(f"{house.url}/beta/auditLogs/provisioning/?$filter=jobid%20eq%20'")
    house.post(f"{job}/start")
    wait_until(lambda: house.get(f"{job}?$select=status").json["status"]["lastExecution"])
    assert house.users()["701984@example.org"]["name"]["familyName"] == "Jensen"
    assert house.get(where.removeprefix(house.url)).json["value"]
    house.post(f"{job}/pause")


def test_what_is_no_upload_is_refused_as_a_whole(house: Served, sync: str, job: str) -> None:
    media = {"Content-Type": "application/scim+json"}
    to_csv_job = json.dumps(upload(person("1"))).encode()
    assert house.send("POST", f"{job}/bulkUpload", to_csv_job, media).status == 400
    wrong_media = house.post(f"{job}/bulkUpload", upload(person("1")))
    assert (wrong_media.status, wrong_media.error["code"]) == (400, "Invalid Data Format")
    for bad in (
        {},
        upload(),
        upload(*(person(str(n)) for n in range(51))),
        upload(person("1"), {**person("2"), "bulkId": ""}),
        upload({**person("1"), "method": "DELETE"}),
    ):
        body = json.dumps(bad).encode()
        assert house.send("POST", f"{job}/bulkUpload", body, media).status == 400
    assert house.get(f"{job}/bulkUpload").status == 405
