# pyright: basic, reportMissingImports=false
"""g2g-scim-sync: an engine that brings Google's people into GitHub.

`python -m benchmarks.published.with_g2g FOLDER BASE`: a first cycle, timed. Where the people come
from and where the target lies are ours; engine and client are its own. It needs Python 3.12.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

from g2g_scim_sync.config import GitHubConfig, SyncConfig
from g2g_scim_sync.github_client import GitHubScimClient
from g2g_scim_sync.models import GoogleUser
from g2g_scim_sync.sync_engine import SyncEngine

from benchmarks.published.people import people
from benchmarks.told import telling

HOST, ENTERPRISE, UNIT = "nowhere.invalid", "organisation", "/All"


class Files:
    """Stands where its client for Google would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get_all_users(self, *_: Any) -> list[Any]:
        return [
            GoogleUser(
                id=one.id,
                primary_email=one.mail,
                given_name=one.given,
                family_name=one.family,
                full_name=f"{one.given} {one.family}",
                suspended=not one.is_active,
                org_unit_path=UNIT,
            )
            for one in people(self._folder)
        ]


async def cycle(folder: Path, base: str) -> Any:
    client = GitHubScimClient(HOST, "benchmark", ENTERPRISE)
    client.base_url = base
    github = GitHubConfig(hostname=HOST, scim_token="benchmark", enterprise_account=ENTERPRISE)
    async with client:
        engine = SyncEngine(Files(folder), client, SyncConfig(create_groups=False), github)
        return await engine.synchronize([UNIT])


def main(folder: str, base: str) -> None:
    logging.disable(logging.CRITICAL)
    with telling() as said:
        result = asyncio.run(cycle(Path(folder), base))
        said["users"] = result.stats.users_created
    if not result.success or result.stats.users_failed:
        raise SystemExit(f"it failed: {result.error}, {result.stats.users_failed} users")


if __name__ == "__main__":
    main(*sys.argv[1:])
