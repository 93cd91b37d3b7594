"""How fast a directory is read for the first time, and how soon a change in it arrives.

`read FOLDER URL` reads everything as a first cycle does, into a store: each page of observations is
committed before the next one. `bare URL ATTRIBUTE…` reads the same, of the same server, with
python-ldap, the fastest client library there is, and only counts; it runs in whichever Python has
that library.
`heard FOLDER BASE STATS URL` runs `provisor run --watch`, changes people one after the other by
another client, and measures each time until the first byte is at the target.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from benchmarks.world import Taken
    from provisor.connectors.ldap.settings import LdapSettings

SUFFIX = "dc=example,dc=com"
READER, PASSWORD = f"uid=reader,{SUFFIX}", "reader"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
CHANGES, PATIENCE_S, PAGE = 9, 60.0, 1_000
OTHERS = "/usr/bin/python3"
"""Where Debian has python-ldap (python3-ldap): on PyPI it has to be compiled."""
CONFIGURATION = """
tenant: {{id: 6f1c2f9e-5d7c-4b52-9d0e-0d6c9a2f7b12}}
jobs:
  people:
    source:
      connector: ldap
      settings:
        {{url: "{url}", bindDn: "{reader}", password: "env:BENCHMARK_LDAP", base: "{suffix}"}}
    target: {{connector: scim, settings: {{baseAddress: "{base}", token: "env:BENCHMARK_TOKEN"}}}}
    syncAll: true
    schedule: PT1H
