"""Why somebody has no account, what failed, what was decided: found by name, and acted on."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api.served import Served, serving, target, wait_until, workspace
from tests.browser.browser import Person, person

COLLEAGUES = """\
id,userName,displayName,givenName,familyName,mail,department,jobTitle,manager,accountEnabled
ada,ada@example.com,Ada Example,Ada,Example,ada@example.com,Sales,Analyst,,true
misaki,misaki@example.com,渡辺 美咲,美咲,渡辺,misaki@example.com,Sales,Analyst,,true
bob,ada@example.com,Bob Example,Bob,Example,ada@example.com,Sales,Analyst,,true
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server whose job ran once: two people have the same user name."""
    folder = tmp_path_factory.mktemp("office")
    with target() as scim:
        token = workspace(folder, scim)
        (folder / "people.csv").write_text(COLLEAGUES, encoding="utf-8")
        with serving(folder, scim, token) as served:
            yield served


@pytest.fixture
def visitor(browser: Browser, office: Served) -> Generator[Person]:
    with person(browser, office, accept_downloads=True) as somebody:
        somebody.sign_in(office.token)
        somebody.open_job("people")
        if "none yet" in somebody.told():
            somebody.press("Start")
            somebody.reads("Some objects failed")
        yield somebody
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere


def test_why_somebody_has_no_account_is_found_by_name(visitor: Person) -> None:
    visitor.open_job("people", "/explain")
    visitor.page.get_by_label("Person or group").press_sequentially("bob ex")
    visitor.page.locator("#found").get_by_role("link", name="Bob Example").click()

    visitor.reads("An account matches, but it belongs to another source object.")
    told = visitor.told()
    assert "DuplicateSourceEntries" in told
    assert "Is there one whose userName is ada@example.com?" in told
    assert 'Join(" ", [givenName], [surname])' in told
    assert not visitor.barriers()

    # What a past cycle made of it is shown below, as it was then, with its steps.
    visitor.page.get_by_role("link", name="Steps").first.click()
    then = visitor.page.locator("#then")
    expect(then).to_contain_text("What to do:")
    expect(then).to_contain_text("EntryImport")
    assert "/explain?" in visitor.page.url
    assert not visitor.barriers()


def test_names_of_any_script_are_found_and_one_object_is_provisioned_now(visitor: Person) -> None:
    visitor.open_job("people", "/explain?object=美咲")
    visitor.page.locator("#found").get_by_role("link", name="渡辺 美咲").click()
    visitor.reads("It has its account.")
    visitor.press("Provision now")
    visitor.reads("Provisioned on demand: 渡辺 美咲")
    visitor.reads("What the target was asked and what it answered")
    assert not visitor.barriers()


def test_what_failed_stands_by_its_cause_and_is_tried_again(visitor: Person) -> None:
    visitor.open_job("people", "/escrows")
    told = visitor.told()
    assert "1 object failed and waits for another attempt" in told
    assert "DuplicateSourceEntries" in told
    assert "What to do:" in told
    assert not visitor.barriers()

    visitor.press("Try it again now")
    visitor.reads("Tried again by the cycle that begins at once.")
    wait_until(lambda: "2 times since" in _again(visitor))


def _again(visitor: Person) -> str:
    visitor.open_job("people", "/escrows")
    return visitor.told()


def test_a_saved_link_shows_the_same_part_of_the_log_again(visitor: Person) -> None:
    visitor.open("/log")
    assert not visitor.barriers()
    visitor.page.get_by_label("Status").select_option("Failure")
    visitor.page.get_by_label("Person or group").fill("Bob")
    visitor.press("Show")
    expect(visitor.page.locator("table.log tbody tr").first).to_contain_text("Bob Example")
    rows = visitor.page.locator("table.log tbody tr")
    count, link = rows.count(), visitor.page.url
    assert "status=failure" in link

    visitor.open("/")
    visitor.page.goto(link)
    assert rows.count() >= count
    assert "Ada Example" not in visitor.told()

    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download as CSV").click()
    assert zipfile.is_zipfile(Path(download.value.path()))


def test_a_plan_says_what_a_cycle_would_do_and_writes_nothing(visitor: Person) -> None:
    visitor.open_job("people", "/plan")
    before = visitor.served.users()
    changed = COLLEAGUES.replace("misaki@example.com,Sales", "misaki@example.com,Research")
    (visitor.served.folder / "people.csv").write_text(changed, encoding="utf-8")
    visitor.press("Plan")
    visitor.reads("Update: 1 object")
    assert "Research" in visitor.told()
    assert not visitor.barriers()
    assert visitor.served.users() == before

    visitor.page.get_by_label("Find in this plan").fill("nobody")
    expect(visitor.page.get_by_text("Update: 1 object")).to_be_hidden()


def test_what_a_colleague_did_is_in_the_audit(visitor: Person) -> None:
    visitor.open("/audit")
    visitor.reads("Enable/start provisioning configuration")
    assert "Sign in to the console" not in visitor.told()
    visitor.page.get_by_label("with sign-ins").check()
    visitor.press("Show")
    visitor.page.get_by_label("Find on this page").fill("sign in")
    expect(visitor.page.get_by_text("Sign in to the console").first).to_be_visible()

    visitor.press("Yesterday")
    visitor.reads("Nothing that was done is like this")
    assert "until=" in visitor.page.url
    visitor.press("Today")
    visitor.reads("Enable/start provisioning configuration")

    visitor.page.get_by_label("Until").fill("")
    visitor.page.get_by_label("Who").fill("ALL")
    visitor.page.get_by_label("What").fill("provisioning configuration")
    visitor.page.get_by_label("Since").fill("2020-01-01T00:00:00")
    visitor.press("Show")
    visitor.reads("Enable/start provisioning configuration")
    assert "Sign in to the console" not in visitor.told()
    assert "since=2019-12-31T23%3A00%3A00Z" in visitor.page.url
    visitor.page.get_by_label("Who").fill("nobody")
    visitor.press("Show")
    visitor.reads("Nothing that was done is like this")
    assert not visitor.barriers()


def test_a_past_record_shows_what_the_target_was_asked_and_what_it_answered(
    visitor: Person,
) -> None:
    carl = "carl,carl@example.com,Carl Example,Carl,Example,carl@example.com,Sales,Analyst,,true\n"
    (visitor.served.folder / "people.csv").write_text(COLLEAGUES + carl, encoding="utf-8")
    refusal = {"what": "refuse", "method": "POST", "status": 400}
    visitor.served.target.ask("misbehave", faults=[refusal])
    try:
        visitor.open_job("people", "/explain?object=carl")
        visitor.press("Provision now")
        visitor.reads("Provisioned on demand: Carl Example")
    finally:
        visitor.served.target.ask("misbehave", faults=[])

    visitor.open_job("people", "/explain?object=carl")
    visitor.page.get_by_role("link", name="Steps").first.click()
    then = visitor.page.locator("#then")
    expect(then).to_contain_text("400 POST /Users")
    expect(then.get_by_label("Sent")).to_contain_text('"userName":"carl@example.com"')
    expect(then.get_by_label("Answered")).to_contain_text("not now")
    assert not visitor.barriers()

    # Of what was done, request and status are kept; of what asked for nothing, nothing is told.
    for who, told in (("ada", "201 POST /Users"), ("bob", "Nothing was sent.")):
        visitor.open_job("people", f"/explain?object={who}")
        visitor.page.get_by_role("link", name="Steps").last.click()
        expect(visitor.page.locator("#then")).to_contain_text(told)
        assert visitor.page.locator("#then pre").count() == 0
