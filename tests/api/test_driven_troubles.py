"""Each state of trouble, and the way out of it, reached by driving real cycles, is answered as
recorded.

The schedule of the server has nothing to do: every cycle here is one that the test waits for. The
goldens lie beside those of `test_driven_states`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.api.served import (
    COLUMNS,
    PATIENCE_S,
    TARGET_TOKEN,
    TENANT,
    Served,
    command,
    serving,
    target,
    wait_until,
    workspace,
    write_people,
)
from tests.api.test_driven_states import check, ended, read

GOOD = tuple(f"p{number:02d}" for number in range(6))
BROKEN = tuple(f"q{number:02d}" for number in range(10))
JOBS = {
    "proportion": "{minFailures: 5, proportion: 0.5}",
    "base": "{base: 9}",
    "total": "{total: 9}",
    "pruned": "{base: 9}",
    "source": "{}",
    "target": "{}",
}
HEAD = """\
tenant: {{id: {tenant}, defaultDomain: example.com}}
jobs:
"""
JOB = """\
  {name}:
    source: {{connector: csv, settings: {{users: {file}, settleFor: 0}}}}
    target: {{connector: scim, settings: {{baseAddress: "{url}", token: {token}}}}}
    thresholds: {thresholds}
"""
LATER = """\
import datetime, os
from provisor.app import machine
now = machine.SystemClock.now
machine.SystemClock.now = lambda clock: now(clock) + datetime.timedelta(
    days=int(os.environ.get("LATER_BY_DAYS", "0")))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """Return a server with a job for each trouble; all of them have been through a first cycle but
    for the one that is to have trouble with its first."""
    folder = tmp_path_factory.mktemp("troubles")
    with target() as scim:
        token = workspace(folder, scim)
        write_people(folder, GOOD, {})
        (folder / "source.csv").write_bytes((folder / "people.csv").read_bytes())
        url = scim.greeting["url"]
        text = HEAD.format(tenant=TENANT) + "".join(
            JOB.format(
                name=name,
                file="source.csv" if name in ("source", "target") else "people.csv",
                url=url,
                token=TARGET_TOKEN,
                thresholds=thresholds,
            )
            for name, thresholds in JOBS.items()
        )
        (folder / "provisor.yaml").write_text(text, encoding="utf-8")
        command(folder, "apply", "--prune", str(folder / "provisor.yaml"))
        with serving(folder, scim, token) as served:
            for name in JOBS:
                if name != "pruned":  # one after the other: only the first one has to create
                    assert served.post(f"{at(served, name)}/start").status == 204
                    ended(served, at(served, name))
            yield served


def at(house: Served, name: str) -> str:
    """Return the path of a job."""
    principals = house.get("/v1.0/servicePrincipals").json["value"]
    id = next(one["id"] for one in principals if one["displayName"] == name)
    jobs = f"/v1.0/servicePrincipals/{id}/synchronization/jobs"
    return f"{jobs}/{house.get(jobs).json['value'][0]['id']}"


def run(house: Served, job: str, days: int = 0) -> int:
    """Run a cycle; return the exit code."""
    later = house.folder / "later"
    later.mkdir(exist_ok=True)
    (later / "sitecustomize.py").write_text(LATER, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "provisor", "--workspace", str(house.folder), "run", job],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(later), "LATER_BY_DAYS": str(days)},
    )
    return ran.returncode


@pytest.fixture(scope="module")
def broken(house: Served) -> Served:
    """Have more people than not who cannot be provisioned: their user name is somebody else's."""
    row = {"userName": "p00@example.com", "displayName": "Nobody", "accountEnabled": "true"}
    lines = [",".join({**dict.fromkeys(COLUMNS, ""), **row, "id": id}.values()) for id in BROKEN]
    text = (house.folder / "people.csv").read_text("utf-8")
    unfinished = house.folder / ".unfinished"
    unfinished.write_text(text + "\n".join([*lines, ""]), encoding="utf-8")
    unfinished.replace(house.folder / "people.csv")
    return house


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("proportion", "EncounteredEscrowProportionThreshold"),
        ("base", "EncounteredBaseEscrowThreshold"),
        ("total", "EncounteredTotalEscrowThreshold"),
    ],
)
def test_too_many_failures_quarantine(broken: Served, name: str, reason: str) -> None:
    assert run(broken, name) == 4
    found = read(broken, at(broken, name))
    assert found["status"]["quarantine"]["reason"] == reason
    check(f"too-many-escrows-{name}", found)


