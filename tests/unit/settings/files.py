"""A workspace file in a folder, read as `apply` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provisor.settings.problems import Invalid
from provisor.settings.workspace import CheckedSchema, Definitions, Surroundings, Wanted
from provisor.settings.workspace import read_workspace as read

TENANT = "6f1c2f7e-5a53-4d5c-9d4a-0e8a1f6f9f10"
JOB = """\
jobs:
  people:
    source: {connector: csv, settings: {users: people.csv}}
    target:
      connector: scim
      settings: {baseAddress: "https://app.example.com/scim", token: "env:TOKEN"}
"""


def check_schema(content: bytes, definitions: Definitions) -> CheckedSchema:
    """Stand in for the real gate: whatever says `wrong` is."""
    if b"wrong" in content:
        return CheckedSchema(errors=("rules[0]: it is wrong",))
    return CheckedSchema(text=content.decode())


def surroundings(environment: Mapping[str, str] | None = None) -> Surroundings:
    return Surroundings(
        templates=("scim", "customappsso"),
        check_schema=check_schema,
        check_settings=lambda texts: {name: "is wrong" for name in texts if name == "Wrong"},
        template_schema=lambda _: "the template's",
        environment={"TOKEN": "t0ken"} if environment is None else environment,
    )


def read_text(text: str, folder: Path, environment: Mapping[str, str] | None = None) -> Wanted:
    """Return what a file with this text asks for. Raises Invalid."""
    file = folder / "provisor.yaml"
    file.write_text(text, encoding="utf-8")
    return read(file, surroundings(environment), TENANT)


def problems(text: str, folder: Path) -> list[str]:
    """Return what is wrong with a text: `line: path: message`."""
    try:
        read_text(text, folder)
    except Invalid as invalid:
        prefix = f"{folder / 'provisor.yaml'}:"
        return [str(problem).removeprefix(prefix) for problem in invalid.problems]
    return []
