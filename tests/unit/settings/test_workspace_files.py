"""A workspace file says what it asks for, or everything that is wrong with it, with line and way
out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.files import JOB, problems, read_text


def test_the_shortest_file_is_one_job_with_an_application_of_its_own(tmp_path: Path) -> None:
    wanted = read_text(JOB, tmp_path).configuration

    assert wanted.applications["people"].leaves == {
        "source.connector": "csv",
        "source.settings.users": "people.csv",
        "target.connector": "scim",
        "target.settings.baseAddress": "https://app.example.com/scim",
        "target.settings.token": "env:TOKEN",
    }
    assert wanted.jobs["people"].leaves == {"application": "people"}


def test_connections_and_applications_may_stand_by_themselves(tmp_path: Path) -> None:
    text = """\
tenant: {displayName: Contoso, defaultDomain: contoso.com}
connections:
  hr: {connector: csv, settings: {users: people.csv}}
  app: {connector: scim, settings: {baseAddress: "https://app.example.com", token: "env:TOKEN"}}
applications:
  wiki:
    displayName: The wiki
    source: hr
    target: app
    syncAll: false
    assignments: [e1, "Group:g1"]
jobs:
  people: {application: wiki, schedule: PT5M, canaries: [e1], deleteAfter: never}
"""

    wanted = read_text(text, tmp_path).configuration

    assert wanted.tenant == {"displayName": "Contoso", "defaultDomain": "contoso.com"}
    assert wanted.applications["wiki"].leaves["assignments"] == ["User:e1", "Group:g1"]
    assert wanted.applications["wiki"].leaves["source.settings.users"] == "people.csv"
    assert wanted.jobs["people"].leaves == {
        "application": "wiki",
        "schedule": "PT5M",
        "canaries": ["User:e1"],
        "deleteAfter": "never",
    }


def test_all_problems_are_told_at_once_each_with_its_line_and_a_way_out(tmp_path: Path) -> None:
    text = """\
jobs:
  people:
    sorce: {connector: csv}
    source: {connector: cvs, settings: {users: people.csv}}
    target:
      connector: scim
      settings: {baseAddress: "http://app.example.com", tokn: x}
    syncAll: perhaps
    schedule: PT10S
    guards: {departures: {percent: 120}}
