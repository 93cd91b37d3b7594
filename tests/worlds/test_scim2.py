"""The SCIM worlds do what the tests that use them take for granted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import RemoteDisconnected
from typing import Any, get_args

import pytest

from tests.worlds.faults import Fault
from tests.worlds.processes import ROOT, STOP_S
from tests.worlds.scim2 import Request, Scim2, Variant

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def ask(world: Scim2, method: str, path: str, body: object = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        world.url + path,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Authorization": f"Bearer {world.token}",
            "Content-Type": "application/scim+json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read() or b"null")


def hire(world: Scim2, name: str) -> tuple[int, Any]:
    return ask(world, "POST", "/Users", {"schemas": [USER], "userName": name})


def test_it_keeps_what_it_is_given_and_logs_each_request_once(scim2: Scim2) -> None:
    status, created = hire(scim2, "żaneta")

    assert status == 201
    assert [user["userName"] for user in scim2.says("User")] == ["żaneta"]
    ask(scim2, "GET", f"/Users/{created['id']}?attributes=userName")
    assert scim2.requests() == [
        Request("POST", "/v2/Users", "", 201),
        Request("GET", f"/v2/Users/{created['id']}", "attributes=userName", 200),
    ]
    assert scim2.writes() == [Request("POST", "/v2/Users", "", 201)]


def test_it_starts_empty_for_each_test(scim2: Scim2) -> None:
    assert scim2.says("User") == []
    assert scim2.requests() == []


@pytest.mark.parametrize("variant", get_args(Variant))
def test_each_variant_is_what_it_announces(
    variant: Variant, scim2_world: Callable[[Variant], Scim2]
) -> None:
    world = scim2_world(variant)
    _, announced = ask(world, "GET", "/ServiceProviderConfig")
    _, created = hire(world, "ada")

    patch: dict[str, object] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": "Ada"}],
    }
    patched, _ = ask(world, "PATCH", f"/Users/{created['id']}", patch)
    filtered, _ = ask(world, "GET", "/Users?filter=userName%20eq%20%22ada%22")

    assert announced["patch"]["supported"] == (variant != "nopatch") == (patched in (200, 204))
    assert announced["filter"]["supported"] == (variant != "nofilter") == (filtered == 200)
    assert announced["etag"]["supported"] == (variant != "noetag")
    assert announced["bulk"]["supported"] == (variant != "nobulk")
    if variant == "max50":
        assert announced["filter"]["maxResults"] == 50
    if variant == "cursor":
        assert announced["pagination"]["cursor"]
        assert not announced["pagination"]["index"]


def test_a_refused_person_is_not_created_and_the_others_are(scim2: Scim2) -> None:
    scim2.misbehave(Fault(what="refuse", method="POST", body="bob", status=500))

    assert hire(scim2, "bob")[0] == 500
    assert hire(scim2, "eve")[0] == 201
    assert [user["userName"] for user in scim2.says("User")] == ["eve"]


def test_a_lost_answer_leaves_what_was_done(scim2: Scim2) -> None:
    scim2.misbehave(Fault(what="lose", method="POST", times=1))

    with pytest.raises((RemoteDisconnected, ConnectionResetError, urllib.error.URLError)):
        hire(scim2, "ada")

    assert [user["userName"] for user in scim2.says("User")] == ["ada"]
    assert scim2.requests() == [Request("POST", "/v2/Users", "", 201, is_lost=True)]
    assert hire(scim2, "ada")[0] == 409


def test_an_answer_can_fail_after_all_was_done(scim2: Scim2) -> None:
    scim2.misbehave(Fault(what="fail_after", method="POST", times=1, status=504))

    assert hire(scim2, "ada")[0] == 504
    assert [user["userName"] for user in scim2.says("User")] == ["ada"]


def test_too_fast_is_told_to_wait(scim2: Scim2) -> None:
    scim2.misbehave(Fault(what="throttle", per_second=0, times=3))

    assert [ask(scim2, "GET", "/Users")[0] for _ in range(4)] == [429, 429, 429, 200]


def test_a_list_may_hide_its_total_and_ignore_the_filter(scim2: Scim2) -> None:
    hire(scim2, "ada")
    hire(scim2, "bob")
    scim2.misbehave(Fault(what="hide_total"), Fault(what="ignore_filter"))

    _, listed = ask(scim2, "GET", "/Users?filter=userName%20eq%20%22ada%22")

    assert "totalResults" not in listed
    assert {user["userName"] for user in listed["Resources"]} == {"ada", "bob"}


def test_switched_off_refuses_connections_and_keeps_what_it_has(scim2: Scim2) -> None:
    hire(scim2, "ada")

    with scim2.switched_off(), pytest.raises(urllib.error.URLError):
        ask(scim2, "GET", "/Users")

    _, listed = ask(scim2, "GET", "/Users")
    assert [user["userName"] for user in listed["Resources"]] == ["ada"]


def test_two_run_side_by_side() -> None:
    with Scim2.run() as one, Scim2.run() as other:
        hire(one, "ada")

        assert len(one.says("User")) == 1
        assert other.says("User") == []


def test_it_does_not_outlive_who_started_it() -> None:
    program = (
        "import time\n"
        "from tests.worlds.scim2 import Scim2\n"
        "with Scim2.run() as world:\n"
        "    print(world.url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        assert is_answering(url)
        starter.kill()

    deadline = time.monotonic() + STOP_S
    while is_answering(url):
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.05)


def is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/ServiceProviderConfig", timeout=STOP_S) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return True
    except OSError:
        return False
