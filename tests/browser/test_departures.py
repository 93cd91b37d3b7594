"""A mass departure is held, looked at, and released by somebody's word: exactly that, once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api.served import Served, serving, target, wait_until, workspace
from tests.browser.browser import Person, person

EVERYBODY = tuple(f"p{number:02}" for number in range(24))


def active(served: Served) -> int:
    return sum(1 for user in served.users().values() if user.get("active"))


def dismissed(served: Served, count: int) -> None:
    """Let so many leave, in a file that says so of each."""
    served.hire(*EVERYBODY)
    path = served.folder / "people.csv"
    first, *rows = path.read_text(encoding="utf-8").splitlines()
    gone = [row.replace(",true", ",false") for row in rows[:count]]
    path.write_text("\n".join([first, *gone, *rows[count:]]) + "\n", encoding="utf-8")


def test_a_mass_departure_is_held_and_released_by_exactly_one_word(
    browser: Browser, tmp_path: Path
) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served, person(browser, served) as somebody:
            served.hire(*EVERYBODY)
            somebody.sign_in(token)
            somebody.open_job("people")
            somebody.press("Start")
            wait_until(lambda: active(served) == len(EVERYBODY))

            dismissed(served, 15)
            somebody.open_job("people")
            somebody.press("Reconcile")
            somebody.reads("15 departures are staged.")
            assert active(served) == len(EVERYBODY)
            _is_wrong_on_the_overview(somebody)

            somebody.open_job("people", "/staged")
            told = somebody.told()
            assert "15 departures held" in told
            assert "P00 Example" in told
            assert not somebody.barriers()
            somebody.page.get_by_label("I have looked: all of this is meant.").check()
            somebody.press("Approve 15 departures")
            somebody.reads("Approved.")

            wait_until(lambda: active(served) == len(EVERYBODY) - 15)
            somebody.open_job("people", "/staged")
            somebody.reads("Nothing waits for an approval")


def _is_wrong_on_the_overview(somebody: Person) -> None:
    somebody.open("/")
    somebody.reads("1 job")
    expect(somebody.page.locator("table.jobs tbody tr").first).to_contain_text("Quarantine")