"""

    found = problems(text, tmp_path)

    assert found == [
        "3: jobs.people.sorce: there is no such key; did you mean source?",
        "8: jobs.people.syncAll: is to be true or false",
    ]
    mended = text.replace("    sorce: {connector: csv}\n", "").replace("perhaps", "true")
    assert problems(mended, tmp_path) == [
        "3: jobs.people.source.connector: there is no connector cvs; did you mean csv?",
        (
            "6: jobs.people.target.settings.baseAddress: is plain http, which shows the "
            "credentials to everybody: use https, or set allowInsecure"
        ),
        "6: jobs.people.target.settings.tokn: is not a setting of SCIM services",
        "8: jobs.people.schedule: cannot be shorter than PT1M",
        "9: jobs.people.guards.departures.percent: is to lie between 0 and 100",
    ]


TOLD = "tenant:\n  notifications: "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("jobs: [", "1: it is no YAML: "),
        ("jobs: {}\njobs: {}\n", '2: found duplicate key "jobs"; remove one'),
        ("- jobs\n", "1: it is to be a mapping with keys such as `jobs:`"),
        ("jobs:\n  people: 3\n", "2: jobs.people: is to be a mapping"),
        ("jobs:\n  'a b': {application: x}\n", "2: jobs.a b: a name has up to 64 letters"),
        ("tenant: {id: x}\n", "1: tenant.id: is to be a UUID"),
        (TOLD + "{smtp: {host: h}}\n", "2: tenant.notifications.sender: is missing"),
        (TOLD + '{sender: "a@x.y\\nBcc: b@x.y"}\n', "2: tenant.notifications.sender: is to be"),
        (TOLD + '{recipients: ["a@x.y\\r\\nb"]}\n', "2: tenant.notifications.recipients: 'a@x.y"),
        (TOLD + "{domains: ['*']}\n", "2: tenant.notifications.domains: '*' is no domain"),
        (
            TOLD + "{sender: a@x.y, smtp: {host: h, password: plain}}\n",
            "2: tenant.notifications.smtp.password: is to be env:NAME or file:PATH",
        ),
        (
            TOLD + "{sender: a@x.y, smtp: {host: h, security: none, password: 'env:P'}}\n",
            "2: tenant.notifications.smtp.security: none would send the password in the open",
        ),
        (
            TOLD + "{webhook: {url: 'http://x.y/', secret: 'env:S'}}\n",
            "2: tenant.notifications.webhook.url: is to begin with https://",
        ),
        (TOLD + "{credentialsExpireWithin: soon}\n", "2: tenant.notifications.credentials"),
        ("jobs:\n  people: {application: x}\n", "2: jobs.people.application: there is no such"),
        ("jobs:\n  people: {schedule: PT5M}\n", "2: jobs.people: names neither an application"),
        ("jobs:\n  people: {syncAll: true}\n", "2: jobs.people: the key source is missing"),
        (JOB + "    template: scmi\n", "7: jobs.people.template: there is no template scmi; did"),
        (JOB + "    assignments: [e1]\n", "7: jobs.people.assignments: says who is assigned, but"),
        (JOB + "    deleteAfter: soon\n", "7: jobs.people.deleteAfter: is to be a duration"),
        (JOB + "    targetReads: never\n", "7: jobs.people.targetReads: is to be one of inDoubt"),
        (JOB + "    schema: x.json\n", "7: jobs.people.schema: the schema"),
        (JOB + "    settings: {A: [1]}\n", "7: jobs.people.settings.A: is to be a text"),
        (JOB + "    settings: {Wrong: x}\n", "7: jobs.people.settings.Wrong: is wrong"),
        (JOB + "    schedule: 5\n", "7: jobs.people.schedule: is to be a text; put it in quotes"),
        (JOB.replace("scim\n", "csv\n"), "5: jobs.people.target.connector: csv cannot be a target"),
        (JOB.replace("settings: {users: people.csv}", ""), "3: jobs.people.source.settings"),
    ],
)
def test_a_file_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    found = problems(text, tmp_path)

    assert any(one.lstrip(" ").startswith(problem) for one in found), found


def test_two_jobs_cannot_provision_the_same_application(tmp_path: Path) -> None:
    text = JOB + "  again: {application: wiki}\n  more: {application: wiki}\n"
    text += "applications:\n  wiki: {source: hr, target: app}\n"
    text += "connections:\n  hr: {connector: csv, settings: {users: p.csv}}\n"
    text += '  app: {connector: scim, settings: {baseAddress: "https://a.example", token: x}}\n'

    (problem,) = problems(text, tmp_path)

    assert problem == (
        "8: jobs.more.application: the job again provisions this application already; give this "
        "job an application of its own"
    )


def test_what_belongs_to_the_application_is_not_said_at_a_job_that_names_one(
    tmp_path: Path,
) -> None:
    text = "jobs:\n  people: {application: wiki, syncAll: false}\n"

    found = problems(text, tmp_path)

    assert (
        "2: jobs.people.syncAll: belongs to the application; say it at applications.wiki" in found
    )


def test_what_is_wrong_in_a_schema_names_the_schema(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("wrong")

    (problem,) = problems(JOB + "    schema: own.json\n", tmp_path)

    assert problem == f"{tmp_path / 'own.json'}: rules[0]: it is wrong"


def test_a_schema_that_is_the_templates_own_is_nothing_to_remember(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("the template's")

    wanted = read_text(JOB + "    schema: own.json\n", tmp_path)

    assert "schema" not in wanted.configuration.jobs["people"].leaves
    assert wanted.files == ("own.json",)


def test_a_reference_that_leads_nowhere_is_a_warning_and_no_reason_to_refuse(
    tmp_path: Path,
) -> None:
    wanted = read_text(JOB, tmp_path, environment={})

    (warning,) = wanted.warnings
    assert str(warning).endswith(
        "provisor.yaml:6: jobs.people.target.settings.token: the environment variable TOKEN is "
        "not set; export it where this runs"
    )


def test_a_literal_secret_is_kept_apart_and_stands_nowhere_else(tmp_path: Path) -> None:
    wanted = read_text(JOB.replace("env:TOKEN", "hunter2hunter2"), tmp_path)

    assert wanted.secrets == {("people", "target.token"): "hunter2hunter2"}
    assert "hunter2" not in repr(wanted)
    leaf = wanted.configuration.applications["people"].leaves["target.settings.token"]
    assert str(leaf).startswith("sealed:")
    again = read_text(JOB.replace("env:TOKEN", "hunter2hunter2"), tmp_path)
    assert again.configuration == wanted.configuration
    other = read_text(JOB.replace("env:TOKEN", "hunter3hunter3"), tmp_path)
    assert other.configuration != wanted.configuration


def test_comments_and_anchors_of_yaml_are_understood(tmp_path: Path) -> None:
    text = """\
connections:
  hr: &hr {connector: csv, settings: {users: people.csv}}   # the export of the night
jobs:
  people:
    source: *hr
    target: {connector: scim, settings: {baseAddress: "https://a.example", token: "env:TOKEN"}}
"""

    wanted = read_text(text, tmp_path).configuration

    assert wanted.applications["people"].leaves["source.connector"] == "csv"


def test_settings_are_always_text(tmp_path: Path) -> None:
    text = JOB + "    settings: {SkipOutOfScopeDeletions: true, Threshold: 500, Name: x}\n"

    leaves = read_text(text, tmp_path).configuration.jobs["people"].leaves

    assert leaves["settings.SkipOutOfScopeDeletions"] == "True"
    assert leaves["settings.Threshold"] == "500"
    assert leaves["settings.Name"] == "x"


def test_what_holds_anyway_is_not_remembered(tmp_path: Path) -> None:
    text = JOB + "    schedule: PT40M\n    guards: {departures: {percent: 20, floor: 10}}\n"

    job = read_text(text, tmp_path).configuration.jobs["people"]

    assert job.leaves == {"application": "people"}
    assert job.has_schedule
