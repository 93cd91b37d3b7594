"""Who types what the pages show, page after page, arrives where they say.

Only two things are put in the place of what is written: the address of an application that there
is not, and folders outside the one of the test.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from provisor.graph.schema.document import write_schema
from provisor.graph.templates import template
from tests.api.served import TARGET_TOKEN, target
from tests.docs.pages import blocks
from tests.docs.walking import followed

ADDRESS = "https://app.example.com/scim/v2"
PEOPLE = (
    "id,userName,givenName,familyName,displayName,mail,department,jobTitle,manager,accountEnabled\n"
    "1,ada@example.com,Ada,Lovelace,Ada Lovelace,ada@example.com,Engines,Analyst,,true\n"
    "2,bob@example.com,Bob,Ross,Bob Ross,bob@example.com,Painting,Teacher,1,true\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with people and a schema as Graph would export it."""
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    found = template("scim")
    assert found is not None
    (tmp_path / "exported-schema.json").write_bytes(write_schema(found.schema))
    return tmp_path


def test_a_migration_takes_over_who_is_there(folder: Path) -> None:
    with target() as scim:
        url = str(scim.greeting["url"])
        scim_users = {"userName": "ada@example.com", "displayName": "As it was before"}
        create(url, scim_users)
        said = followed("docs/migration.md", folder, {ADDRESS: url}, blocks)
        held = scim.ask("resources")

    assert "0 changes, nothing sent" in said
    names = [str(user["userName"]) for user in cast(list[dict[str, object]], held["Users"])]
    assert sorted(names) == ["ada@example.com", "bob@example.com"]


def test_the_how_tos_work_one_after_the_other(folder: Path) -> None:
    """The first job, a token for Prometheus, a backup, a new key, a store that is lost."""
    (folder / "groups.csv").write_text("id,displayName\ng1,Engines\n", encoding="utf-8")
    (folder / "members.csv").write_text("group,member\ng1,1\n", encoding="utf-8")
    (folder / "app.token").write_text(f"{TARGET_TOKEN}\n", encoding="ascii")
    (folder / "backups").mkdir()
    with target() as scim:
        instead = {
            ADDRESS: str(scim.greeting["url"]),
            "/srv/provisor": str(folder),
            "/backups/": f"{folder}/backups/",
        }
        first = followed("docs/howto/first-job.md", folder, instead)
        assert "2 created" in first or "people: Succeeded" in first
        assert "0 changes, nothing sent" in first
        kept = followed("docs/howto/keys-and-backups.md", folder, instead)
        assert "0 changes, nothing sent" in kept
        assert list((folder / "backups").glob("provisor-*.db"))


def create(url: str, user: Mapping[str, str]) -> None:
    """Have an account in the application, made by somebody else."""
    import json
    import urllib.request

    request = urllib.request.Request(
        f"{url}/Users",
        data=json.dumps(user).encode(),
        headers={
            "Authorization": f"Bearer {TARGET_TOKEN}",
            "Content-Type": "application/scim+json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201
