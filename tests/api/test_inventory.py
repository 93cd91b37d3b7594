"""All applications, all connections, and the keys to all of it."""

from __future__ import annotations

from tests.api.served import TARGET_TOKEN, Client, Served, command


def test_applications_are_found_with_their_jobs(house: Served, job: str) -> None:
    told = house.get("/provisor/applications?$filter=name%20eq%20'people'").json
    (one,) = told["value"]
    assert (one["source"], one["target"], told["@odata.count"]) == ("csv", "scim", 1)
    assert [each["name"] for each in one["jobs"]] == ["people"]
    assert job.rpartition("/")[2] in house.get("/provisor/applications").body.decode()


def test_connections_that_are_alike_are_told_once_with_all_that_use_them(
    house: Served, job: str
) -> None:
    told = house.get("/provisor/connections")
    sources = [one for one in told.json["value"] if one["connector"] == "csv"]
    assert len(sources) == 1
    names = [one["name"] for one in sources[0]["jobs"]]
    assert "people" in names
    assert len(names) > 1
    assert job
    assert TARGET_TOKEN.encode() not in told.body


def test_a_key_is_made_told_once_and_revoked(house: Served) -> None:
    wanted = {"name": "reader", "scopes": ["Synchronization.Read.All"], "expiresIn": "P30D"}
    made = house.post("/provisor/tokens", wanted)
    assert made.status == 201, made.body
    assert house.post("/provisor/tokens", wanted).status == 409
    assert made.json["token"].encode() not in house.get("/provisor/tokens").body

    reader = Client(house.port, made.json["token"])
    assert reader.get("/provisor/jobs").status == 200
    assert reader.get("/provisor/tokens").status == 403
    assert reader.post("/provisor/tokens", {**wanted, "name": "more"}).status == 403
    assert "reader" in command(house.folder, "token", "list")

    assert house.delete(f"/provisor/tokens/{made.json['id']}").status == 204
    assert reader.get("/provisor/jobs").status == 401
    assert house.delete(f"/provisor/tokens/{made.json['id']}").status == 404


def test_a_key_that_nobody_could_use_is_not_made(house: Served) -> None:
    reads = "Synchronization.Read.All"
    for name, scopes, lasts in (
        (" ", [reads], "P1D"),
        ("none", list[str](), "P1D"),
        ("other", ["Everything"], "P1D"),
        ("late", [reads], "soon"),
    ):
        wrong = {"name": name, "scopes": scopes, "expiresIn": lasts}
        assert house.post("/provisor/tokens", wrong).status == 400
