"""Where jobs stand, what is wrong and the way out, and what may be done to a job."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.api.served import TARGET_TOKEN, Served, command
from tests.browser.browser import Person, person


def test_whoever_is_not_signed_in_is_asked_who_it_is_and_then_led_on(
    browser: Browser, house: Served
) -> None:
    with person(browser, house) as somebody:
        somebody.open("/jobs/a/b")
        expect(somebody.page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert not somebody.barriers()

        somebody.page.get_by_label("API key").fill("pvr_of-nobody")
        somebody.press("Sign in")
        somebody.reads("This key is not known here, has expired or was revoked.")

        somebody.page.get_by_label("API key").fill(house.token)
        somebody.press("Sign in")
        somebody.reads("Nothing is here")
        assert somebody.page.url.endswith("/console/jobs/a/b")

        (cookie,) = somebody.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")  # pyright: ignore[reportTypedDictNotRequiredAccess]
        assert house.token not in str(somebody.page.context.cookies())


@pytest.fixture
def fresh(house: Served) -> str:
    """Return the name of a job that nobody has started yet."""
    name = f"Fresh {len(house.get('/provisor/jobs').json['value'])}"
    at = f"/v1.0/servicePrincipals/{house.principal(name)}/synchronization"
    secrets = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": TARGET_TOKEN},
    ]
    assert house.put(f"{at}/secrets", {"value": secrets}).status == 204
    assert house.post(f"{at}/jobs", {"templateId": "scim"}).status == 201
    return name


def test_a_job_is_started_runs_and_is_paused(visitor: Person, fresh: str) -> None:
    visitor.open_job(fresh)
    assert "Nothing was read or written." in visitor.told()
    assert not visitor.barriers()

    visitor.press("Start")
    visitor.reads("The job is started.")
    # The page is told of the cycle as it goes: nobody loads it anew.
    visitor.reads("initial, ended")
    expect(visitor.page.locator("#history tbody tr")).to_have_count(1)
    assert re.search(r"Read\s+2\s+2 differ", visitor.told())
    assert re.search(r"User to User\s+2\s+linked", visitor.told())
    assert set(visitor.served.users()) == {"ada@example.com", "bob@example.com"}

    # Where its time went is told, and each moment counts once.
    visitor.reads("Where the time of the latest cycle went")
    principal, job = visitor.page.url.partition("?")[0].rsplit("/", 2)[1:]
    at = f"/v1.0/servicePrincipals/{principal}/synchronization/jobs/{job}/cycles"
    (cycle,) = visitor.served.get(at).json["value"]
    assert set(cycle["spent"]) == {"source", "mapping", "target", "store"}
    assert all(seconds > 0 for seconds in cycle["spent"].values())

    visitor.press("Pause")
    visitor.reads("The job is paused.")
    visitor.reads("The schedule does not run this job.")
    expect(visitor.page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)


def test_every_number_is_the_number_of_the_api(visitor: Person) -> None:
    visitor.open_job("people")
    principal, job = visitor.page.url.rsplit("/", 2)[1:]
    said = visitor.served.get(f"/v1.0/servicePrincipals/{principal}/synchronization/jobs/{job}")
    told = visitor.page.locator("table.full").all_inner_texts()
    page = re.sub(r"\s+", " ", " ".join(told))
    for name, value in said.json["status"].items():
        assert name in visitor.told()
        if isinstance(value, int):
            assert f"{name} {str(value).lower()}" in page


def test_a_restart_says_what_it_forgets_and_asks_twice_for_what_is_grave(visitor: Person) -> None:
    visitor.open_job("people", "/restart")
    assert "How far the source was read" in visitor.told()
    assert not visitor.barriers()

    visitor.page.get_by_label("Which account belongs to whom").check()
    visitor.press("Restart")
    visitor.reads("This is a grave choice")
    visitor.page.get_by_label("I know what this means").check()
    visitor.press("Restart")

    visitor.reads("The job is restarted.")
    visitor.reads("initial, ended")


def test_jobs_are_found_by_typing(visitor: Person) -> None:
    visitor.open("/")
    assert not visitor.barriers()

    visitor.page.get_by_label("Search").press_sequentially("nobody")
    visitor.reads("No job is like this")
    visitor.page.get_by_label("Search").fill("PEOP")
    expect(visitor.page.get_by_role("link", name="people", exact=True)).to_be_visible()


def test_the_keyboard_alone_goes_from_the_address_to_the_job(visitor: Person) -> None:
    visitor.open("/?search=people")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    for _ in range(6):
        visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="people", exact=True)).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="people", level=1)).to_be_visible()


def test_times_are_in_the_viewers_zone_and_in_utc_on_hover(visitor: Person) -> None:
    visitor.open_job("people")
    if "none yet" in visitor.told():
        visitor.press("Start")
    time = visitor.page.locator("#history time").first
    time.wait_for()
    utc = str(time.get_attribute("title"))
    assert utc.endswith("UTC")
    hour = int(utc.split()[1][:2])
    expect(time).to_contain_text(re.compile(rf"{(hour + 1) % 24:02}:|{(hour + 2) % 24:02}:"))


def test_what_a_key_may_not_do_is_not_offered_and_is_refused(
    browser: Browser, house: Served
) -> None:
    reader = house.token_of("Synchronization.Read.All")
    with person(browser, house) as somebody:
        somebody.sign_in(reader)
        somebody.open_job("people")
        assert "synchronizationStatus" in somebody.told()
        for name in ("Start", "Pause", "Reconcile"):
            expect(somebody.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        expect(somebody.page.get_by_role("link", name="Restart…")).to_have_count(0)

        somebody.page.goto(f"{somebody.page.url}/restart")
        somebody.reads("You may not do this")
        assert not somebody.barriers()


def test_a_key_that_is_revoked_takes_its_session_with_it(browser: Browser, house: Served) -> None:
    with person(browser, house) as somebody:
        somebody.sign_in(house.token_of("Synchronization.Read.All", "AuditLog.Read.All"))
        somebody.reads("Jobs")
        command(house.folder, "token", "revoke", "synchronization.read.all-auditlog.read.all")
        somebody.open("/")
        expect(somebody.page.get_by_role("heading", name="Sign in")).to_be_visible()
