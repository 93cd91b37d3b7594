"""The demonstration: an organisation flows into a real server, changes, and is cut short.

Everything is done through the command line, as anybody would, and every claim is checked against
what the target itself says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from provisor.demo.organisation import Day, Organisation, files, next_day, organisation
from provisor.demo.target import TOKEN, Target, View

JOB: Final = "people"
PEOPLE, GROUPS = 200, 10
SHOWN: Final = 2
FAILED: Final = 5
CONFIGURATION: Final = """\
jobs:
  people:
    source:
      connector: csv
      settings: {{users: people.csv, groups: groups.csv, members: members.csv, anchor: id}}
    target:
      connector: scim
      settings: {{baseAddress: "{url}", token: "file:app.token"}}
    template: scim
    syncAll: true
    schedule: PT5M
    guards: {{departures: {{percent: 20, floor: 10}}}}
"""


class Untrue(Exception):
    """Something that the demonstration says is not so."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    output: str
    """Empty if it went straight to the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the demonstration plays on."""

    folder: Path
    target: Target
    say: Callable[[str], None]
    provisor: Callable[[Sequence[str]], Finished]
    """Run a command where everybody sees it."""
    ask: Callable[[Sequence[str]], Finished]
    """Run a command for what it prints."""


def show(stage: Stage, seed: int) -> None:
    """Play all scenes. Raises Untrue at the first claim that does not hold."""
    chance = Random(seed)
    company = organisation(chance, PEOPLE, GROUPS)
    _scene(stage, f"HR exports {len(company.people)} people and {len(company.groups)} groups")
    _write(stage.folder, company)
    _configure(stage)
    _first_cycle(stage, company)
    _quiet_cycle(stage)
    day = next_day(company, chance, changed=4, disabled=2, left=2, joined=3)
    _one_day_later(stage, company, day)
    _cut_short(stage, day.organisation)
    _scene(stage, "Where the job stands, and what the target itself says")
    _do(stage, "status", JOB)
    _tell_view(stage, stage.target.view())


# the scenes


def _configure(stage: Stage) -> None:
    _scene(stage, "A workspace, and a job in provisor.yaml")
    _do(stage, "init")
    file = stage.folder / "provisor.yaml"
    tenant = file.read_text("utf-8").partition("jobs:")[0]
    file.write_text(tenant + CONFIGURATION.format(url=stage.target.url), encoding="utf-8")
    token = stage.folder / "app.token"
    token.touch(0o600)
    token.write_text(TOKEN, encoding="utf-8")
    _do(stage, "apply", "provisor.yaml")


def _first_cycle(stage: Stage, company: Organisation) -> None:
    _scene(stage, "The plan of the first cycle; nothing is sent yet")
    _do(stage, "plan", JOB, "--show", str(SHOWN))
    _claim(stage.target.view().writes == 0, "planning sent nothing")
    _scene(stage, "The first cycle")
    _do(stage, "run", JOB)
    _agrees(stage.target.view(), company)
    _tell_view(stage, stage.target.view())


def _quiet_cycle(stage: Stage) -> None:
    _scene(stage, "The second cycle has nothing to do, and sends nothing")
    before = stage.target.view().writes
    _do(stage, "run", JOB)
    _claim(stage.target.view().writes == before, "the second cycle sent nothing")


def _one_day_later(stage: Stage, before: Organisation, day: Day) -> None:
    what = (
        f"{len(day.changed)} changed, {len(day.disabled)} disabled, {len(day.left)} left, "
        f"{len(day.joined)} joined"
    )
    _scene(stage, f"One day later in the HR files: {what}")
    _write(stage.folder, day.organisation)
    planned = _planned(stage)
    _do(stage, "plan", JOB, "--show", str(SHOWN))
    _claim(planned == touched(before, day), "the plan names exactly whom the files changed")
    writes = stage.target.view().writes
    _do(stage, "run", JOB)
    view = stage.target.view()
    _agrees(view, day.organisation)
    for id in day.left:
        _claim(view.users[id].get("active") is False, f"{id}, who left, is disabled")
    _claim(not _planned(stage), "nothing is left to do")
    sent = view.writes - writes
    stage.say(f"{sent} requests changed {len(planned)} objects, and no other was touched.")


