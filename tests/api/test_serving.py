"""One process that answers and runs jobs, and ends when it is told to."""

from __future__ import annotations

import http.client
import os
import signal
from pathlib import Path
from typing import cast

import pytest

from tests.api.served import command, serving, target, wait_until, workspace


def test_a_signal_ends_it_and_nothing_is_left_open(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served:
            assert served.send("GET", "/health", token="").json == {"status": "ok"}
            assert served.send("GET", "/ready", token="").json == {"status": "ready"}
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(60) == 143
        jobs = command(tmp_path, "app", "list", "--json")
        assert '"people"' in jobs


def test_a_pause_stops_a_running_cycle_and_a_start_goes_on(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        people = [f"p{number:04d}" for number in range(2000)]
        with serving(tmp_path, scim, token) as served:
            served.hire(*people)
            found = served.get("/beta/servicePrincipals").json["value"][0]["id"]
            at = f"/beta/servicePrincipals/{found}/synchronization/jobs"
            job = f"{at}/{served.get(at).json['value'][0]['id']}"
            assert served.post(f"{job}/start").status == 204
            wait_until(lambda: served.get(job).json["status"]["progress"])
            running = served.get(job).json["status"]
            assert running["code"] == "NotRun"
            assert served.post(f"{job}/pause").status == 204
            paused = served.get(job).json["status"]
            assert paused["code"] == "Paused"
            assert served.post(f"{job}/start").status == 204
            wait_until(lambda: served.get(job).json["status"]["code"] == "Active")
            assert len(served.users()) == len(people)


def test_a_signal_ends_it_also_while_a_cycle_runs_and_somebody_listens(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        people = [f"p{number:04d}" for number in range(2000)]
        with serving(tmp_path, scim, token) as served:
            served.hire(*people)
            principal = served.get("/beta/servicePrincipals").json["value"][0]["id"]
            at = f"/beta/servicePrincipals/{principal}/synchronization/jobs"
            id = served.get(at).json["value"][0]["id"]
            assert served.post(f"{at}/{id}/start").status == 204
            listening = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
            headers = {"Authorization": f"Bearer {token}"}
            stream = f"/provisor/servicePrincipals/{principal}/jobs/{id}/events"
            listening.request("GET", stream, headers=headers)
            heard = listening.getresponse()
            wait_until(lambda: served.get(f"{at}/{id}").json["status"]["progress"])
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(60) == 143
            assert b"event: end" in heard.read()
            listening.close()
        done = len(cast(dict[str, list[object]], scim.ask("resources")).get("Users", []))
        with serving(tmp_path, scim, token) as served:
            wait_until(lambda: served.get(f"{at}/{id}").json["status"]["code"] == "Active")
            assert done < len(served.users()) == len(people)


def children(pid: int) -> list[int]:
    """Return the processes that another one has started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("this system does not tell who started whom")
    return [int(child) for child in listed.read_text("ascii").split()]


def is_alive(pid: int) -> bool:
    """Tell whether a process is there; one that only waits to be collected is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_schedule_that_dies_comes_back_and_none_outlives_who_started_it(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served:
            wait_until(lambda: children(served.process.pid))
            (first,) = children(served.process.pid)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: children(served.process.pid) not in ([], [first]))
            (second,) = children(served.process.pid)
            assert served.send("GET", "/health", token="").status == 200
            served.process.kill()
            wait_until(lambda: not is_alive(second))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--host", "0.0.0.0"),
        ("--tls-cert", "provisor.yaml"),
        ("--issuer", "https://issuer.example"),
    ],
)
def test_what_would_be_unsafe_is_not_served(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    command(tmp_path, "init")
    (tmp_path / "provisor.yaml").write_text("{}", encoding="utf-8")
    told = [str(tmp_path / one) if one.endswith(".yaml") else one for one in arguments]
    with pytest.raises(AssertionError, match="provisor: "):
        command(tmp_path, "serve", "--port", "0", *told)
