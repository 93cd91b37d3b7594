"""A mass departure is held, looked at, and released by somebody's word: exactly that, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
            assert "15: The source says that it is not active." in told
            assert not somebody.barriers()
            _is_held_in_its_explanation(somebody)
            somebody.open_job("people", "/staged")

            # Two more leave while somebody looks: what was looked at is not what would be let pass.
            dismissed(served, 17)
            somebody_else(served, "reconcile")
            wait_until(lambda: len(staged(served)["departures"]) == 17)
            somebody.page.get_by_label("I have looked: all of this is meant.").check()
            somebody.press("Approve 15 departures")
            somebody.reads("Nothing was approved: something else is staged by now")
            assert "You looked at 15 departures; these are 17." in somebody.told()
            assert not somebody.barriers()
            somebody.page.get_by_label("I have looked: all of this is meant.").check()
            somebody.press("Approve 17 departures")
            somebody.reads("Approved.")

            wait_until(lambda: active(served) == len(EVERYBODY) - 17)
            _the_page_that_lies_open_says_so(somebody)
            somebody.open_job("people", "/staged")
            somebody.reads("Nothing waits for an approval")


def job_of(served: Served) -> str:
    found = served.get("/v1.0/servicePrincipals").json["value"][0]["id"]
    at = f"/v1.0/servicePrincipals/{found}/synchronization/jobs"
    return f"{at}/{served.get(at).json['value'][0]['id']}"


def somebody_else(served: Served, act: str) -> None:
    assert served.post(f"{job_of(served)}/{act}").status == 202


def staged(served: Served) -> dict[str, Any]:
    return served.get(f"{job_of(served)}/staged").json


def _is_held_in_its_explanation(somebody: Person) -> None:
    somebody.page.get_by_role("link", name="P00 Example").click()
    somebody.reads("It is to leave, and is held until somebody approves")
    somebody.page.get_by_role("link", name="Look, and decide").click()
    somebody.reads("15 departures held")


def _the_page_that_lies_open_says_so(somebody: Person) -> None:
    """Every part of it, also of a cycle that ended before the page could ask."""
    code = somebody.page.locator("[sse-swap=full] tr").filter(has_text="Where the job stands")
    code.filter(has_text="Active").wait_for()
    somebody.page.locator("#history .card tbody tr").nth(3).wait_for()


def _is_wrong_on_the_overview(somebody: Person) -> None:
    somebody.open("/")
    somebody.reads("1 job")
    first = somebody.page.locator("table.jobs tbody tr").first
    expect(first).to_contain_text("Quarantine")
    expect(first.get_by_role("link", name="Look, and decide")).to_be_visible()
