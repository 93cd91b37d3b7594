"""Pictures of the pages, light, dark and narrow, in a folder; and those that the documents show.

`python -m tests.browser.screenshots FOLDER DOCUMENTS`: the latter are what fits on a screen, small.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from tests.api.served import Served, command, serving, target, token_for, wait_until, workspace
from tests.browser.browser import Person, chromium, person
from tests.browser.small import shrink
from tests.browser.test_drift import meddle, tells_only

PEOPLE = tuple(f"p{number:02}" for number in range(40))
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
}
NAMED = {
    "wide": "Wilhelmina-Theodora Konstantinopolitanopoulou zu Hohenlohe-Waldenburg-Schillingsfürst",
    "rtl": "محمد عبد الرحمن الحسيني",
    "cjk": "渡辺 美咲",
}
"""People whose names are long, or of other scripts."""
REFUSED = "rex"
"""Whom the target does not take."""
PLACES = {
    "jobs": "/",
    "new": "/new",
    "described": "/new?name=hr&source=csv&target=ldap",
    "applications": "/applications",
    "connections": "/connections",
    "log": "/log",
    "audit": "/audit",
    "keys": "/keys",
    "nowhere": "/nowhere",
    "jobs-none-like-this": "/?search=nobody",
    "log-empty": "/log?person=nobody",
}
OF_A_JOB = {
    "status": "",
    "setup": "/setup",
    "restart": "/restart",
    "plan": "/plan",
    "staged": "/staged",
    "explain": "/explain?object=p03",
    "explain-held": "/explain?object=p12",
    "explain-wide": "/explain?object=wide",
    "explain-rtl": "/explain?object=rtl",
    "explain-nobody": "/explain?object=zacharias",
    "mappings": "/mappings",
    "expression": "/mappings/0.0/attribute?target=displayName",
    "scope": "/mappings/0.0/scope",
    "escrows": "/escrows",
    "drift": "/drift",
    "connection": "/connection",
}
SHOWN = ("jobs", "status", "explain", "staged", "drift")
"""What the documents show, light."""


def taken(browser: Browser, served: Served, mode: str, folder: Path, reading: str) -> None:
    """Take a picture of every page; `reading` is the key of somebody who may only read."""
    with person(browser, served, **MODES[mode]) as somebody:
        _picture(somebody, "/sign-in", folder / f"sign-in-{mode}.png")
        somebody.sign_in(served.token)
        for name, path in PLACES.items():
            _picture(somebody, path, folder / f"{name}-{mode}.png")
        somebody.open_job("people")
        at = somebody.page.url.partition("/console")[2]
        for name, below in OF_A_JOB.items():
            _picture(somebody, f"{at}{below}", folder / f"{name}-{mode}.png")
        somebody.open(f"{at}/staged")
        somebody.page.locator("input[name=hash]").evaluate("field => field.value = '0'.repeat(64)")
        somebody.page.get_by_label("I have looked: all of this is meant.").check()
        somebody.page.get_by_role("button", name="Approve").click()
        somebody.reads("Nothing was approved")
        somebody.page.screenshot(path=folder / f"staged-changed-{mode}.png", full_page=True)
        _after_acting(somebody, at, folder, mode)
        with person(browser, served, **MODES[mode]) as reader:
            reader.sign_in(reading)
            _picture(reader, "/new", folder / f"forbidden-{mode}.png")


def _after_acting(somebody: Person, at: str, folder: Path, mode: str) -> None:
    """Take the pictures of what an act is answered with."""

    def shoot(name: str, told: str) -> None:
        somebody.reads(told)
        somebody.comes_to_rest()
        somebody.page.screenshot(path=folder / f"{name}-{mode}.png", full_page=True)

    for name, status in (("entry-failed", "failure"), ("entry-done", "success")):
        somebody.open(f"/log?status={status}")
        somebody.page.get_by_role("link", name="Steps").first.click()
        shoot(name, "Request and reply")
    somebody.open(f"{at}/explain?object={REFUSED}")
    somebody.press("Provision now")
    shoot("provisioned", "Provisioned on demand")
    somebody.open(f"{at}/plan")
    somebody.press("Plan")
    shoot("plan-made", "Find in this plan")
    somebody.open(f"{at}/mappings/0.0/attribute?target=title")
    somebody.page.locator(".cm-content").click()
    somebody.page.keyboard.press("Control+a")
    somebody.page.keyboard.insert_text("[department]")
    somebody.press("See what would change")
    shoot("what-if", "What would change if this were saved")
    somebody.open("/keys")
    somebody.page.get_by_label("Name").fill(f"reports, {mode}")
    somebody.page.get_by_label("ProvisioningLog.Read.All").check()
    somebody.press("Make the key")
    shoot("key-made", "is made")


def taken_running(browser: Browser, served: Served, folder: Path) -> None:
    """Take the pictures of a job whose cycle is running: its target asks for patience."""
    patience = {"what": "throttle", "method": "POST", "retry_after": "2"}
    for mode in MODES:
        served.hire(*PEOPLE, *(f"{mode}{number}" for number in range(20)))
        served.target.ask("misbehave", faults=[patience])
        with person(browser, served, **MODES[mode]) as somebody:
            somebody.sign_in(served.token)
            somebody.open_job("people")
            somebody.press("Reconcile")  # offered in any state, once nothing runs
            somebody.reads("A cycle is running:")
            somebody.page.screenshot(path=folder / f"status-running-{mode}.png", full_page=True)
            _picture(somebody, "/", folder / f"jobs-running-{mode}.png")
        served.target.ask("misbehave", faults=[])


def taken_broken(browser: Browser, served: Served, folder: Path) -> None:
    """Take the pictures of what is said when something is wrong with us."""

    def rename(before: str, after: str) -> None:
        store = sqlite3.connect(served.folder / "provisor.db")
        store.execute(f"ALTER TABLE {before} RENAME TO {after}")
        store.close()

    for mode in MODES:
        with person(browser, served, **MODES[mode]) as somebody:
            somebody.sign_in(served.token)  # which is in the audit
            rename("audit", "astray")
            _picture(somebody, "/audit", folder / f"broken-{mode}.png")
            rename("astray", "audit")


def taken_early(browser: Browser, served: Served, folder: Path) -> None:
    """Take the pictures of a job that never ran."""
    for mode in MODES:
        with person(browser, served, **MODES[mode]) as somebody:
            somebody.sign_in(served.token)
            somebody.open_job("people")
            at = somebody.page.url.partition("/console")[2]
            for name, below in {"status": "", "setup": "/setup", "plan": "/plan"}.items():
                _picture(somebody, f"{at}{below}", folder / f"{name}-never-run-{mode}.png")


def taken_empty(browser: Browser, served: Served, folder: Path) -> None:
    """Take the pictures of a workspace that has nothing yet."""
    for mode in MODES:
        with person(browser, served, **MODES[mode]) as somebody:
            somebody.sign_in(served.token)
            for name in ("jobs", "applications", "connections", "log", "audit"):
                _picture(somebody, PLACES[name], folder / f"{name}-empty-{mode}.png")


def _picture(somebody: Person, path: str, file: Path) -> None:
    somebody.open(path)
    somebody.page.locator("h1").first.wait_for()
    somebody.page.screenshot(path=file, full_page=True)


def shown(browser: Browser, served: Served, folder: Path) -> None:
    """Take the pictures that the documents show."""
    with person(browser, served, **MODES["light"]) as somebody:
        somebody.sign_in(served.token)
        somebody.open_job("people")
        at = somebody.page.url.partition("/console")[2]
        for name in SHOWN:
            path = PLACES[name] if name in PLACES else f"{at}{OF_A_JOB[name]}"
            somebody.open(path)
            somebody.page.locator("h1").first.wait_for()
            file = folder / f"console-{name}.png"
            somebody.page.screenshot(path=file)
            shrink(file)


def prepare(browser: Browser, served: Served) -> None:
    """Have a job that ran, in whose target others changed something, and one of whose people left
    so many at once that they are held."""
    served.hire(*PEOPLE)
    file = served.folder / "people.csv"
    rows = [
        f"{id},{id}@example.com,{name},{name},{name},{id}@example.com,Sales,Analyst,,true"
        for id, name in {**NAMED, REFUSED: "Rex Example"}.items()
    ]
    file.write_text("\n".join([file.read_text("utf-8").rstrip(), *rows, ""]), encoding="utf-8")
    refusal = {"what": "refuse", "method": "POST", "body": f"{REFUSED}@", "status": 400}
    served.target.ask("misbehave", faults=[refusal])
    with person(browser, served) as somebody:
        somebody.sign_in(served.token)
        somebody.open_job("people")
        somebody.press("Start")
        wait_until(lambda: len(served.users()) == len(PEOPLE) + len(NAMED))
        for who in PEOPLE[3:7]:
            meddle(served, who, title="Head of Sales")
        meddle(served, PEOPLE[4], displayName="P04 (external)")
        dismiss(served, PEOPLE[10:])
        somebody.open_job("people")
        somebody.press("Reconcile")
        somebody.reads("departures are staged.")


def dismiss(served: Served, leavers: tuple[str, ...]) -> None:
    file = served.folder / "people.csv"
    rows = file.read_text(encoding="utf-8").splitlines()
    gone = (
        row.replace(",true", ",false") if row.partition(",")[0] in leavers else row for row in rows
    )
    file.write_text("\n".join([*gone, ""]), encoding="utf-8")


def main(folder: Path, documents: Path | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place, target() as scim, chromium() as browser:
        command(Path(place), "init")
        with serving(Path(place), scim, token_for(Path(place))) as served:
            taken_empty(browser, served, folder)
    with TemporaryDirectory() as place, target() as scim, chromium() as browser:
        token = workspace(Path(place), scim)
        tells_only(Path(place))
        with serving(Path(place), scim, token) as served:
            taken_early(browser, served, folder)
            prepare(browser, served)
            reading = served.token_of("Synchronization.Read.All")
            for mode in MODES:
                taken(browser, served, mode, folder, reading)
            if documents is not None:
                shown(browser, served, documents)
            taken_running(browser, served, folder)
            taken_broken(browser, served, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
