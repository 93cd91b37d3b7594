"""Pictures of the pages, light, dark and narrow: `python -m tests.browser.screenshots FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from tests.api.served import Served, serving, target, wait_until, workspace
from tests.browser.browser import Person, chromium, person

PEOPLE = tuple(f"p{number:02}" for number in range(40))
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
}
PLACES = {"jobs": "/", "log": "/log", "audit": "/audit"}
OF_A_JOB = {
    "status": "",
    "restart": "/restart",
    "plan": "/plan",
    "staged": "/staged",
    "explain": "/explain?object=p03",
    "mappings": "/mappings",
    "expression": "/mappings/0.0/attribute?target=displayName",
    "scope": "/mappings/0.0/scope",
    "escrows": "/escrows",
}


def taken(browser: Browser, served: Served, mode: str, folder: Path) -> None:
    with person(browser, served, **MODES[mode]) as somebody:
        _picture(somebody, "/sign-in", folder / f"sign-in-{mode}.png")
        somebody.sign_in(served.token)
        for name, path in PLACES.items():
            _picture(somebody, path, folder / f"{name}-{mode}.png")
        somebody.open_job("people")
        at = somebody.page.url.partition("/console")[2]
        for name, below in OF_A_JOB.items():
            _picture(somebody, f"{at}{below}", folder / f"{name}-{mode}.png")


def _picture(somebody: Person, path: str, file: Path) -> None:
    somebody.open(path)
    somebody.page.locator("h1").first.wait_for()
    somebody.page.screenshot(path=file, full_page=True)


def prepare(browser: Browser, served: Served) -> None:
    """Have a job that ran, and one of whose people left so many at once that they are held."""
    served.hire(*PEOPLE)
    with person(browser, served) as somebody:
        somebody.sign_in(served.token)
        somebody.open_job("people")
        somebody.press("Start")
        wait_until(lambda: len(served.users()) == len(PEOPLE))
        served.hire(*PEOPLE, accountEnabled="false")
        somebody.open_job("people")
        somebody.press("Reconcile")
        somebody.reads("departures are staged.")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place, target() as scim, chromium() as browser:
        token = workspace(Path(place), scim)
        with serving(Path(place), scim, token) as served:
            prepare(browser, served)
            for mode in MODES:
                taken(browser, served, mode, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
