"""What is handed out is whole, works where only it is installed, and is the same each time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from provisor.graph.troubleshooting import TROUBLES
from tests.docs.pages import blocks
from tests.docs.walking import followed
from tests.tidy.repository import ROOT, files

EPOCH = "1767225600"


def build(source: Path, outdir: Path) -> tuple[Path, Path]:
    """Build wheel and archive; return them."""
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(outdir), str(source)],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,), (archive,) = outdir.glob("*.whl"), outdir.glob("*.tar.gz")
    return wheel, archive


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("dist"))[0]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the commands of an environment in which the wheel is, and no checkout.

    What it needs comes from the environment of the tests: that it can be had is not asked here.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    (site / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    script = folder / "bin" / "provisor"
    python = folder / "bin" / "python"
    script.write_text(
        f"#!{python}\nfrom provisor.__main__ import main\n\nmain()\n", encoding="utf-8"
    )
    script.chmod(0o755)
    return folder / "bin"


def said(commands: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [commands / arguments[0], *arguments[1:]],
        cwd=commands,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_everything_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if ".dist-info/" not in name}
    ours = {name for name in files() if name.startswith("provisor/")}
    assert held == ours


def test_the_first_job_runs_where_only_the_wheel_is(installed: Path, tmp_path: Path) -> None:
    where = "import provisor.app, sys; sys.stdout.write(provisor.app.__file__)"
    assert said(installed, "python", "-c", where).startswith(str(installed.parent))

    told = followed("docs/quick-start.md", tmp_path, {}, blocks, commands=installed)

    assert "3 created" in told
    assert "people: Succeeded, initial cycle" in told
    assert "disable" in told.partition("people: Active")[2]


def test_templates_and_what_is_known_of_codes_are_there(installed: Path) -> None:
    script = (
        "import sys; from provisor.graph.templates import templates;"
        " from provisor.graph.troubleshooting import TROUBLES;"
        " sys.stdout.write(f'{len(templates())} {len(TROUBLES)}')"
    )
    shipped = [n for n in files() if n.startswith("provisor/graph/templates/") and "json" in n]
    assert said(installed, "python", "-c", script) == f"{len(shipped)} {len(TROUBLES)}"


def test_two_builds_are_the_same_to_the_byte(wheel: Path, tmp_path: Path) -> None:
    """... from another folder, with other times of files, by somebody with another umask."""
    copy = tmp_path / "elsewhere"
    for name in files():
        if name.startswith("provisor/") or "/" not in name:
            there = copy / name
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, there)
            os.utime(there, (1_000_000_000, 1_000_000_000))
    again, archive = build(copy, tmp_path / "first")
    assert again.read_bytes() == wheel.read_bytes()
    _, second = build(copy, tmp_path / "second")
    assert archive.read_bytes() == second.read_bytes()


def test_the_bill_of_materials_is_valid_and_names_what_is_pinned(tmp_path: Path) -> None:
    for name in ("first.json", "second.json"):
        subprocess.run([sys.executable, "scripts/sbom.py", tmp_path / name], cwd=ROOT, check=True)
    text = (tmp_path / "first.json").read_text(encoding="utf-8")

    assert text == (tmp_path / "second.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    made = json.loads(text)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    for one in made["components"]:
        name = one["purl"].removeprefix("pkg:pypi/").replace("@", "==")
        assert f"\n{name} " in lock, name
    assert {"SQLAlchemy", "cryptography", "psycopg"} <= {one["name"] for one in made["components"]}
