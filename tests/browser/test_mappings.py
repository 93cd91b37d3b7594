"""A mapping is changed safely: tried on a real person, weighed, saved, and carried out."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api.served import serving, target, wait_until, workspace
from tests.browser.browser import Person, person


def test_a_mapping_is_tried_weighed_saved_and_carried_out(browser: Browser, tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served, person(browser, served) as somebody:
            somebody.sign_in(token)
            somebody.open_job("people")
            somebody.press("Start")
            wait_until(lambda: len(served.users()) == 2)

            somebody.open_job("people", "/mappings")
            assert not somebody.barriers()
            somebody.page.get_by_role("link", name="Change displayName").first.click()
            _what_is_wrong_is_told_in_its_place(somebody)
            _typed(somebody, 'Join(", ", [surname], [givenName])')
            somebody.page.get_by_label("Try it on").press_sequentially("ada exa")
            somebody.page.locator("#picks").get_by_role("button", name="Ada Example").click()
            somebody.reads("Example, Ada")
            somebody.comes_to_rest()
            somebody.press("Keep this as a test")
            somebody.reads("displayName of Ada Example")
            assert not somebody.barriers()

            # The test goes along with every letter, and says what comes out instead.
            _typed(somebody, 'Join(" & ", [surname], [givenName])')
            somebody.reads("expected Example, Ada, found Example & Ada")
            _typed(somebody, 'Join(", ", [surname], [givenName])')
            expect(somebody.page.locator("#tests")).to_contain_text("passes")

            somebody.press("See what would change")
            somebody.reads("The only test passes.")
            somebody.reads("What would change if this were saved")
            somebody.reads("Get another value: 2 objects")
            assert "Ada Example → Example, Ada" in somebody.told()
            assert not somebody.barriers()
            somebody.press("Save, and change 2 objects")
            somebody.reads("The mappings are saved.")
            somebody.reads("1 test, all pass")

            somebody.open_job("people")
            somebody.press("Reconcile")
            wait_until(lambda: served.users()["ada@example.com"]["displayName"] == "Example, Ada")
            _a_test_that_would_fail_is_told_before(somebody)
            assert not somebody.complaints, somebody.complaints
            assert not somebody.elsewhere, somebody.elsewhere


def _a_test_that_would_fail_is_told_before(somebody: Person) -> None:
    """The whole schema is written as JSON: what is wrong has its place, what is not is weighed."""
    somebody.open_job("people", "/mappings")
    somebody.page.get_by_role("link", name="Edit the whole schema as JSON").click()
    whole = somebody.page.get_by_label("Schema, JSON")
    text = whole.input_value()
    assert not somebody.barriers()
    whole.fill(text.replace('"flowType": "Always"', '"flowType": "Sometimes"', 1))
    somebody.press("See what would change")
    somebody.reads("This cannot be saved")
    somebody.reads("synchronizationRules[0].objectMappings[0].attributeMappings")
    whole.fill(text.replace("[surname]", "[mail]"))
    somebody.press("See what would change")
    somebody.reads("1 test of 1 would fail")
    assert not somebody.barriers()
    somebody.page.get_by_role("link", name="Do not save").click()
    somebody.page.get_by_text("1 test, all pass").click()
    somebody.press("Remove the test displayName of Ada Example")
    somebody.reads("The test is gone.")


def _typed(somebody: Person, text: str) -> None:
    """Write an expression into the editor, in place of what is there."""
    editor = somebody.page.locator(".cm-content")
    editor.click()
    somebody.page.keyboard.press("Control+a")
    somebody.page.keyboard.insert_text(text)


def _what_is_wrong_is_told_in_its_place(somebody: Person) -> None:
    _typed(somebody, "Jion([givenName])")
    somebody.reads("there is no function Jion at character 1")
    expect(somebody.page.locator(".cm-lintRange-error")).to_have_text("J")
    expect(somebody.page.locator(".tok-attribute")).to_have_text("[givenName]")
    _typed(somebody, 'Join(" ", [surname], [givenNam])')
    somebody.reads("User of the source has no attribute 'givenNam'. Did you mean 'givenName'?")
    expect(somebody.page.locator(".cm-lintRange-error")).to_have_text("[")


def test_a_scoping_filter_says_who_would_leave_before_it_is_saved(
    browser: Browser, tmp_path: Path
) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served, person(browser, served) as somebody:
            somebody.sign_in(token)
            somebody.open_job("people")
            somebody.press("Start")
            wait_until(lambda: len(served.users()) == 2)
            somebody.reads("initial, ended")

            somebody.open_job("people", "/mappings/0.0/scope")
            assert not somebody.barriers()
            page = somebody.page
            page.get_by_label("Attribute").first.fill("givenName")
            page.get_by_label("Operator").first.select_option("EQUALS")
            page.get_by_label("Values, a line each").first.fill("Ada")
            somebody.press("See what would change")
            somebody.reads("Leave scope: disabled: 1 object")
            assert "Bob Example" in somebody.told()
            page.get_by_role("link", name="Do not save").click()
            somebody.reads("everybody; there is no scoping filter.")

            # A filter that cannot be is shown again with what is wrong.
            somebody.open_job("people", "/mappings/0.0/scope")
            page.get_by_label("Attribute").first.fill("nobodyHasThis")
            page.get_by_label("Values, a line each").first.fill("x")
            somebody.press("See what would change")
            somebody.reads("This cannot be saved")
            expect(page.get_by_label("Attribute").first).to_have_value("nobodyHasThis")
