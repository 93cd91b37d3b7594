"""What real clients rely on, item by item, over real HTTP (spec: graph-api 17)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.api.served import TENANT, Served, wait_until

MIN_VALUE = "0001-01-01T00:00:00Z"


def rule_of(house: Served, job: str) -> str:
    return str(house.get(f"{job}/schema").json["synchronizationRules"][0]["id"])


# jobs


def test_a_job_is_created_listed_read_deleted_and_gone(house: Served, sync: str) -> None:
    made = house.post(f"{sync}/jobs", {"templateId": "customappsso"})
    assert made.status == 201
    id = made.json["id"]
    app_id = id.rpartition(".")[2]
    assert id == f"customappsso.{TENANT.replace('-', '')}.{app_id}"
    assert made.json["schedule"] == {"expiration": None, "interval": "PT40M", "state": "Disabled"}
    assert made.json["status"]["code"] == "Paused"
    assert made.json["status"]["steadyStateFirstAchievedTime"] == MIN_VALUE
    assert made.json["@odata.context"].endswith("/synchronization/jobs/$entity")

    listed = house.get(f"{sync}/jobs").json
    assert [one["id"] for one in listed["value"]] == [id]
    assert "schema" not in listed["value"][0]
    assert house.get(f"{sync}/jobs/{id}").json["id"] == id

    gone = house.delete(f"{sync}/jobs/{id}")
    assert (gone.status, gone.body) == (204, b"")
    assert "content-type" not in gone.headers
    missing = house.get(f"{sync}/jobs/{id}")
    assert (missing.status, missing.error["code"]) == (404, "ResourceNotFound")
    assert house.delete(f"{sync}/jobs/{id}").status == 404


def test_a_job_without_credentials_is_not_configured(house: Served) -> None:
    path = f"/v1.0/servicePrincipals/{house.principal()}/synchronization"
    made = house.post(
        f"{path}/jobs",
        {"@odata.type": "#microsoft.graph.synchronizationJob", "templateId": "scim"},
    )
    assert made.json["status"]["code"] == "NotConfigured"
    secrets = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": "typed"},
    ]
    assert house.put(f"{path}/secrets", {"value": secrets}).status == 204
    job = house.get(f"{path}/jobs/{made.json['id']}").json
    assert (job["status"]["code"], job["schedule"]["state"]) == ("Paused", "Disabled")


def test_a_second_job_for_the_same_template_is_a_conflict(house: Served, sync: str) -> None:
    assert house.post(f"{sync}/jobs", {"templateId": "scim"}).status == 201
    second = house.post(f"{sync}/jobs", {"templateId": "SCIM"})
    assert (second.status, second.error["code"]) == (409, "Conflict")


@pytest.mark.parametrize("body", [{}, {"templateId": "nonsense"}, {"templateId": 3}])
def test_a_job_needs_a_template_that_there_is(house: Served, sync: str, body: object) -> None:
    refused = house.post(f"{sync}/jobs", body)
    assert (refused.status, refused.error["code"]) == (400, "BadRequest")


def test_select_returns_exactly_what_is_selected(house: Served, job: str) -> None:
    polled = house.get(f"{job}?$select=id,status").json
    assert {name for name in polled if "@" not in name} == {"id", "status"}
    refused = house.get(f"{job}?$select=nonsense")
    assert refused.status == 400
    assert "Could not find a property named 'nonsense'" in refused.error["message"]


def test_expand_brings_the_schema(house: Served, job: str) -> None:
    expanded = house.get(f"{job}?%24expand=schema").json
    assert expanded["schema"]["synchronizationRules"]
    assert house.get(f"{job}?$expand=status").status == 400


def test_count_is_plain_text(house: Served, sync: str, job: str) -> None:
    counted = house.get(f"{sync}/jobs/$count", Accept="text/plain;q=0.9")
    assert (counted.status, counted.body) == (200, b"1")
    assert counted.headers["content-type"].startswith("text/plain")


def test_filters_on_lists(house: Served, sync: str, job: str) -> None:
    found = house.get(f"{sync}/jobs?$filter=templateId%20eq%20'scim'&$count=true").json
    assert (found["@odata.count"], len(found["value"])) == (1, 1)
    assert house.get(f"{sync}/jobs?$filter=templateId+eq+'other'").json["value"] == []
    assert house.get(f"{sync}/jobs?$search=x").status == 400
    assert house.get(f"{sync}/jobs?$top=-1").status == 400


def test_patch_changes_interval_and_settings(house: Served, job: str) -> None:
    change = {
        "id": "ignored",
        "schedule": {"interval": "PT20M"},
        "synchronizationJobSettings": [
            {"name": "QuarantineTooManyDeletesThreshold", "value": "50"}
        ],
    }
    changed = house.patch(job, change)
    assert changed.status == 200
    assert changed.json["schedule"]["interval"] == "PT20M"
    assert changed.json["synchronizationJobSettings"] == change["synchronizationJobSettings"]
    assert house.patch(job, {"schedule": {"state": "Active"}}).status == 400
    settings = [{"name": "users", "value": "elsewhere.csv"}]
    assert house.patch(job, {"synchronizationJobSettings": settings}).status == 400


# life


def test_start_and_pause(house: Served, job: str) -> None:
    started = house.send("POST", f"{job}/start")
    assert (started.status, started.body) == (204, b"")
    assert house.get(job).json["schedule"]["state"] == "Active"
    assert house.post(f"{job}/pause").status == 204
    paused = house.get(job).json
    assert (paused["status"]["code"], paused["schedule"]["state"]) == ("Paused", "Disabled")
    assert house.post(f"{job}/pause").status == 204


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"criteria": None},
        {"criteria": {}},
        {"criteria": {"resetScope": "Watermark"}},
        {"criteria": {"resetScope": "Watermark, Escrows, QuarantineState"}},
        {"criteria": {"resetScope": "Watermark,Escrows"}},
        {"resetScope": "Full"},
    ],
)
def test_restart_in_all_its_forms(house: Served, job: str, body: object) -> None:
    assert house.post(f"{job}/restart", body).status == 204
    assert house.get(job).json["schedule"]["state"] == "Active"
    house.post(f"{job}/pause")


def test_restart_refuses_a_scope_that_there_is_not(house: Served, job: str) -> None:
    refused = house.post(f"{job}/restart", {"criteria": {"resetScope": "Everything"}})
    assert (refused.status, refused.error["code"]) == (400, "BadRequest")


def test_a_started_job_runs_and_says_so(house: Served, job: str) -> None:
    house.post(f"{job}/start")
    wait_until(lambda: house.get(f"{job}?$select=status").json["status"]["lastExecution"])
    status = house.get(job).json["status"]
    assert status["code"] == "Active"
    assert status["lastExecution"]["state"] == "Succeeded"
    assert status["synchronizedEntryCountByType"] == [{"key": "User to User", "value": 2}]
    assert status["progress"] == []
    assert status["steadyStateFirstAchievedTime"] != MIN_VALUE
    assert {"ada@example.com", "bob@example.com"} <= set(house.users())
    house.post(f"{job}/pause")


def test_started_without_a_tenant_url_is_quarantined(house: Served) -> None:
    path = f"/v1.0/servicePrincipals/{house.principal()}/synchronization"
    id = house.post(f"{path}/jobs", {"templateId": "scim"}).json["id"]
    assert house.post(f"{path}/jobs/{id}/start").status == 204
    job = f"{path}/jobs/{id}"
    wait_until(lambda: house.get(job).json["status"]["code"] == "Quarantine")
    answer = house.get(job).json
    status = answer["status"]
    error = {
        "code": "SystemForCrossDomainIdentityManagementInvalidCredentials",
        "message": "Please provide a valid tenant URL for your application.",
        "tenantActionable": True,
    }
    assert answer["schedule"]["state"] == "Active"
    assert status["countSuccessiveCompleteFailures"] == 1
    assert status["lastExecution"]["error"] == error
    assert status["quarantine"]["error"] == error
    assert status["quarantine"]["reason"] == "EncounteredQuarantineException"
    assert status["quarantine"]["seriesCount"] == 1
    assert status["quarantine"]["currentBegan"] == status["quarantine"]["seriesBegan"]


# secrets


def test_secrets_are_masked_kept_in_order_and_replaced(house: Served, sync: str) -> None:
    pairs = [
        {"key": "SyncAll", "value": "true"},
        {"key": "SecretToken", "value": "hush"},
        {"key": "BaseAddress", "value": "https://Example.com/SCIM/"},
    ]
    assert house.put(f"{sync}/secrets", {"value": pairs}).status == 204
    read = house.get(f"{sync}/secrets").json["value"]
    assert read == [pairs[0], {"key": "SecretToken", "value": "*"}, pairs[2]]
    assert house.get(f"{sync}/secrets/$count").body == b"3"

    assert house.put(f"{sync}/secrets", {"value": read}).status == 204
    assert house.get(f"{sync}/secrets").json["value"] == read
    assert house.put(f"{sync}/secrets", {"value": pairs[:1]}).status == 204
    assert house.get(f"{sync}/secrets").json["value"] == pairs[:1]

    emptied = [{"key": "SyncAll", "value": ""}]
    assert house.put(f"{sync}/secrets", {"value": emptied}).status == 204
    assert house.get(f"{sync}/secrets").json["value"] == []


def test_secrets_of_unknown_keys_are_refused(house: Served, sync: str) -> None:
    wrong = {"value": [{"key": "Nonsense", "value": "x"}]}
    assert house.put(f"{sync}/secrets", wrong).status == 400
    spelled = {"value": [{"key": "baseAddress", "value": "https://a.example"}]}
    assert house.put(f"{sync}/secrets", spelled).status == 204
    assert house.get(f"{sync}/secrets").json["value"][0]["key"] == "BaseAddress"


def test_a_saved_secret_goes_nowhere_else(house: Served, sync: str) -> None:
    elsewhere = [
        {"key": "BaseAddress", "value": "https://elsewhere.example/scim"},
        {"key": "SecretToken", "value": "*"},
    ]
    refused = house.put(f"{sync}/secrets", {"value": elsewhere})
    assert (refused.status, refused.error["code"]) == (400, "CredentialsMustBeGivenAgain")
    tried = {"useSavedCredentials": False, "templateId": "scim", "credentials": elsewhere}
    assert house.post(f"{sync}/jobs/validateCredentials", tried).status == 400


def test_credentials_are_tried_out(house: Served, sync: str, job: str) -> None:
    assert house.post(f"{job}/validateCredentials", {"useSavedCredentials": True}).status == 204
    given = {
        "useSavedCredentials": False,
        "templateId": "scim",
        "credentials": [
            {"key": "BaseAddress", "value": house.target_url},
            {"key": "SecretToken", "value": "wrong"},
        ],
    }
    refused = house.post(f"{sync}/jobs/validateCredentials", given)
    assert refused.status == 400
    assert refused.error["code"] == "SystemForCrossDomainIdentityManagementInvalidCredentials"
    given["credentials"] = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": "*"},
    ]
    assert house.post(f"{sync}/jobs/validateCredentials", given).status == 204


# schema


def test_a_schema_put_as_it_was_read_reads_the_same(house: Served, job: str) -> None:
    before = house.get(f"{job}/schema").json
    assert before["@odata.context"].endswith("/schema/$entity")
    assert house.put(f"{job}/schema", before).status == 204
    after = house.get(f"{job}/schema").json
    assert after == before


def test_an_edited_schema_takes_effect_and_gets_another_version(house: Served, job: str) -> None:
    schema = house.get(f"{job}/schema").json
    mappings = schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    kept = [one for one in mappings if one["targetAttributeName"] != "title"]
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"] = kept
    assert house.put(f"{job}/schema", schema).status == 204
    after = house.get(f"{job}/schema").json
    assert after["version"] != schema["version"]
    told = after["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    assert "title" not in {one["targetAttributeName"] for one in told}

    assert house.delete(f"{job}/schema").status == 204
    whole = house.get(f"{job}/schema").json
    told = whole["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    assert "title" in {one["targetAttributeName"] for one in told}


def test_an_invalid_schema_is_refused_with_the_place(house: Served, job: str) -> None:
    schema = house.get(f"{job}/schema").json
    schema["synchronizationRules"][0]["sourceDirectoryName"] = "Nowhere"
    refused = house.put(f"{job}/schema", schema)
    assert (refused.status, refused.error["code"]) == (400, "RequestParameterInvalid")
    assert "synchronizationRules[0]" in refused.error["message"]
    assert house.send("PUT", f"{job}/schema", b"{nonsense").status == 400


def test_a_patch_without_flow_types_keeps_them(house: Served, job: str) -> None:
    schema = house.get(f"{job}/schema").json
    mapping = schema["synchronizationRules"][0]["objectMappings"][0]
    mapping["flowTypes"] = "Add, Update"
    assert house.put(f"{job}/schema", schema).status == 204
    del mapping["flowTypes"]
    for directory in schema["directories"]:
        del directory["discoverabilities"]
    before = house.get(f"{job}/schema").json
    assert house.patch(f"{job}/schema", schema).status == 204
    after = house.get(f"{job}/schema").json
    assert after == before
    assert after["synchronizationRules"][0]["objectMappings"][0]["flowTypes"] == "Add, Update"


@pytest.mark.parametrize("form", ["", "()"])
def test_operators_and_functions(house: Served, job: str, form: str) -> None:
    operators = house.get(f"{job}/schema/filterOperators{form}").json["value"]
    equals = next(one for one in operators if one["name"] == "EQUALS")
    assert equals == {
        "id": "EQUALS",
        "name": "EQUALS",
        "arity": "Binary",
        "multivaluedComparisonType": "All",
        "supportedAttributeTypes": ["Integer", "String"],
    }
    functions = house.get(f"{job}/schema/functions{form}").json["value"]
    append = next(one for one in functions if one["name"] == "Append")
    assert [one["name"] for one in append["parameters"]] == ["source", "suffix"]


def test_an_expression_is_parsed_and_evaluated(house: Served, job: str) -> None:
    asked = {
        "expression": 'Replace([preferredLanguage], "-", , , "_", ,  )',
        "targetAttributeDefinition": None,
        "testInputObject": {
            "definition": None,
            "properties": [
                {"key": "preferredLanguage", "value": "EN-US"},
                {"key": "proxyAddresses", "value": ""},
                {
                    "key": "appRoleAssignments",
                    "value@odata.type": "#Collection(String)",
                    "value": ["Default Assignment"],
                },
            ],
        },
    }
    answer = house.post(f"{job}/schema/parseExpression", asked)
    assert answer.status == 200
    told = answer.json
    del told["@odata.context"]
    constant: dict[str, object] = {"parameters": [], "type": "Constant"}
    assert told == {
        "error": None,
        "evaluationSucceeded": True,
        "evaluationResult": ["EN_US"],
        "parsedExpression": {
            "expression": 'Replace([preferredLanguage], "-", , , "_", , )',
            "name": "Replace",
            "type": "Function",
            "parameters": [
                {
                    "key": "source",
                    "value": {
                        "expression": "[preferredLanguage]",
                        "name": "preferredLanguage",
                        "parameters": [],
                        "type": "Attribute",
                    },
                },
                {"key": "Find", "value": {"expression": '"-"', "name": "-", **constant}},
                {"key": "Replacement", "value": {"expression": '"_"', "name": "_", **constant}},
            ],
        },
        "parsingSucceeded": True,
    }


def test_a_wrong_expression_is_an_answer(house: Served, job: str) -> None:
    answer = house.post(f"{job}/schema/parseExpression", {"expression": "Replace([givenName], "})
    assert answer.status == 200
    assert answer.json["error"]["code"] == "InvalidExpression"
    assert answer.json["error"]["message"]
    assert answer.json["parsedExpression"] is None
    assert not answer.json["parsingSucceeded"]
    assert house.post(f"{job}/schema/parseExpression", {}).status == 400
    assert house.post(f"{job}/schema/parseExpression", {"expression": 3}).status == 400


def test_directories_and_discovery(house: Served, job: str) -> None:
    found = house.get(f"{job}/schema/directories").json["value"]
    assert house.get(f"{job}/schema/directories/$count").body == str(len(found)).encode()
    open_one = next(one for one in found if one["discoverabilities"] != "None")
    at = f"{job}/schema/directories/{open_one['id']}"
    assert house.get(at).json["name"] == open_one["name"]
    answer = house.send("POST", f"{at}/discover")
    assert answer.status == 200
    assert answer.json["discoveryDateTime"].endswith("Z")
    assert house.get(at).json["version"] == answer.json["version"]
    found_now = {one["name"]: one["attributes"] for one in answer.json["objects"]}
    names = {one["name"]: one for one in found_now["User"]}
    assert names["userName"]["required"]
    assert names["nickName"]["type"] == "String"  # nobody mapped it: the live target has it
    assert [one["name"] for one in found_now["User"] if one["anchor"]] == ["id"]
    closed = next(one for one in found if one["discoverabilities"] == "None")
    assert house.post(f"{job}/schema/directories/{closed['id']}/discover").status == 400
    assert house.get(f"{job}/schema/directories/nowhere").status == 404


# one object


def test_an_object_is_provisioned_on_demand(house: Served, job: str) -> None:
    rule = rule_of(house, job)
    subject = {"objectId": "ada", "objectTypeName": "user"}
    answer = house.post(
        f"{job}/provisionOnDemand", {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    )
    assert answer.status == 200
    assert answer.json["@odata.context"].endswith("#microsoft.graph.stringKeyStringValuePair")
    result = json.loads(answer.json["key"])
    told = json.loads(answer.json["value"])
    assert result["result"] in ("Success", "Skipped"), result
    assert told["sourceIdentity"]["id"] == "ada"
    assert told["provisioningSteps"][0]["type"] == "Import"
    assert "ada@example.com" in house.users()
    job_now = house.get(job).json
    assert job_now["status"]["lastExecution"] is None


def test_what_cannot_be_provisioned_on_demand_says_why(house: Served, job: str) -> None:
    rule = rule_of(house, job)

    def ask(rule: str, *ids: str) -> object:
        subjects = [{"objectId": id, "objectTypeName": "User"} for id in ids]
        return {"parameters": [{"ruleId": rule, "subjects": subjects}]}

    unknown = house.post(f"{job}/provisionOnDemand", ask("no-rule", "ada"))
    assert (unknown.status, unknown.error["code"]) == (400, "RequestParameterInvalid")
    assert "does not include the rule" in unknown.error["message"]
    assert house.post(f"{job}/provisionOnDemand", ask(rule, "ada", "bob")).status == 400
    absent = house.post(f"{job}/provisionOnDemand", ask(rule, "nobody"))
    assert absent.status == 200
    assert json.loads(absent.json["key"])["result"] == "Failure"


# errors and forms


def test_errors_have_graphs_envelope(house: Served, sync: str) -> None:
    asked = "7c2f9b0e-0000-4000-8000-000000000001"
    answer = house.get(f"{sync}/jobs/nope", **{"client-request-id": asked})
    assert answer.status == 404
    inner = answer.error["innerError"]
    assert not inner["date"].endswith("Z")
    assert inner["client-request-id"] == answer.headers["client-request-id"] == asked
    assert inner["request-id"] == answer.headers["request-id"]


def test_without_a_good_token_nobody_comes_in(house: Served, sync: str) -> None:
    for token in ("", "nonsense", "a.b.c", "pvr_0_0"):
        answer = house.send("GET", f"{sync}/jobs", token=token)
        assert (answer.status, answer.error["code"]) == (401, "InvalidAuthenticationToken")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_unknown_principal_is_not_found(house: Served) -> None:
    id = "11111111-1111-1111-1111-111111111111"
    answer = house.get(f"/v1.0/servicePrincipals/{id}/synchronization/jobs")
    assert (answer.status, answer.error["code"]) == (404, "Request_ResourceNotFound")
    assert answer.error["message"].startswith(f"Resource '{id}' does not exist")


def test_the_wrong_verb_is_told_the_right_ones(house: Served, sync: str) -> None:
    answer = house.send("PUT", f"{sync}/jobs", b"{}")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


def test_paths_in_every_form(house: Served, sync: str, job: str) -> None:
    principal = sync.split("/")[3]
    id = job.rpartition("/")[2]
    whole = house.get(job).json
    forms = [
        f"{job}/",
        f"{sync}/jobs('{id}')",
        f"/BETA/ServicePrincipals('{principal}')/Synchronization/Jobs('{id}')",
        f"/v1.0/servicePrincipals/{principal}/synchronization/jobs/{quote(id, safe='')}",
    ]
    app_id = house.get(f"/beta/servicePrincipals/{principal}").json["appId"]
    forms.append(f"/beta/servicePrincipals(appId='{app_id}')/synchronization/jobs/{id}")
    found = house.get(f"/beta/applications?$filter=appId eq '{app_id}'".replace(" ", "%20")).json
    forms.append(f"/beta/applications/{found['value'][0]['id']}/synchronization/jobs/{id}")
    for form in forms:
        answer = house.get(form)
        assert answer.status == 200, form
        assert answer.json["status"] == whole["status"]
    assert house.post(f"{job}/microsoft.graph.pause").status == 204


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({"Content-Type": "application/json"}, b""),
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": "application/json; charset=utf-8"}, b""),
    ],
)
def test_actions_without_a_body(
    house: Served, job: str, headers: dict[str, str], body: bytes
) -> None:
    assert house.send("POST", f"{job}/pause", body, headers).status == 204


def test_other_media_are_refused(house: Served, job: str) -> None:
    headers = {"Content-Type": "text/plain"}
    assert house.send("POST", f"{job}/restart", b"x", headers).status == 415
    assert house.send("POST", f"{job}/restart", b"[1]").status == 400
    assert house.send("POST", f"{job}/restart", b"{" * 100_000).status == 400
    too_long = b" " * ((1 << 20) + 1)
    assert house.send("POST", f"{job}/restart", too_long).status == 413


def test_ping_is_on_beta_only(house: Served, sync: str) -> None:
    assert house.get(f"{sync}/Ping()").json["value"] == "pong"
    assert house.get(f"{sync.replace('/beta', '/v1.0')}/Ping()").status == 404


def test_preferences_limit_pages(house: Served, job: str) -> None:
    page = house.get(f"{job}/schema/functions", Prefer="odata.maxpagesize=5")
    assert page.headers["preference-applied"] == "odata.maxpagesize=5"
    assert len(page.json["value"]) == 5
    link = page.json["@odata.nextLink"]
    second = house.get(link.removeprefix(house.url)).json["value"]
    assert second[0]["name"] not in {one["name"] for one in page.json["value"]}
    assert house.get(link.removeprefix(house.url).replace("functions", "directories")).status == 400


def test_metadata_can_be_left_away(house: Served, job: str) -> None:
    answer = house.get(job, Accept="application/json;odata.metadata=none")
    assert "@odata.context" not in answer.json


# templates


def test_templates_are_listed_with_their_schema(house: Served, sync: str) -> None:
    listed = house.get(f"{sync}/templates").json["value"]
    assert {"scim", "customappsso"} <= {one["id"] for one in listed}
    one = house.get(f"{sync}/templates/CustomAppSSO").json
    assert one["factoryTag"] == "customappsso"
    assert one["schema"]["synchronizationRules"]
    assert one["schema@odata.context"].endswith("/templates('customappsso')/schema/$entity")
    assert house.get(f"{sync}/templates/nonsense").status == 404


def test_templates_are_posted_changed_and_deleted(house: Served, sync: str) -> None:
    body = {
        "id": "SCIM-Test1",
        "applicationId": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
        "factoryTag": "CustomSCIM",
    }
    assert house.post(f"{sync}/templates", body).status == 201
    assert house.post(f"{sync}/templates", body).status == 409
    at = f"{sync}/templates/SCIM-Test1"
    assert house.put(at, {**body, "description": "ours"}).status == 204
    assert house.get(at).json["description"] == "ours"
    schema = house.get(f"{at}/schema").json
    assert house.put(f"{at}/schema", schema).status == 204
    assert house.post(f"{sync}/jobs", {"templateId": "SCIM-Test1"}).status == 201
    assert house.delete(at).status == 204
    assert house.get(at).status == 404
    assert house.delete(f"{sync}/templates/scim").status == 400
