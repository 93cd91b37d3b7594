"""Tests stand beside mappings: kept, run through what holds or through a draft, and readable."""

from __future__ import annotations

from pathlib import Path

from tests.api.served import Served, command

TEST = {
    "name": "A colleague",
    "mapping": "User to User",
    "source": {"userPrincipalName": "eve@example.com", "givenName": "Eve", "surname": "Moss"},
    "target": {"name.formatted": "Eve Moss", "title": None},
    "inScope": True,
}


def test_what_is_kept_is_run_and_says_what_comes_out_otherwise(house: Served, job: str) -> None:
    wrong = {**TEST, "name": "Another", "target": {"name.formatted": "Moss, Eve", "nobody": "x"}}
    assert house.put(f"{job}/schema/tests", {"value": [TEST, wrong]}).status == 204
    told = house.get(f"{job}/schema/tests").json
    good, bad = told["value"]
    assert (good["succeeded"], good["differences"], good["objectMapping"]) == (
        True, [], "User to User",
    )  # fmt: skip
    assert told["failed"] == 1
    assert bad["differences"] == [
        {"what": "name.formatted", "expected": "Moss, Eve", "found": "Eve Moss"},
        {"what": "nobody", "expected": "x", "found": "no mapping of User to User writes it"},
    ]


def test_a_draft_is_tried_and_nothing_of_it_is_kept(house: Served, job: str) -> None:
    house.put(f"{job}/schema/tests", {"value": [TEST]})
    schema = house.get(f"{job}/schema").json
    text = house.get(f"{job}/schema").body.replace(b"[surname]", b"[mail]")
    assert text != house.get(f"{job}/schema").body
    draft = {name: value for name, value in schema.items() if not name.startswith("@")}
    assert house.post(f"{job}/schema/tests/run", {"schema": draft}).json["failed"] == 0
    other = house.post(f"{job}/schema/tests/run", b'{"schema": ' + text + b"}")
    assert other.json["failed"] == 1
    assert house.post(f"{job}/schema/tests/run", {"tests": []}).json["value"] == []
    assert house.get(f"{job}/schema/tests").json["failed"] == 0


def test_what_is_no_test_is_refused_with_its_place(house: Served, job: str) -> None:
    nothing: dict[str, object] = {"name": "x", "source": {}}
    reply = house.put(f"{job}/schema/tests", {"value": [TEST, nothing]})
    assert reply.status == 400
    assert "value.1 expects nothing" in reply.body.decode()
    assert house.put(f"{job}/schema/tests", {"value": [TEST, TEST]}).status == 400
    assert house.put(f"{job}/schema/tests", {"value": []}).status == 204


def test_what_the_file_says_is_run_too(house: Served) -> None:
    people = next(
        one for one in house.get("/provisor/jobs").json["value"] if one["name"] == "people"
    )
    at = f"/beta/servicePrincipals/{people['principalId']}/synchronization/jobs/{people['id']}"
    file = Path(house.folder) / "provisor.yaml"
    before = file.read_text(encoding="utf-8")
    source = "{userPrincipalName: eve@example.com, givenName: Eve, surname: Moss}"
    tests = f"[{{name: Of the file, source: {source}, target: {{name.givenName: Eve}}}}]"
    file.write_text(
        before.replace("application: people}", f"application: people, tests: {tests}}}")
    )
    command(house.folder, "apply", str(file))
    (one,) = house.get(f"{at}/schema/tests").json["value"]
    assert (one["name"], one["isOfFile"], one["succeeded"]) == ("Of the file", True, True)
    file.write_text(before, encoding="utf-8")
    command(house.folder, "apply", str(file))
    assert house.get(f"{at}/schema/tests").json["value"] == []
