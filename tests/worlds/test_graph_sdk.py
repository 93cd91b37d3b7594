"""Microsoft's own client is content with our tenant: what tests read from it is what Graph says.

`make clients` builds the environment that the client lives in; without it this is skipped.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.sources.msgraph import address, tenant

CLIENTS = Path(__file__).parents[2] / ".venv-clients"
pytestmark = pytest.mark.skipif(
    not (CLIENTS / ".built-from").exists(),
    reason="there is no .venv-clients with Microsoft's clients: `make clients` builds it",
)


def read(base: str, *links: str) -> dict[str, Any]:
    """Let the client read; return what it understood."""
    script = Path(__file__).with_name("graph_sdk.py")
    command = [str(CLIENTS / "bin" / "python"), str(script), base, *links]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_client_pages_the_tenant_goes_on_from_its_links_and_is_told_of_removals() -> None:
    with tenant({"members_per_page": 2}) as subject:
        base, fake = address(subject.server), subject.fake
        people = [f"u{number:03}" for number in range(205)]
        for number, id in enumerate(people):
            said = {"displayName": f"Ż {id}", "userPrincipalName": f"{id}@contoso.com"}
            fake.put("users", id, {**said, "manager": people[number // 8] if number else None})
        fake.put("groups", "g1", {"displayName": "Everybody"})
        for id in people[:7]:
            fake.join("g1", id)

        first = read(base)

        users, groups = first["rounds"]
        assert users["told"] == people
        assert users["pages"] == 3
        assert groups["members"] == {"g1": people[:7]}
        assert first["managers"] == {id: people[n // 8] for n, id in enumerate(people) if n}

        fake.put("users", "u003", {"displayName": "Renamed"})
        fake.remove("users", "u100", "changed")
        fake.remove("users", "u101", "deleted")
        later = read(base, users["link"], groups["link"])

        users, groups = later["rounds"]
        assert users["removed"] == {"u100": "changed", "u101": "deleted"}
        assert sorted(users["told"]) == ["u003", "u100", "u101"]
        assert groups["told"] == []