def test_too_many_failures_of_a_first_cycle_pause_and_are_forgotten(broken: Served) -> None:
    job = at(broken, "pruned")
    assert broken.post(f"{job}/start").status == 204
    check("escrows-pruned", ended(broken, job))


def test_a_source_that_fails_is_waited_for_and_then_quarantined_and_comes_back(
    house: Served,
) -> None:
    job, file = at(house, "source"), house.folder / "source.csv"
    content = file.read_bytes()
    file.unlink()
    try:
        assert run(house, "source") == 5
        check("source-unavailable", read(house, job))
        assert run(house, "source") == 5
        assert run(house, "source") == 5
        check("ingestion-interrupted", read(house, job))
    finally:
        file.write_bytes(content)
    assert run(house, "source") == 0
    check("out-of-quarantine", read(house, job))


def test_a_target_that_is_away_quarantines_and_is_given_up_after_28_days(house: Served) -> None:
    job = at(house, "target")
    text = (house.folder / "provisor.yaml").read_text("utf-8")

    head, _, tail = text.rpartition(house.target_url)
    (house.folder / "provisor.yaml").write_text(f"{head}http://127.0.0.1:1{tail}", encoding="utf-8")

    command(house.folder, "apply", str(house.folder / "provisor.yaml"))
    assert run(house, "target") == 5
    check("target-unreachable", read(house, job))
    assert run(house, "target") == 5
    assert run(house, "target") == 5
    first = read(house, job)
    check("target-unreachable-thrice", first)
    assert run(house, "target") == 5
    again = read(house, job)
    check("quarantined-again", again)
    before, now = first["status"]["quarantine"], again["status"]["quarantine"]
    assert now["seriesBegan"] == before["seriesBegan"]
    assert now["currentBegan"] > before["currentBegan"]
    assert run(house, "target", days=29) == 5
    check("given-up-after-28-days", read(house, job))


def without_numbers(job: dict[str, Any]) -> dict[str, Any]:
    """Leave out how many: it depends on when somebody looked."""
    status: dict[str, Any] = job["status"]
    counted: list[dict[str, Any]] = [status["lastExecution"] or {}, *status["progress"]]
    for one in counted:
        one |= {name: "SOME" for name, value in one.items() if type(value) is int and value}
    status["synchronizedEntryCountByType"] = "SOME"  # while a cycle runs those of a second ago
    return job


def test_a_cycle_that_runs_tells_how_far_and_one_that_was_stopped_that_it_did_not_end(
    tmp_path: Path,
) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        write_people(tmp_path, tuple(f"p{number:04d}" for number in range(1500)), {})
        scim.ask("switch", switches={"latency_s": 0.5})  # whoever looks finds it under way
        with serving(tmp_path, scim, token) as house:
            job = at(house, "people")
            assert house.post(f"{job}/start").status == 204
            seen: list[dict[str, Any]] = []

            def is_under_way() -> bool:
                seen[:] = [read(house, job)]
                assert seen[0]["status"]["lastExecution"] is None, "it was over before we looked"
                (progress,) = seen[0]["status"]["progress"] or ({"completedUnits": 0},)
                return progress["completedUnits"] > 0

            wait_until(is_under_way)
            check("running", without_numbers(seen[0]))
            assert house.post(f"{job}/pause").status == 204
            check("cut-short", without_numbers(read(house, job)))
            assert 100 <= len(house.users()) < 1500
            scim.ask("switch", switches={"latency_s": 0})
            assert house.post(f"{job}/start").status == 204
            wait_until(lambda: read(house, job)["status"]["code"] == "Active")
            assert len(house.users()) == 1500
