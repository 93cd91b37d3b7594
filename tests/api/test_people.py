"""Who can be assigned, who is, and which account belongs to whom (spec: settled 30, 34)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from msgspec.json import decode as decode_json

from provisor.console.pages.explain import read
from provisor.graph.wire.pairs import TextPair
from tests.api.served import TARGET_TOKEN, Served, serving, target, wait_until, workspace


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with people of its own: here somebody is hired, and everybody is counted."""
    folder = tmp_path_factory.mktemp("people")
    with target() as scim:
        token = workspace(folder, scim)
        with serving(folder, scim, token) as served:
            yield served


@pytest.fixture
def done(house: Served, job: str) -> str:
    """Return the path of a job that has run a first cycle and is paused again."""
    house.hire("ada", "bob", "cyd")
    assert house.post(f"{job}/start").status == 204
    wait_until(lambda: house.get(job).json["status"]["code"] == "Active")
    assert house.post(f"{job}/pause").status == 204
    return job


def test_people_of_the_source_are_shown_with_a_guid_that_stays(house: Served, done: str) -> None:
    people = house.get("/v1.0/users").json["value"]
    by_name = {one["userPrincipalName"]: one for one in people}
    ada = by_name["ada@example.com"]
    assert set(ada) == {"id", "userPrincipalName", "displayName", "mail"}
    assert str(UUID(ada["id"])) == ada["id"]
    assert len(people) == len({one["id"] for one in people}), "jobs of one source share people"
    for text in (ada["id"], "ada@example.com", "ada"):
        assert house.get(f"/v1.0/users/{text}").json["id"] == ada["id"]
    assert house.get("/v1.0/groups").json["value"] == []
    assert house.get(f"/v1.0/groups/{ada['id']}").status == 404


def test_people_are_filtered_counted_and_paged(house: Served, done: str) -> None:
    found = house.get("/v1.0/users?$filter=userPrincipalName%20eq%20'ADA@example.com'").json
    assert [one["mail"] for one in found["value"]] == ["ada@example.com"]
    found = house.get("/v1.0/users?$filter=startswith(displayName,'Bob')&$select=displayName").json
    assert found["value"] == [{"displayName": "Bob Example"}]
    assert house.get("/v1.0/users/$count").body == b"3"
    names: list[str] = []
    link = "/v1.0/users?$top=2&$count=true"
    while link:
        page = house.get(link).json
        assert page.get("@odata.count") == 3
        names += [one["userPrincipalName"] for one in page["value"]]
        link = page.get("@odata.nextLink", "").removeprefix(house.url)
    assert names == ["ada@example.com", "bob@example.com", "cyd@example.com"]
    assert house.get("/v1.0/users?$filter=password%20eq%20'x'").status == 400


def test_an_assignment_by_guid_is_of_that_person_and_reads_as_it_was_given(
    house: Served, sync: str, done: str
) -> None:
    at = sync.replace("/synchronization", "/appRoleAssignedTo")
    ada = house.get("/v1.0/users/ada").json
    made = house.post(at, {"principalId": ada["id"]})
    assert made.status == 201, made.body
    assert made.json["principalId"] == ada["id"]
    assert made.json["principalDisplayName"] == "Ada Example"
    assert house.post(at, {"principalId": "ada"}).status == 409
    found = house.get(f"{at}?$filter=principalId%20eq%20'{ada['id']}'").json["value"]
    assert [one["id"] for one in found] == [made.json["id"]]
    assert house.delete(f"{at}/{made.json['id']}").status == 204
    assert house.get(f"{at}/{made.json['id']}").status == 404


def test_who_was_not_read_yet_is_assigned_nevertheless_and_counts_once_read(
    house: Served, sync: str, done: str
) -> None:
    at = sync.replace("/synchronization", "/appRoleAssignedTo")
    secrets = house.get(f"{sync}/secrets").json["value"]
    assert house.put(f"{sync}/secrets", {"value": [*secrets, {"key": "SyncAll", "value": "false"}]}
                     ).status == 204  # fmt: skip
    assert house.post(at, {"principalId": "later"}).status == 201
    assert house.get(at).json["value"][0]["principalId"] == "later"
    house.hire("ada", "bob", "cyd", "later")
    assert house.post(f"{done}/start").status == 204
    wait_until(lambda: "later@example.com" in house.users())
    house.hire("ada", "bob", "cyd")


