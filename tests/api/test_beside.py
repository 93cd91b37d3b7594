"""What the command line can, the API can: plan, explain, approve, reconcile."""

from __future__ import annotations

from pathlib import Path

from tests.api.served import TARGET_TOKEN, Served, serving, target, wait_until, workspace

DEPARTED = 14


def steady(house: Served, job: str) -> str:
    return str(house.get(job).json["status"]["steadyStateLastAchievedTime"])


def test_an_object_is_explained_step_by_step(house: Served, job: str) -> None:
    told = house.get(f"{job}/explain?object=ada")
    assert told.status == 200, told.body
    (one,) = told.json["value"]
    assert one["object"]["id"] == "ada"
    assert one["scope"]["passesFilter"] is True
    assert one["match"]["attributes"] == ["userName"]
    assert one["match"]["takenBy"] is None
    assert one["decision"]["action"] in ("create", "update", "other")
    assert {value["target"] for value in one["values"]} >= {"userName", "active"}
    assert house.get(f"{job}/explain?object=User:ada").status == 200
    assert house.get(f"{job}/explain?object=nobody").status == 404
    assert house.get(f"{job}/explain").status == 400


def test_what_is_planned_is_done_and_staged_departures_wait_for_their_hash(tmp_path: Path) -> None:
    people = [f"p{number:02d}" for number in range(2 * DEPARTED)]
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as house:
            house.hire(*people)
            found = house.get("/beta/servicePrincipals").json["value"][0]["id"]
            at = f"/beta/servicePrincipals/{found}/synchronization/jobs"
            job = f"{at}/{house.get(at).json['value'][0]['id']}"
            assert house.get(f"{job}/staged").json["hash"] == ""
            plan = house.post(f"{job}/plan").json
            assert (plan["stepCount"], plan["counts"]) == (len(people), {"create": len(people)})
            assert house.users() == {}
            assert house.get(job).json["status"]["lastExecution"] is None
            house.post(f"{job}/start")
            wait_until(lambda: house.get(job).json["status"]["code"] == "Active")
            assert house.post(f"{job}/plan").json["steps"] == []

            house.hire(*people, accountEnabled="false")
            before = steady(house, job)
            assert house.post(f"{job}/reconcile").status == 202
            wait_until(lambda: house.get(job).json["status"]["code"] == "Quarantine")
            assert house.get(job).json["status"]["quarantine"]["reason"] == "TooManyDeletes"
            assert all(user["active"] for user in house.users().values())

            view = house.get(f"{job}/staged").json
            assert len(view["departures"]) == len(people)
            assert {one["reason"] for one in view["departures"]} == {"disabled"}
            wrong = house.post(f"{job}/staged/approve", {"hash": "0" * 64})
            assert (wrong.status, wrong.error["code"]) == (409, "Conflict")
            assert house.post(f"{job}/staged/approve", {"hash": view["hash"]}).status == 204
            acts = house.get("/v1.0/auditLogs/directoryAudits?$top=5").json["value"]
            act = next(one for one in acts if one["activityDisplayName"] == "approve")
            assert act["initiatedBy"]["app"]["ipAddress"] == "127.0.0.1"
            (change,) = act["targetResources"][0]["modifiedProperties"]
            assert change["displayName"] == "staged departures"
            assert (change["oldValue"], change["newValue"]) == (str(len(people)), "0")
            wait_until(lambda: steady(house, job) > before)
            assert not any(user["active"] for user in house.users().values())
            again = house.post(f"{job}/staged/approve", {"hash": view["hash"]})
            assert again.status == 409


def test_both_systems_are_shown_and_probed_and_no_secret_comes_back(
    house: Served, job: str
) -> None:
    shown = house.get(f"{job.rpartition('/jobs/')[0]}/connections")
    source, target = shown.json["value"]
    assert (source["side"], source["connector"]) == ("source", "csv")
    assert (target["hasSecretsOfApi"], target["missing"]) == (True, None)
    principals = house.get("/beta/servicePrincipals?$filter=displayName%20eq%20'people'")
    own = principals.json["value"][0]["id"]
    at = f"/beta/servicePrincipals/{own}/synchronization/connections"
    written = house.get(at).json["value"][1]
    assert written["settings"] == {"baseAddress": house.target_url, "token": "*"}

    probed = house.post(f"{job}/probe")
    assert probed.status == 200, probed.body
    assert probed.json["source"]["isUsable"]
    assert probed.json["target"]["isUsable"]
    assert {"connection", "objects"} <= {one["topic"] for one in probed.json["target"]["findings"]}
    assert TARGET_TOKEN.encode() not in shown.body + probed.body


def test_a_reconcile_puts_right_what_others_changed_also_in_a_paused_job(
    house: Served, job: str
) -> None:
    house.post(f"{job}/start")
    wait_until(lambda: not steady(house, job).startswith("0001"))
    house.post(f"{job}/pause")
    before = steady(house, job)
    assert house.post(f"{job}/reconcile").status == 202
    wait_until(lambda: steady(house, job) > before)
    assert house.get(job).json["status"]["code"] == "Paused"
