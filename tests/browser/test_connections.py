"""How a job's systems are set up, whether they can be used, and the credentials to get in."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api.served import (
    TARGET_TOKEN,
    Client,
    Served,
    serving,
    target,
    wait_until,
    workspace,
)
from tests.browser.browser import Person, person


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("works")
    with target() as scim:
        token = workspace(folder, scim)
        with serving(folder, scim, token) as served:
            yield served


@pytest.fixture
def visitor(browser: Browser, works: Served) -> Generator[Person]:
    with person(browser, works) as somebody:
        somebody.sign_in(works.token)
        yield somebody
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere


def test_both_systems_are_shown_without_a_secret_and_probed(visitor: Person) -> None:
    visitor.open_job("people")
    visitor.page.get_by_role("link", name="Connection", exact=True).click()
    visitor.reads("Source: ")
    told = visitor.told()
    assert "people.csv" in told
    assert visitor.served.target_url in told
    assert TARGET_TOKEN not in visitor.page.content()
    assert not visitor.barriers()

    visitor.press("Probe both systems")
    visitor.reads("usable")
    for side in ("Source", "Target"):
        found = visitor.page.get_by_role("region", name=f"{side}, probed")
        expect(found).to_contain_text("Good")
    assert TARGET_TOKEN not in visitor.page.content()
    assert not visitor.barriers()

    visitor.press("Discover the target")
    visitor.reads("The target has")
    expect(visitor.page.get_by_role("region", name="What was discovered")).to_contain_text("User")
    assert not visitor.barriers()


def test_credentials_are_tried_before_they_are_saved_and_what_was_typed_stays(
    visitor: Person,
) -> None:
    visitor.open_job("people", "/connection")
    visitor.press("Try them")
    visitor.reads("The target takes the credentials that are in use.")

    visitor.page.get_by_label("Token", exact=False).first.fill("wrong")
    visitor.press("Try them")
    visitor.reads("SystemForCrossDomainIdentityManagementInvalidCredentials")
    expect(visitor.page.get_by_label("Token", exact=False).first).to_have_value("wrong")

    visitor.page.get_by_label("Token", exact=False).first.fill(TARGET_TOKEN)
    visitor.press("Try them")
    visitor.reads("The target takes these credentials. They are not saved yet.")
    visitor.press("Save")
    visitor.reads("The credentials are saved.")
    assert TARGET_TOKEN not in visitor.page.content()

    # From here a saved secret is bound to its address.
    visitor.press("Try them")
    visitor.reads("The target takes the credentials that are in use.")
    visitor.page.get_by_label("Address", exact=True).fill("https://elsewhere.example.com/scim")
    visitor.press("Save")
    visitor.reads("CredentialsMustBeGivenAgain")
    assert not visitor.barriers()


def test_an_application_is_made_gets_a_job_and_somebody_is_assigned(visitor: Person) -> None:
    served = visitor.served
    visitor.open_job("people")
    visitor.press("Start")
    wait_until(lambda: len(served.users()) == 2)
    visitor.open("/applications")
    visitor.page.get_by_label("Name").fill("Payroll")
    visitor.press("Make it")
    visitor.reads("The application is made. Give it a job.")
    assert not visitor.barriers()
    visitor.press("Make the job")
    visitor.reads("The job is made, and not started.")
    visitor.reads("Source: CSV files")
    visitor.page.get_by_label("Address", exact=True).fill(served.target_url)
    visitor.page.get_by_label("Token", exact=False).first.fill(TARGET_TOKEN)
    visitor.press("Save")
    visitor.reads("The credentials are saved.")

    visitor.open("/applications?search=payr")
    visitor.page.get_by_role("link", name="Payroll", exact=True).first.click()
    visitor.page.get_by_label("Assign a person or group").press_sequentially("ada")
    visitor.press("Assign Ada Example")
    visitor.reads("Assigned.")
    assigned = visitor.page.get_by_role("table", name="Who is assigned to Payroll")
    expect(assigned).to_contain_text("Ada Example")
    visitor.page.get_by_label("Assign a person or group").fill("somebody-new")
    visitor.press("Assign what is typed")
    expect(assigned.get_by_role("row", name="somebody-new")).to_contain_text("not read yet")
    assert not visitor.barriers()
    visitor.press("Remove somebody-new")
    visitor.reads("No longer assigned.")

    visitor.open("/connections")
    sources = visitor.page.get_by_role("region", name="CSV files")
    expect(sources).to_contain_text("Used by 2 jobs")
    assert not visitor.barriers()


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(visitor: Person) -> None:
    visitor.open("/keys")
    assert not visitor.barriers()
    visitor.page.get_by_label("Name").fill("reader")
    visitor.press("Make the key")
    visitor.reads("A key needs at least one permission.")
    expect(visitor.page.get_by_label("Name")).to_have_value("reader")
    visitor.page.get_by_label("Synchronization.Read.All").check()
    visitor.press("Make the key")
    visitor.reads("The key reader is made")
    text = visitor.page.get_by_label("The key", exact=True).input_value()
    reader = Client(visitor.served.port, text)
    assert reader.get("/provisor/jobs").status == 200
    assert not visitor.barriers()

    visitor.open("/keys")
    assert text not in visitor.page.content()
    visitor.page.get_by_text("Revoke reader").first.click()
    visitor.press("Revoke reader")
    visitor.reads("The key is revoked")
    assert reader.get("/provisor/jobs").status == 401
