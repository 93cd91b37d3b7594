"""A first job, from an empty workspace: guided, kept over a restart; and the demo organisation."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api.served import (
    TARGET_TOKEN,
    Served,
    command,
    serving,
    target,
    token_for,
    wait_until,
    workspace,
)
from tests.browser.browser import Person, person
from tests.worlds.processes import Server

PEOPLE = """\
id,login,givenName,lastName,displayName,email,costCenter,accountEnabled
1,ada@example.com,Ada,Lovelace,Ada Lovelace,ada@example.com,C1,true
2,bob@example.com,Bob,Ross,Bob Ross,bob@example.com,C2,true
"""
NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def scim() -> Generator[Server]:
    with target() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a workspace that nothing was applied to."""
    command(tmp_path, "init")
    return tmp_path


@pytest.fixture
def token(folder: Path) -> str:
    return token_for(folder)


@contextmanager
def looking(browser: Browser, served: Served) -> Generator[Person]:
    with person(browser, served) as somebody:
        somebody.sign_in(served.token)
        yield somebody
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere


def choose(somebody: Person, name: str, source: str, target: str) -> None:
    somebody.page.get_by_label("What the job is called").fill(name)
    somebody.page.get_by_label("Where people come from").select_option(source)
    somebody.page.get_by_label("Where accounts are to be").select_option(target)
    somebody.press("Go on")


def is_usable_when_narrow(somebody: Person) -> None:
    size = somebody.page.viewport_size
    somebody.page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    assert not somebody.is_wider_than_its_window()
    assert not somebody.barriers()
    assert size is not None
    somebody.page.set_viewport_size(size)


def test_a_first_job_is_guided_to_its_start_and_nothing_is_lost_when_the_server_restarts(
    browser: Browser, folder: Path, token: str, scim: Server
) -> None:
    with serving(folder, scim, token) as served, looking(browser, served) as somebody:
        somebody.reads("Begin with one job")
        is_usable_when_narrow(somebody)
        somebody.page.get_by_role("link", name="Set up a job").click()
        choose(somebody, "people", "csv", "scim")
        _is_described(somebody, served)
        _lines_are_put_into_the_file(somebody, folder)
        command(folder, "apply")

        # The page goes on by itself. The file has other columns than the template maps.
        somebody.page.wait_for_url("**/setup")
        somebody.press("Look at both systems")
        somebody.reads(
            "mail (is it 'email'?), manager, surname, userPrincipalName, which the schema"
        )
        at = somebody.page.url.partition("/console")[2].removesuffix("/look")

    with serving(folder, scim, token) as served, looking(browser, served) as somebody:
        somebody.open(at)
        row = somebody.page.get_by_role("row").filter(has_text="userName")
        expect(row).to_contain_text("instead of userPrincipalName")
        expect(row).to_contain_text("90 %")
        expect(row.get_by_role("combobox")).to_have_value("login")
        is_usable_when_narrow(somebody)
        somebody.page.get_by_role("button", name="See what would change").first.click()
        somebody.reads("This job remembers nobody yet")
        somebody.press("Save")
        somebody.press("Look again")
        somebody.reads("Both systems can be used")

        somebody.page.get_by_role("link", name="Go to the plan").click()
        somebody.press("Plan")
        somebody.reads("Create: 2 objects")
        somebody.open(at)
        somebody.press("Start the job")
        somebody.reads("The job is started.")
        wait_until(lambda: "ada@example.com" in served.users())
        ada = served.users()["ada@example.com"]
        assert ada["name"]["familyName"] == "Lovelace"


def _is_described(somebody: Person, served: Served) -> None:
    assert not somebody.barriers()
    users = somebody.page.get_by_label("users needed")
    expect(users).to_have_accessible_description("The file with people.")
    users.fill("hr.csv")
    somebody.page.get_by_label("baseAddress needed").fill(served.target_url)
    # A secret is named, and never written: the form does not take one.
    somebody.page.get_by_label("token", exact=True).fill(TARGET_TOKEN)
    somebody.press("Show the lines for provisor.yaml")
    assert "/new/lines" not in somebody.page.url
    somebody.page.get_by_label("token", exact=True).fill("file:app.token")
    somebody.press("Show the lines for provisor.yaml")
    somebody.reads("Waiting for provisor apply")
    is_usable_when_narrow(somebody)


def _lines_are_put_into_the_file(somebody: Person, folder: Path) -> None:
    lines = somebody.page.get_by_label("Lines for provisor.yaml").inner_text()
    assert TARGET_TOKEN not in somebody.page.content()
    (folder / "hr.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "app.token").write_text(TARGET_TOKEN, encoding="ascii")
    file = folder / "provisor.yaml"
    before = file.read_text("utf-8").partition("jobs:")[0]
    file.write_text(f"{before}{lines}\n", encoding="utf-8")


def test_a_job_whose_source_is_here_already_is_made_without_a_file(
    browser: Browser, tmp_path: Path, scim: Server
) -> None:
    token = workspace(tmp_path, scim)
    with serving(tmp_path, scim, token) as served, looking(browser, served) as somebody:
        somebody.page.get_by_role("link", name="New job").click()
        somebody.page.get_by_label("What the job is called").fill("people")
        somebody.page.get_by_label("Where people come from").select_option("inbound")
        somebody.page.get_by_label("Where accounts are to be").select_option("scim")
        somebody.press("Go on")
        somebody.reads("There is a job people already.")

        shared = somebody.page.locator("optgroup option", has_text="What people reads from")
        choose(somebody, "second", str(shared.get_attribute("value")), "scim")
        somebody.page.get_by_label("Address", exact=True).fill(served.target_url)
        somebody.page.get_by_label("Token", exact=True).fill(TARGET_TOKEN)
        assert not somebody.barriers()
        somebody.press("Make the job")
        somebody.reads("The job is made.")
        assert TARGET_TOKEN not in somebody.page.content()
        somebody.reads("Source: CSV files of users, groups and memberships")

        key = served.token_of("Synchronization.Read.All")
        with person(browser, served) as reader:
            reader.sign_in(key)
            expect(reader.page.get_by_role("link", name="New job")).to_have_count(0)
            reader.open("/new")
            reader.reads("You may not do this")


def test_the_demo_organisation_comes_lives_and_goes_by_one_click_each(
    browser: Browser, folder: Path, token: str, scim: Server
) -> None:
    with serving(folder, scim, token) as served, looking(browser, served) as somebody:
        somebody.open("/new")
        somebody.press("Show me the demo organisation")
        somebody.reads("200 invented people")
        figure = somebody.page.locator(".figures div", has_text="User to User")
        expect(figure).to_contain_text("197", timeout=60_000)

        somebody.open("/")
        assert not somebody.barriers()
        somebody.press("A site is closed: 60 leave at once")
        somebody.page.get_by_text("60 departures are staged.").wait_for(timeout=60_000)

    # It goes on where it was: nobody is written twice, nobody is missing.
    with serving(folder, scim, token) as served, looking(browser, served) as somebody:
        somebody.open_job("demo")
        somebody.press("Reconcile")
        kind = somebody.page.locator(".figures div", has_text="Last cycle")
        expect(kind).to_contain_text("reconcile", timeout=60_000)
        expect(kind).to_contain_text("Succeeded")
        exported = somebody.page.locator(".figures div", has_text="Exported")
        expect(exported.locator(".figure")).to_have_text("0")

        somebody.open("/")
        somebody.press("Remove the demo organisation")
        somebody.reads("The demo organisation is gone")
        assert not (folder / "demo-organisation").exists()
        expect(somebody.page.get_by_role("link", name="demo", exact=True)).to_have_count(0)
