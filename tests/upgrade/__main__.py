"""`python -m tests.upgrade [COMMIT…]` takes the earlier versions in turn, or those it is told."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.upgrade.lives import Life, database, lived, rolled, upgraded
from tests.upgrade.releases import ROOT, Release, install, releases
from tests.worlds.databases import NO_POSTGRES, POSTGRES, Postgres
from tests.worlds.scim2 import Scim2

INSTALLED = ROOT / "build" / "upgrade"


def main(arguments: list[str]) -> int:
    chosen = [
        one for one in releases() if not arguments or any(map(one.commit.startswith, arguments))
    ]
    failed = 0
    for release in chosen:
        python = str(install(release, INSTALLED))
        sys.stdout.write(f"\n{release}\n")
        failed += not _tell("a file", lambda python=python: _on_a_file(python))
        if release.postgresql and not POSTGRES:
            sys.stdout.write(f"  {NO_POSTGRES}\n")
        elif release.postgresql:
            with Postgres.run() as server:
                failed += not _tell("PostgreSQL", lambda s=server, p=python: _on_a_server(s, p))
                failed += not _tell(
                    "workers", lambda s=server, p=python, r=release: _among_workers(s, p, r)
                )
    sys.stdout.write(f"\n{len(chosen)} earlier versions, {failed} failures\n")
    return 1 if failed else 0


def _tell(what: str, live: Callable[[], str]) -> bool:
    began = time.monotonic()
    try:
        came = live()
    except AssertionError as failure:
        sys.stdout.write(f"  {what}: FAILED: {failure}\n")
        return False
    sys.stdout.write(f"  {what}: {came} ({time.monotonic() - began:.0f} s)\n")
    sys.stdout.flush()
    return True


def _on_a_file(python: str) -> str:
    with tempfile.TemporaryDirectory() as folder, _server(folder) as server:
        life = Life(Path(folder), server, {}, python=python)
        lived(life)
        before = life.told()
        life.python = sys.executable
        upgraded(life, before)
        return "upgraded, and went on where it was"


def _on_a_server(postgres: Postgres, python: str) -> str:
    address = database(postgres)
    with tempfile.TemporaryDirectory() as folder, _server(folder) as server:
        life = Life(Path(folder), server, {"PROVISOR_STORE": address}, python=python)
        lived(life)
        before = life.told()
        life.python = sys.executable
        asked = life.process("store", "migrate")
        assert asked.code == 0, asked.err
        upgraded(life, before)
        return f"upgraded, and went on where it was; {asked.out.partition(' is of ')[2].strip()}"


def _among_workers(postgres: Postgres, python: str, release: Release) -> str:
    address = database(postgres)
    with tempfile.TemporaryDirectory() as folder, _server(folder) as server:
        environment = {"PROVISOR_STORE": address}
        life = Life(Path(folder), server, environment, python=python)
        life.hire("p00", "p01")
        life.say("init")
        life.say("apply", "provisor.yaml")
        new = Life(Path(folder), server, environment)
        new.people = life.people
        new.export()
        try:
            return rolled(life, new, address, release.postgresql)
        except AssertionError as failure:
            said = [f"{log.name}: {log.read_text()[-2000:]}" for log in Path(folder).glob("*.log")]
            raise AssertionError("\n".join([str(failure), *said])) from failure


def _server(folder: str) -> AbstractContextManager[Scim2]:
    return Scim2.run(access_log=Path(folder) / "access.log")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