def test_an_object_is_provisioned_on_demand_by_its_guid(house: Served, done: str) -> None:
    ada = house.get("/v1.0/users/ada").json["id"]
    rule = house.get(f"{done}/schema").json["synchronizationRules"][0]["id"]
    subject = {"objectId": ada, "objectTypeName": "User"}
    body = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    answer = house.post(f"{done}/provisionOnDemand", body)
    assert answer.status == 200
    assert "ada@example.com" in answer.json["value"]


def test_object_connections_are_listed_filtered_and_forgotten(house: Served, done: str) -> None:
    at = f"{done}/objectConnections"
    listed = house.get(f"{at}?$top=2").json
    assert [one["sourceAnchor"] for one in listed["value"]] == ["ada", "bob"]
    rest = house.get(listed["@odata.nextLink"].removeprefix(house.url)).json
    assert [one["sourceAnchor"] for one in rest["value"]] == ["cyd"]
    target = listed["value"][0]["targetAnchor"]
    found = house.get(f"{at}?$filter=targetAnchor%20eq%20'{target}'").json["value"]
    assert found == [listed["value"][0]]
    assert house.get(f"{at}('{target}')").json["sourceAnchor"] == "ada"
    assert house.delete(f"{at}/ada").status == 204
    assert house.get(f"{at}/ada").status == 404
    assert house.delete(f"{at}('ada')").status == 204, "deleting again is no error"
    assert house.post(f"{done}/start").status == 204
    wait_until(lambda: house.get(f"{at}/ada").status == 200)
    assert house.get(f"{at}/ada").json["targetAnchor"] == target, "found again, not made again"
    assert house.delete(f"{at}/bob").status == 409, "not while the schedule may run it"


def test_on_demand_tells_request_and_reply_without_what_no_log_may_show(
    house: Served, job: str
) -> None:
    marked, other = "marked-of-a-password-0007", "marked-and-redacted-0008"
    schema = house.get(f"{job}/schema").json
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"] += [
        {"targetAttributeName": "password", "flowType": "ObjectAddOnly",
         "source": {"type": "Constant", "expression": f'"{marked}"'}},
        {"targetAttributeName": "nickName", "source": {"expression": f'Redact("{other}")'}},
    ]  # fmt: skip
    assert house.put(f"{job}/schema", schema).status == 204
    house.hire("ada", "bob", "cyd", "dee")
    subject = {"objectId": "dee", "objectTypeName": "User"}
    rule = schema["synchronizationRules"][0]["id"]
    answer = house.post(
        f"{job}/provisionOnDemand", {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    )
    house.hire("ada", "bob", "cyd")
    told = json.loads(answer.json["value"])
    (made,) = [one for one in told["targetExchanges"] if one["method"] == "POST"]
    assert (made["status"], made["address"]) == (201, "/Users")
    assert json.loads(made["request"])["userName"] == "dee@example.com"
    assert json.loads(made["request"])["password"] == "***"
    assert json.loads(made["request"])["nickName"] == "***"
    assert json.loads(made["reply"])["id"] == told["targetIdentity"]["id"]
    assert marked not in answer.body.decode()
    assert other not in answer.body.decode()


def test_on_demand_tells_how_far_it_came_where_the_target_fails(house: Served, job: str) -> None:
    schema = house.get(f"{job}/schema").json
    rule = schema["synchronizationRules"][0]["id"]
    subject = {"objectId": "ada", "objectTypeName": "User"}
    body = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    house.target.ask("misbehave", faults=[{"what": "refuse", "method": "GET", "status": 401}])
    try:
        answer = house.post(f"{job}/provisionOnDemand", body)
    finally:
        house.target.ask("misbehave", faults=[])
    result = json.loads(answer.json["key"])
    assert result["result"] == "Failure"
    told = json.loads(answer.json["value"])["targetExchanges"]
    assert told[-1]["status"] == 401
    assert not told[-1]["succeeded"]
    assert TARGET_TOKEN not in answer.body.decode()

    # The console shows it as well, though nothing was decided.
    shown = read(decode_json(answer.body, type=TextPair))
    assert shown.outcome is None
    assert shown.exchanges[-1].status == 401
