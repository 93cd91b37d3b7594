"""The official Python client drives a running server, where an interpreter has it.

It is too big to be a dependency: `PROVISOR_SDK_PYTHON` names an interpreter in whose environment
`msgraph-beta-sdk` is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.api.served import TARGET_TOKEN, Served

VARIABLE = "PROVISOR_SDK_PYTHON"
CLIENT = Path(__file__).with_name("sdk_client.py")


@pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason=f"{VARIABLE} names no interpreter that has msgraph-beta-sdk",
)
def test_the_official_client_goes_through_the_life_of_a_job(house: Served) -> None:
    arguments = [house.url, house.token, house.principal("SDK"), house.target_url, TARGET_TOKEN]
    ended = subprocess.run(
        [os.environ[VARIABLE], str(CLIENT), *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert json.loads(ended.stdout)["entries"] > 0