def _cut_short(stage: Stage, company: Organisation) -> None:
    _scene(stage, "The next export is cut off in the middle")
    people = stage.folder / "people.csv"
    whole = people.read_bytes()
    _replace(people, whole[: len(whole) * 2 // 5])
    before = stage.target.view()
    ended = _run(stage, "run", JOB)
    after = stage.target.view()
    _claim(ended.code == FAILED, f"the cycle fails with exit code {FAILED}")
    _claim(after.active == before.active, "nobody was disabled")
    _claim(after.writes == before.writes, "nothing was sent")
    stage.say(f"Nobody was removed: {len(after.active)} people are as active as before.")
    _scene(stage, "The export is whole again")
    _replace(people, whole)
    _do(stage, "run", JOB)
    _agrees(stage.target.view(), company)


# what is claimed


def touched(before: Organisation, day: Day) -> frozenset[str]:
    """Return the ids of all whose accounts or groups a day's changes concern.

    Besides those who changed: who reported to somebody who left, and the groups they were in. Not
    those who are disabled before and after: they have no account.
    """
    known, now = before.people, day.organisation.people
    groups = day.organisation.groups
    moved = (id for id, person in now.items() if person != known.get(id))
    concerned = {id for id in moved if now[id].is_enabled or (id in known and known[id].is_enabled)}
    changed_groups = {id for id, group in groups.items() if group != before.groups[id]}
    return frozenset({*concerned, *changed_groups, *day.left})


def _agrees(view: View, company: Organisation) -> None:
    """Check, person by person, that the target says what the files say."""
    for id, person in company.people.items():
        user = view.users.get(id)
        if user is None:
            _claim(person.is_enabled is False, f"{id} is in the target")
            continue
        _claim(user.get("userName") == person.user_name, f"{id} has the right user name")
        _claim(user.get("displayName") == person.display_name, f"{id} has the right name")
        _claim(user.get("title") == person.job_title, f"{id} has the right title")
        _claim(user.get("active") is person.is_enabled, f"{id} is enabled as in the files")
    enabled = frozenset(id for id, person in company.people.items() if person.is_enabled)
    _claim(view.active == enabled, "exactly those who are enabled have an active account")
    ids = {str(user["id"]): id for id, user in view.users.items()}
    for id, group in company.groups.items():
        listed = cast(list[dict[str, Any]], view.groups[id].get("members") or [])
        members = {ids[str(member["value"])] for member in listed}
        wanted = {member for member in group.members if member in view.users}
        _claim(members == wanted, f"the group {id} has exactly its members")


def _claim(is_so: bool, what: str) -> None:
    if not is_so:
        raise Untrue(f"this is not so: {what}")


def _planned(stage: Stage) -> frozenset[str]:
    document = cast(dict[str, Any], json.loads(stage.ask(["plan", JOB, "--json"]).output))
    return frozenset(str(step["object"]["id"]) for step in document["steps"])


# small things


def _scene(stage: Stage, title: str) -> None:
    stage.say(f"\n── {title}")


def _tell_view(stage: Stage, view: View) -> None:
    stage.say(
        f"The target says: {len(view.users)} users, {len(view.active)} of them active; "
        f"{len(view.groups)} groups with {view.members} members; {view.writes} changes asked for."
    )


def _do(stage: Stage, *arguments: str) -> None:
    code = _run(stage, *arguments).code
    _claim(code == 0, f"provisor {arguments[0]} exits with 0 (it was {code})")


def _run(stage: Stage, *arguments: str) -> Finished:
    stage.say(f"$ provisor {' '.join(arguments)}")
    return stage.provisor(arguments)


def _write(folder: Path, company: Organisation) -> None:
    for name, text in files(company).items():
        _replace(folder / name, text.encode("utf-8"))


def _replace(file: Path, content: bytes) -> None:
    """Write a file at once: nobody reads half of it."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(file)
