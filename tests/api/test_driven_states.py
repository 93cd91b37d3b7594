"""Each state that a job can be in, reached by driving a real server there, is answered as recorded.

The goldens are `tests/golden/graph/driven`, with what differs each time left out: ids and moments.
`PROVISOR_RECORD=1` writes them anew, to be read before they are kept.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.served import TARGET_TOKEN, Served, serving, target, wait_until, workspace
from tests.api.test_serving import children

HERE = Path(__file__).parents[1] / "golden" / "graph" / "driven"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
NEVER = "0001-01-01T00:00:00Z"
PEOPLE = tuple(f"p{number:02d}" for number in range(14))
STEADY_IS_FORGOTTEN = """\
import dataclasses
from provisor.planner import status
whole = status._succeeded
status._succeeded = lambda before, cycle: dataclasses.replace(
    whole(before, cycle), steady_state_first=None)
"""


def plain(value: Any) -> Any:
    """Leave out of an answer what is another each time."""
    match value:
        case dict():
            items: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
            return {name: plain(item) for name, item in items.items() if "@" not in name}
        case list():
            things: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            return [plain(one) for one in things]
        case str() if value != NEVER:
            text = re.sub(r"127\.0\.0\.1:\d+", "HOST", value)
            return UUID.sub("ID", MOMENT.sub("MOMENT", text))
        case _:
            return value


def check(name: str, job: dict[str, Any]) -> None:
    file, found = HERE / f"{name}.json", plain(job)
    if os.environ.get("PROVISOR_RECORD"):
        file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert found == json.loads(file.read_text(encoding="utf-8")), name


@contextmanager
def driven(folder: Path) -> Generator[tuple[Served, str]]:
    """Serve a workspace; yield where the synchronization of a new application is."""
    with target() as scim:
        token = workspace(folder, scim)
        with serving(folder, scim, token) as house:
            yield house, f"/v1.0/servicePrincipals/{house.principal()}/synchronization"


def read(house: Served, job: str) -> dict[str, Any]:
    return house.get(job).json


def code(house: Served, job: str) -> str:
    return str(read(house, job)["status"]["code"])


def give(house: Served, sync: str, token: str) -> None:
    secrets = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": token},
    ]
    assert house.put(f"{sync}/secrets", {"value": secrets}).status == 204


def ended(house: Served, job: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Wait for a cycle after `before`; return the job."""
    last = before["status"]["lastExecution"] if before else None
    id = last["activityIdentifier"] if last else ""

    def is_over() -> bool:
        now = read(house, job)["status"]["lastExecution"]
        return now is not None and now["activityIdentifier"] != id

    wait_until(is_over)
    return read(house, job)


def test_every_state_is_answered_as_recorded(tmp_path: Path) -> None:
    with driven(tmp_path) as (house, sync):
        made = house.post(f"{sync}/jobs", {"templateId": "customappsso"}).json
        job = f"{sync}/jobs/{made['id']}"
        check("created-without-credentials", made)
        house.post(f"{job}/start")
        wait_until(lambda: code(house, job) == "Quarantine")
        check("started-without-credentials", read(house, job))
        house.post(f"{job}/pause")
        check("paused-out-of-quarantine", read(house, job))
        house.delete(job)

        give(house, sync, TARGET_TOKEN)
        house.hire(*PEOPLE)
        check("created", house.post(f"{sync}/jobs", {"templateId": "customappsso"}).json)
        wait_until(lambda: children(house.process.pid))
        (schedule,) = children(house.process.pid)
        os.kill(schedule, signal.SIGSTOP)
        try:
            house.post(f"{job}/start")
            check("started", read(house, job))
        finally:
            os.kill(schedule, signal.SIGCONT)
        first = ended(house, job)
        check("steady", first)
        house.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark"}})
        quiet = ended(house, job, first)
        check("steady-with-nothing-to-do", quiet)

        house.hire(*PEOPLE[:-1], "")  # an object without an id is one that fails
        house.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark"}})
        odd = ended(house, job, quiet)
        check("a-row-that-cannot-be-read", odd)

        house.hire(*PEOPLE, accountEnabled="false")
        house.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark"}})
        held = ended(house, job, odd)
        check("too-many-deletes", held)
        house.post(f"{job}/restart", {"criteria": {"resetScope": "ForceDeletes"}})
        let = ended(house, job, held)
        check("deletes-forced", let)

        give(house, sync, "revoked")
        house.hire(*PEOPLE[1:], accountEnabled="false", department="Other")
        house.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark"}})
        refused = ended(house, job, let)
        check("credentials-refused", refused)
        times = refused["status"]["quarantine"]
        assert times["currentBegan"] == times["seriesBegan"] < times["nextAttempt"]
        house.post(f"{job}/pause")
        check("paused", read(house, job))


def test_an_engine_that_is_broken_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Break what makes a status, in the server and in its schedule, and see the golden fail."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(STEADY_IS_FORGOTTEN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    monkeypatch.delenv("PROVISOR_RECORD", raising=False)
    (tmp_path / "work").mkdir()
    with driven(tmp_path / "work") as (house, sync):
        give(house, sync, TARGET_TOKEN)
        house.hire(*PEOPLE)
        made = house.post(f"{sync}/jobs", {"templateId": "customappsso"}).json
        job = f"{sync}/jobs/{made['id']}"
        house.post(f"{job}/start")
        found = ended(house, job)
        with pytest.raises(AssertionError, match="steady"):
            check("steady", found)
