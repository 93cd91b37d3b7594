"""Administrators hear of a quarantine by mail and webhook, once, from a server that is running."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisor.cli.places import STORE
from tests.api.served import TENANT, command, serving, target, wait_until, workspace
from tests.fakes.hook import hook
from tests.fakes.mail import mail_server
from tests.unit.graph.test_expiring_credentials import jwt

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
    target: {{connector: scim, settings: {{baseAddress: "{target}", token: "{token}"}}}}
jobs:
  people: {{application: people}}
"""


def test_a_quarantine_is_told_once_by_mail_and_webhook(tmp_path: Path) -> None:
    with mail_server() as mail, hook(SECRET) as receiver, target() as scim:
        token = workspace(tmp_path, scim)
        text = CONFIGURATION.format(
            tenant=TENANT,
            port=mail.port,
            url=receiver.url,
            target=scim.greeting["url"],
            token="wrong",
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


def test_what_expires_soon_is_told_once_whoever_dies_in_between(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=5)
    with mail_server() as mail, hook(SECRET) as receiver, target() as scim:
        workspace(tmp_path, scim)
        text = CONFIGURATION.format(
            tenant=TENANT,
            port=mail.port,
            url=receiver.url,
            target=scim.greeting["url"],
            token=jwt(exp=int(soon.timestamp())),
        )
        (tmp_path / "hook.secret").write_text(f"{SECRET}\n", encoding="utf-8")
        (tmp_path / "provisor.yaml").write_text(text, encoding="utf-8")
        command(tmp_path, "apply", str(tmp_path / "provisor.yaml"))
        scope = ("--scope", "Synchronization.Read.All")
        for name, lasts in (("terraform", "P100D"), ("late", "PT1H")):
            command(tmp_path, "token", "create", name, *scope, "--expires", lasts)
        with serving(tmp_path, scim, "") as served:
            wait_until(lambda: len(receiver.got) == 1 and len(mail.mails) == 1)
            served.process.kill()
        text = text.replace("notifications:", "notifications:\n    credentialsExpireWithin: P30D")
        (tmp_path / "provisor.yaml").write_text(text, encoding="utf-8")
        command(tmp_path, "apply", str(tmp_path / "provisor.yaml"))
        for total, name in ((2, "pipeline"), (3, "script")):
            command(tmp_path, "token", "create", name, *scope, "--expires", "P20D")
            age(tmp_path, name, timedelta(days=30))
            with serving(tmp_path, scim, "") as served:
                wait_until(lambda: len(receiver.got) >= total)  # noqa: B023
                wait_until(lambda: len(mail.mails) >= total)  # noqa: B023
                served.process.kill()
        credentials, key, _ = receiver.got
        assert (credentials["kind"], credentials["whose"]) == ("credentialsExpire", "target")
        assert credentials["expires"] == soon.replace(microsecond=0).isoformat()
        assert (key["kind"], key["whose"], key["job"]) == ("keyExpires", "pipeline", None)
        assert [str(one["Subject"]).rpartition(" expire")[0] for _, one in mail.mails] == [
            "Provisor: the credentials of the job people",
            "Provisor: the API key pipeline",
            "Provisor: the API key script",
        ]


def age(folder: Path, key: str, by: timedelta) -> None:
    """Have an API key made earlier than it was."""
    with closing(sqlite3.connect(folder / STORE)) as store, store:
        where = "WHERE owner = 'workspace' AND name = 'tokens'"
        ((content,),) = store.execute(f"SELECT content FROM document {where}")
        keys = json.loads(content)
        for one in keys:
            if one["name"] == key:
                one["created"] = (datetime.fromisoformat(one["created"]) - by).isoformat()
        store.execute(f"UPDATE document SET content = ? {where}", (json.dumps(keys).encode(),))