"""


# the directory


def write_ldif(path: Path, people: int) -> None:
    """Write an organisation of so many people, each with a manager."""
    from random import Random

    from provisor.demo.organisation import organisation

    founded = organisation(Random(7), people, 0)
    logins = {id: f"u{number}" for number, id in enumerate(founded.people)}
    with path.open("w", encoding="utf-8") as file:
        for unit in ("people", "groups"):
            file.write(f"dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\n\n")
        for number, person in enumerate(founded.people.values()):
            said = {
                "uid": logins[person.id],
                "cn": person.display_name,
                "sn": person.family_name or person.given_name,
                "givenName": person.given_name,
                "displayName": person.display_name,
                "mail": person.mail,
                "title": person.job_title,
                "departmentNumber": person.department,
                "employeeNumber": person.id,
                "manager": f"uid={logins[person.manager]},{PEOPLE}" if person.manager else "",
                "entryUUID": str(UUID(int=number + 1)),
            }
            file.write(f"dn: uid={logins[person.id]},{PEOPLE}\nobjectClass: inetOrgPerson\n")
            file.writelines(_line(name, value) for name, value in said.items() if value)
            file.write("\n")


def _line(name: str, value: str) -> str:
    import base64

    return f"{name}:: {base64.b64encode(value.encode()).decode()}\n"


# both sides


def settings_of(folder: Path, url: str) -> LdapSettings:
    from provisor.connectors.ldap.settings import LdapSettings, parse

    raw = {"url": url, "bindDn": READER, "password": PASSWORD, "base": SUFFIX}
    settings = parse(raw, folder)
    assert isinstance(settings, LdapSettings), settings
    return settings


async def asked(folder: Path, url: str) -> Sequence[str]:
    """Return what a read asks of each person, so that the other side asks the same."""
    from benchmarks.world import rules_of_template
    from provisor.connectors.catalog import required
    from provisor.connectors.ldap.directory import open_directory

    settings = settings_of(folder, url)
    directory = await open_directory(settings, required(rules_of_template()))
    try:
        return directory.search(settings.users).attributes
    finally:
        await directory.close()


async def read(folder: Path, url: str) -> int:
    """Read everything into the store; return how many objects there are."""
    from benchmarks.world import JOB, STORE, Clock, Seeded, rules_of_template
    from provisor.connectors.catalog import required
    from provisor.connectors.ldap.source import LdapSource
    from provisor.connectors.memory import MemoryTarget
    from provisor.engine.imports import import_changes
    from provisor.engine.work import Mandate, Ports, Tally, begin_work
    from provisor.model.cycles import CycleKind
    from provisor.model.rules import Guards, Policy
    from provisor.store.sqlite.store import SqliteStore

    clock, chance, rules = Clock(), Seeded(), rules_of_template()
    store = SqliteStore(folder / STORE)
    journal = await store.open_journal(JOB.id, "benchmark")
    ports = Ports(
        source=LdapSource(settings_of(folder, url), clock, required(rules)),
        target=MemoryTarget(),
        journal=journal,
        clock=clock,
        entropy=chance,
    )
    mandate = Mandate(rules=rules, policy=Policy(guards=Guards()))
    tally = Tally(began=clock.now())
    await journal.adopt(rules, mandate.policy_hash, rereads=True)
    await journal.begin_cycle("benchmark", CycleKind.INITIAL, tally.began)
    await import_changes(begin_work(mandate, ports, "benchmark"), tally)
    if not tally.is_complete_read:
        raise SystemExit(f"the read was not whole: {tally.error}")
    count = sum((await journal.population()).values())
    await ports.source.close()
    store.close()
    return count


def bare(url: str, attributes: Sequence[str]) -> int:
    """Read the same with python-ldap, page by page, and count. Values stay the octets that the
    library hands over."""
    library: Any = importlib.import_module("ldap")
    paging: Any = importlib.import_module("ldap.controls")
    connection = library.initialize(url)
    connection.simple_bind_s(READER, PASSWORD)
    control = paging.SimplePagedResultsControl(True, size=PAGE, cookie="")
    count = 0
    while True:
        number = connection.search_ext(
            SUFFIX,
            library.SCOPE_SUBTREE,
            "(objectClass=inetOrgPerson)",
            list(attributes),
            serverctrls=[control],
        )
        _, found, _, controls = connection.result3(number)
        count += len(found)
        control.cookie = next(c.cookie for c in controls if c.controlType == control.controlType)
        if not control.cookie:
            return count


# the two rows


def run_bare(url: str, attributes: Sequence[str]) -> Taken:
    """Run the other side in the Python that has the library. Raises RuntimeError without one."""
    from benchmarks.world import Taken

    for python in (sys.executable, OTHERS):
        if subprocess.run([python, "-c", "import ldap"], capture_output=True).returncode == 0:
            command = [python, "-P", str(Path(__file__).resolve()), "bare", url, *attributes]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            said = json.loads(done.stdout.splitlines()[-1])
            return Taken(said.pop("wall"), said.pop("processor"), said.pop("peak"), said)
    raise RuntimeError("python-ldap is not there: apt-get install python3-ldap")


def heard(folder: Path, base: str, stats: str, url: str) -> list[float]:
    """Change people, one after the other; return how many seconds each change took to arrive."""
    import ldap3

    from benchmarks.leaver import asked as asked_of
    from benchmarks.started import provisor, run

    os.environ |= {"BENCHMARK_TOKEN": "benchmark", "BENCHMARK_LDAP": PASSWORD}
    text = CONFIGURATION.format(base=base, url=url, reader=READER, suffix=SUFFIX)
    (folder / "provisor.yaml").write_text(text, encoding="utf-8")
    run(provisor(folder, "init"))
    run(provisor(folder, "apply"))
    run(provisor(folder, "run", "people"))
    watching = subprocess.Popen(
        provisor(folder, "run", "people", "--watch"), stdout=subprocess.DEVNULL
    )
    hands: Any = ldap3.Connection(ldap3.Server(url), f"cn=admin,{SUFFIX}", "secret", auto_bind=True)
    taken: list[float] = []
    try:
        for number in range(CHANGES + 1):
            patched = asked_of(stats).get("PATCH Users", 0)
            began = time.monotonic()
            changes = {"title": [(ldap3.MODIFY_REPLACE, [f"Title {number}"])]}
            assert hands.modify(f"uid=u{number + 1},{PEOPLE}", changes), hands.result
            while asked_of(stats).get("PATCH Users", 0) == patched:
                if time.monotonic() - began > PATIENCE_S or watching.poll() is not None:
                    raise SystemExit("the change did not arrive")
                time.sleep(0.002)
            taken.append(time.monotonic() - began)
    finally:
        watching.kill()
        watching.wait()
        hands.unbind()
    return taken[1:]  # the first one waited for the start


def main(what: str, arguments: Sequence[str]) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from benchmarks.told import telling

    match what, arguments:
        case "read", (folder, url):
            from provisor.__main__ import collect_rarely

            collect_rarely()
            for name in ("benchmarks.world", "provisor.connectors.ldap.source"):
                importlib.import_module(name)  # starting is not what is measured, on either side
            with telling() as said:
                said["objects"] = asyncio.run(read(Path(folder), url))
        case "bare", (url, *attributes):
            importlib.import_module("ldap")  # starting it is not what is measured
            with telling() as said:
                said["objects"] = bare(url, attributes)
        case "heard", (folder, base, stats, url):
            with telling() as said:
                said["seconds"] = heard(Path(folder), base, stats, url)
        case "ldif", (path, people):
            with telling():
                write_ldif(Path(path), int(people))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
