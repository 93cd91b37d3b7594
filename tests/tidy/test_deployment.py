"""What is handed out to operate it with speaks of what is there, and is read by its own readers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
import pytest
from ruamel.yaml import YAML

from provisor.cli.main import provisor as cli
from provisor.telemetry.catalog import BY_NAME, METRICS, Kind
from tests.tidy.repository import ROOT, files, text

DASHBOARDS = [name for name in files() if name.startswith("deploy/grafana/")]
RULES = [name for name in files() if re.match(r"deploy/prometheus/\w+\.yml", name)]
PAGE = "docs/howto/watch-it.md"
NAME = re.compile(r"\bprovisor_[a-z_]+\b")


def expressions(value: object) -> Iterator[str]:
    """Yield every query in a dashboard."""
    if isinstance(value, dict):
        for key, inner in cast(dict[str, object], value).items():
            if key in ("expr", "query") and isinstance(inner, str):
                yield inner
            else:
                yield from expressions(inner)
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            yield from expressions(inner)


def unknown(found: set[str]) -> set[str]:
    """Return the names that nothing is collected under."""
    histograms = {one.name for one in METRICS if one.kind is Kind.HISTOGRAM}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    return found - (set(BY_NAME) - histograms) - parts


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_shows_what_is_measured(name: str) -> None:
    found = {m for query in expressions(json.loads(text(name))) for m in NAME.findall(query)}
    assert found
    assert not unknown(found)


@pytest.mark.parametrize("name", RULES)
def test_an_alert_looks_at_what_is_measured(name: str) -> None:
    found = set(NAME.findall(text(name)))
    assert found
    assert not unknown(found)


def test_every_measure_and_every_alert_is_explained() -> None:
    page = text(PAGE)
    rows = set(re.findall(r"^\| `(provisor_\w+)` \|", page, re.MULTILINE))
    assert rows == set(BY_NAME)
    alerts = re.findall(r"- alert: (\w+)", text("deploy/prometheus/alerts.yml"))
    assert len(alerts) == len(set(alerts))
    assert set(re.findall(r"^\| `(Provisor\w+)` \|", page, re.MULTILINE)) == set(alerts)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "deploy/prometheus/alerts.yml"),
        ("test", "rules", "deploy/prometheus/alerts.test.yml"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_prometheus_takes_the_rules_and_they_fire_when_they_should(
    arguments: tuple[str, ...],
) -> None:
    said = subprocess.run(
        ["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr


# how it is run: units, container, chart


UNITS = [name for name in files() if name.startswith("deploy/systemd/")]
CHART = "deploy/helm/provisor"
TEMPLATES = [n for n in files() if n.startswith(f"{CHART}/templates/") and n.endswith(".yaml")]
ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)


def loaded(content: str) -> dict[str, Any]:
    """Return what YAML says."""
    return cast(dict[str, Any], cast(Any, YAML(typ="safe")).load(content))


def shown_options(line: str) -> list[str]:
    return re.findall(r"--[a-z][a-z-]+", line)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        content = text(name).replace("/opt/provisor/bin/provisor", "/bin/true")
        (tmp_path / Path(name).name).write_text(content, encoding="utf-8")
    units = [str(tmp_path / Path(n).name.replace("@.", "@people.")) for n in UNITS]
    shutil.copy(tmp_path / "provisor@.service", tmp_path / "provisor@people.service")
    said = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    # What is wrong with units of the machine itself is not ours to mend.
    ours = [line for line in said.stderr.splitlines() if "provisor" in line]
    assert not ours, "\n".join(ours)


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_whatever_runs_knows_which_store_it_is(name: str) -> None:
    assert "EnvironmentFile=-/etc/provisor/" in text(name)


def options_of(command: str) -> set[str]:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None, f"there is no command {command}"
    return {option for parameter in found.params for option in parameter.opts}


def test_units_container_and_chart_start_what_there_is() -> None:
    places = [*UNITS, "deploy/container/compose.yaml", f"{CHART}/templates/statefulset.yaml"]
    for name in places:
        for line in text(name).splitlines():
            started = re.match(r"ExecStart=.*bin/provisor (\w+)(.*)", line)
            if started:
                assert set(shown_options(started[2])) <= options_of(started[1]), line
            elif re.match(r"\s*(- --|command: \[serve)", line):
                assert set(shown_options(line)) <= options_of("serve"), line


def test_an_image_holds_what_the_lock_pins_and_nobody_is_root_in_it() -> None:
    recipe = text("deploy/container/Containerfile")
    assert "--constraint constraints.txt" in recipe
    assert re.search(r"^USER (?!0\b|root\b)\d+$", recipe, re.MULTILINE)
    assert recipe.index("USER 10001") < recipe.index("ENTRYPOINT")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
    composed = loaded(text("deploy/container/compose.yaml"))
    service = composed["services"]["provisor"]
    assert (ROOT / "deploy/container" / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).exists()


def test_the_chart_uses_only_values_and_parts_that_there_are() -> None:
    """What can be seen without the tool itself; where it is installed it has the last word."""
    values = loaded(text(f"{CHART}/values.yaml"))
    helpers = text(f"{CHART}/templates/_helpers.tpl")
    defined = set(re.findall(r'define "([\w.]+)"', helpers))
    for name in (*TEMPLATES, f"{CHART}/templates/_helpers.tpl"):
        actions = ACTION.findall(text(name))
        depth = 0
        for action in actions:
            word = action.split()[0]
            depth += word in ("if", "with", "range", "define")
            depth -= word == "end"
            assert depth >= 0, f"{name}: one end too many"
            assert {*re.findall(r'include "([\w.]+)"', action)} <= defined, f"{name}: {action}"
            for path in re.findall(r"\.Values((?:\.\w+)+)", action):
                held: Any = values
                for key in path.strip(".").split("."):
                    assert key in held, f"{name}: no value {path}"
                    held = cast(dict[str, Any], held)[key]
        assert depth == 0, f"{name}: an end is missing"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_yaml_around_its_actions(name: str) -> None:
    lines = [line for line in text(name).splitlines() if not re.match(r"\s*\{\{-.*\}\}\s*$", line)]
    made = loaded(ACTION.sub("x", "\n".join(lines)))
    assert {"apiVersion", "kind", "metadata"} <= set(made)


@pytest.mark.skipif(not shutil.which("helm"), reason="helm is not installed")
def test_helm_lints_and_renders_the_chart(tmp_path: Path) -> None:
    given = ["--set", "secretName=s,tls.secretName=t", "--set", "configuration=jobs: {}"]
    for arguments in (["lint", "--strict", CHART], ["template", "people", CHART]):
        said = subprocess.run(
            ["helm", *arguments, *given], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr


def test_the_chart_has_the_products_version() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert f'appVersion: "{project["version"]}"' in text(f"{CHART}/Chart.yaml")
