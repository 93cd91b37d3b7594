"""Before the first cycle: are both systems as they should be, and how will they be used?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.workspace import Workspace
from tests.worlds.processes import Server


def change(workspace: Workspace, before: str, after: str) -> None:
    text = (workspace.folder / "provisor.yaml").read_text()
    assert before in text
    workspace.configure(text.replace(before, after))
    workspace.apply()


def test_a_probe_tells_of_both_sides_and_writes_nothing(workspace: Workspace) -> None:
    workspace.apply()

    told = workspace.provisor("probe", "people")

    assert told.code == 0, told.err
    assert "source: CSV files" in told.out
    assert "A whole read shows 5 Users, 1 Groups." in told.out
    assert "The credentials are accepted." in told.out
    assert "Changes are sent by PATCH" in told.out
    assert workspace.server.writes() == []
    assert workspace.server.says("User") == []


def test_a_probe_as_json_has_a_stable_form(workspace: Workspace) -> None:
    workspace.apply()

    told = workspace.provisor("probe", "people", "--json").json

    assert set(told) == {"source", "target"}
    assert told["target"]["isUsable"] is True
    assert told["target"]["system"] == workspace.server.url
    first = told["target"]["findings"][0]
    assert set(first) == {"topic", "code", "weight", "message", "remedy"}
    assert first["topic"] == "connection"


def test_what_is_wrong_is_told_with_its_code_and_the_way_out(workspace: Workspace) -> None:
    workspace.apply()
    (workspace.folder / "people.csv").unlink()
    workspace.environment["APP_TOKEN"] = "not the token"

    told = workspace.provisor("probe", "people")

    assert told.code == 5
    assert "people.csv cannot be read" in told.out
    assert "(SourceReadIncomplete)" in told.out
    assert "InvalidCredentials)" in told.out
    assert "not the token" not in told.out + told.err


@pytest.fixture
def legacy(workspace: Workspace) -> Iterator[Workspace]:
    """Return a workspace whose target understands only the older spelling of changes."""
    server = Server("tests.fakes.scim.server", "--obey", "--forget", "--switch", "dialect=legacy")
    try:
        change(workspace, workspace.server.url, str(server.greeting["url"]))
        yield workspace
    finally:
        server.stop()


TOKEN = 'token: "env:APP_TOKEN"'
TRIED = f"{TOKEN}, probeWrites: true, putFallback: false"


def test_what_trying_teaches_is_kept_and_used(legacy: Workspace) -> None:
    change(legacy, TOKEN, TRIED)

    told = legacy.provisor("probe", "people", "--json").json["target"]
    assert told["learned"] == {"patchStyle": "entra-legacy"}

    again = legacy.provisor("probe", "people", "--json").json["target"]
    assert again["learned"] == {}
    assert any("spelled as entra-legacy" in one["message"] for one in again["findings"])

    assert legacy.run().code == 0
    legacy.edit("ada", displayName="Countess")
    ended = legacy.run()
    assert ended.code == 0, ended.out


def test_what_was_learned_under_other_settings_is_not_used(legacy: Workspace) -> None:
    change(legacy, TOKEN, TRIED)
    legacy.provisor("probe", "people")

    change(legacy, TRIED, f"{TOKEN}, putFallback: false")

    assert "spelled as rfc" in legacy.provisor("probe", "people").out
