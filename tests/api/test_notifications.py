"""Administrators hear of a quarantine by mail and webhook, once, from a server that is running."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.served import TENANT, command, serving, target, wait_until, workspace
from tests.fakes.hook import hook
from tests.fakes.mail import mail_server

SECRET = "only-we-two-know-this"
CONFIGURATION = """\
tenant:
  id: {tenant}
  notifications:
    sender: Provisor <provisor@example.com>
    recipients: [it@example.com]
    domains: [example.org]
    smtp: {{host: 127.0.0.1, port: {port}, security: none}}
    webhook: {{url: "{url}", secret: "file:hook.secret"}}
applications:
  people:
    source: {{connector: csv, settings: {{users: people.csv, settleFor: 0}}}}
    target: {{connector: scim, settings: {{baseAddress: "{target}", token: wrong}}}}
jobs:
  people: {{application: people}}
"""


def test_a_quarantine_is_told_once_by_mail_and_webhook(tmp_path: Path) -> None:
    with mail_server() as mail, hook(SECRET) as receiver, target() as scim:
        token = workspace(tmp_path, scim)
        text = CONFIGURATION.format(
            tenant=TENANT, port=mail.port, url=receiver.url, target=scim.greeting["url"]
        )
        (tmp_path / "hook.secret").write_text(f"{SECRET}\n", encoding="utf-8")
        (tmp_path / "provisor.yaml").write_text(text, encoding="utf-8")
        command(tmp_path, "apply", str(tmp_path / "provisor.yaml"))
        with serving(tmp_path, scim, token) as served:
            found = served.get("/v1.0/servicePrincipals").json["value"][0]["id"]
            sync = f"/v1.0/servicePrincipals/{found}/synchronization"
            asked = "boss@example.org;eve@example.net"
            put = [
                {"key": "BaseAddress", "value": served.target_url},
                {"key": "SecretToken", "value": "wrong"},
                {
                    "key": "SyncNotificationSettings",
                    "value": json.dumps({"Enabled": True, "Recipients": asked}),
                },
            ]
            refused = served.put(f"{sync}/secrets", {"value": put})
            assert (refused.status, refused.error["code"]) == (400, "RecipientNotAllowed")
            assert "example.net" in refused.error["message"]
            put[2]["value"] = json.dumps({"Enabled": True, "Recipients": "boss@example.org"})
            assert served.put(f"{sync}/secrets", {"value": put}).status == 204

            job = f"{sync}/jobs/{served.get(f'{sync}/jobs').json['value'][0]['id']}"
            assert served.post(f"{job}/start").status == 204
            wait_until(lambda: served.get(job).json["status"]["code"] == "Quarantine")
            wait_until(lambda: receiver.got and len(mail.mails) == 2)

        with serving(tmp_path, scim, token) as served:
            assert served.get(job).json["status"]["code"] == "Quarantine"
        (told,) = receiver.got
        assert told["kind"] == "quarantined"
        assert told["job"]["name"] == "people"
        assert sorted(mail.receivers) == ["boss@example.org", "it@example.com"]
        assert "wrong" not in mail.mails[0][1].get_content()
