"""A real Chromium, and what tests ask of its pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.api.served import PATIENCE_S, Served

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EXECUTABLE = os.environ.get("CHROMIUM") or shutil.which("chromium")
NOT_THERE = (
    "No Chromium is here: `apt-get install chromium`, or name one in CHROMIUM; the pages of the "
    "console are not looked at without."
)
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Says that the browser asks nobody but us."""
AT_REST = """() => new Promise((done) => {
  let since = performance.now();
  const look = () => {
    if (document.querySelector(".htmx-request")) since = performance.now();
    if (performance.now() - since > 700) done(); else setTimeout(look, 50);
  };
  look();
})"""
"""Longer than pages wait before they ask."""


@contextmanager
def chromium() -> Generator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Person:
    """Somebody before the console, and everything that went wrong in the browser meanwhile."""

    page: Page
    served: Served
    complaints: list[str] = field(default_factory=list[str])
    elsewhere: list[str] = field(default_factory=list[str])
    """Requests that went to another host."""

    def sign_in(self, token: str) -> None:
        self.page.goto(f"{self.served.url}/console/")
        self.page.get_by_label("API key").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/console/")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.served.url}/console{path}")

    def open_job(self, name: str, below: str = "") -> None:
        self.open(f"/?search={name}")
        address = self.page.get_by_role("link", name=name, exact=True).get_attribute("href")
        self.page.goto(f"{self.served.url}{address}{below}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def reads(self, text: str) -> None:
        """Wait until the page says something; fail if it never does."""
        self.page.get_by_text(text).first.wait_for()

    def comes_to_rest(self) -> None:
        """Wait until nothing is being asked, nor about to be: each letter asks a moment later."""
        self.page.evaluate(AT_REST)

    def told(self) -> str:
        """Return what the page says in its main part."""
        return self.page.locator("main").inner_text()

    def barriers(self) -> list[str]:
        """Return what axe finds in the page that keeps somebody from using it."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
        )
        return [
            f"{one['id']}: {node['target']}: {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def is_wider_than_its_window(self) -> bool:
        return self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )


@contextmanager
def person(browser: Browser, served: Served, **options: Any) -> Generator[Person]:
    """Be somebody with a browser of his own."""
    # Without motion nobody meets a colour that is on its way to another.
    context = browser.new_context(
        timezone_id="Europe/Berlin", locale="en-GB", reduced_motion="reduce", **options
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    somebody = Person(page, served)
    own = served.url
    page.on(
        "request",
        lambda one: (
            None if one.url.startswith((own, "data:")) else somebody.elsewhere.append(one.url)
        ),
    )
    page.on("pageerror", lambda error: somebody.complaints.append(str(error)))
    page.on(
        "console",
        lambda one: somebody.complaints.append(one.text) if _is_complaint(one.text) else None,
    )
    try:
        yield somebody
    finally:
        context.close()


def _is_complaint(text: str) -> bool:
    # Chromium styles what is typed over decorated text by itself, is refused, and nothing is lost;
    # that our own pages have no such styles is seen in their templates.
    if text.startswith("Applying inline style"):
        return False
    return "Content Security Policy" in text or "Uncaught" in text
