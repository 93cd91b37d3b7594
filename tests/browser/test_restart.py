"""What pages do while the server under them goes away and comes back."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api.served import PATIENCE_S, serving, target, workspace
from tests.browser.browser import person


def test_a_page_says_that_the_server_is_gone_and_goes_on_when_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with target() as scim:
        token = workspace(tmp_path, scim)
        with (
            serving(tmp_path, scim, token, "--port", port) as served,
            person(browser, served) as somebody,
        ):
            somebody.sign_in(token)
            somebody.open_job("people")
            expect(somebody.page.locator("#trouble")).to_be_hidden()

            served.process.send_signal(signal.SIGTERM)
            served.process.wait(PATIENCE_S)
            somebody.reads("The server cannot be reached.")
            assert "Nothing was read or written." in somebody.told()

            with serving(tmp_path, scim, token, "--port", port) as again:
                expect(somebody.page.locator("#trouble")).to_be_hidden(timeout=PATIENCE_S * 1000)
                # The session goes on, and the page hears again what happens.
                principal, job = somebody.page.url.rsplit("/", 2)[1:]
                at = f"/v1.0/servicePrincipals/{principal}/synchronization/jobs/{job}"
                assert again.post(f"{at}/start").status == 204
                somebody.reads("of 2 decided")
                somebody.press("Pause")
                somebody.reads("The job is paused.")

                # What was typed is not sent to a server that is gone, and stays.
                somebody.open_job("people", "/mappings/0.0/attribute?target=displayName")
                somebody.page.get_by_label("Default, where there is no value").fill("Nobody")
                somebody.page.locator(".cm-content").click()
                somebody.page.keyboard.press("Control+a")
                somebody.page.keyboard.insert_text("[givenName]")
                again.process.send_signal(signal.SIGTERM)
                again.process.wait(PATIENCE_S)
                somebody.press("See what would change")
                somebody.reads("Nothing was sent, and what you typed stays here")
                default = somebody.page.get_by_label("Default, where there is no value")
                expect(default).to_have_value("Nobody")
                expect(somebody.page.locator(".cm-content")).to_have_text("[givenName]")

            # It notices by itself that the server is back, and what was typed is sent as it is.
            with serving(tmp_path, scim, token, "--port", port) as last:
                expect(somebody.page.locator("#trouble")).to_be_hidden(timeout=PATIENCE_S * 1000)
                expect(default).to_have_value("Nobody")
                somebody.press("See what would change")
                somebody.page.get_by_role("button", name="Save").click()
                somebody.reads("The mappings are saved.")
                somebody.open_job("people")

                # A button alone leaves no page either, and is not pressed by itself later.
                last.process.send_signal(signal.SIGTERM)
                last.process.wait(PATIENCE_S)
                somebody.press("Start")
                somebody.reads("Nothing was sent, and what you typed stays here")
            with serving(tmp_path, scim, token, "--port", port) as end:
                expect(somebody.page.locator("#trouble")).to_be_hidden(timeout=PATIENCE_S * 1000)
                assert end.get(at).json["status"]["code"] == "Paused"
                somebody.press("Start")
                somebody.reads("The job is started.")
