"""Nobody is removed for a faulty file on any other path either; and who has really left, goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from provisor.graph import templates
from tests.endtoend.site import JOB, Site
from tests.endtoend.spoiling import Spoil, cut, cut_after_a_row, nobody_is_touched, spoil

MakeSite = Callable[..., Site]
SCOPES = (
    "None",
    "Watermark",
    "Escrows",
    "QuarantineState",
    "QuarantineState,Watermark,Escrows",
    "ForceDeletes",
    "ConnectorDataStore",
    "Full",
)
FAULTS: dict[str, Spoil] = {
    "cut": cut(0.5),
    "cut after a row": cut_after_a_row(0.5),
    "empty": lambda _: b"",
    "missing": lambda _: None,
}
TEMPLATE = Path(templates.__path__[0]) / "scim.json"


@pytest.fixture
def arrived(before_hard: MakeSite) -> Site:
    """Return a site before our server, all arrived; fresh for each test."""
    site = before_hard()
    site.run()
    return site


def heals(site: Site) -> None:
    """The files are whole again: who has left meanwhile is disabled, and nobody else."""
    everybody = site.active()
    left = site.company.some(2)
    site.company.dismiss(*left)

    site.run()

    assert site.active() == everybody - set(left)
    site.is_as_the_files_say()
    site.is_quiet()


@pytest.mark.parametrize("fault", ["cut", "cut after a row"])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_restart_of_any_scope_removes_nobody(arrived: Site, scope: str, fault: str) -> None:
    before = arrived.picture()
    arrived.ends(0, "restart", JOB, "--scope", scope, "--yes")
    spoil(arrived, "people.csv", FAULTS[fault])

    arrived.run(5)
    arrived.run(5)

    assert arrived.picture() == before
    arrived.company.write()
    arrived.run()
    assert arrived.picture() == before
    heals(arrived)


@pytest.mark.parametrize("file", ["people.csv", "groups.csv", "members.csv"])
@pytest.mark.parametrize("fault", ["cut", "empty", "missing"])
def test_a_reconcile_removes_nobody(arrived: Site, file: str, fault: str) -> None:
    with nobody_is_touched(arrived):
        spoil(arrived, file, FAULTS[fault])

        arrived.ends(5, "reconcile", JOB)

    heals(arrived)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_saved_plan_removes_nobody_who_was_not_in_it(arrived: Site, fault: str) -> None:
    (left,) = arrived.company.some(1)
    everybody = arrived.active()
    arrived.company.dismiss(left)
    arrived.company.edit(*arrived.company.some(2), job_title="Geplant")
    arrived.plan()
    spoil(arrived, "people.csv", FAULTS[fault])

    arrived.ends(5, "run", JOB, "--plan", "plan.json")

    assert arrived.active() == everybody
    arrived.company.write()
    arrived.run()
    assert arrived.active() == everybody - {left}
    heals(arrived)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plan_made_of_a_faulty_file_removes_nobody(arrived: Site, fault: str) -> None:
    with nobody_is_touched(arrived):
        spoil(arrived, "people.csv", FAULTS[fault])
        planned = arrived.provisor("plan", JOB, "--out", "plan.json")
        assert planned.code == 5, planned.told
        assert "would fail" in planned.out

        arrived.ends(5, "run", JOB, "--plan", "plan.json")

    heals(arrived)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_edited_schema_removes_nobody(arrived: Site, fault: str) -> None:
    before = arrived.active()
    spoil(arrived, "people.csv", FAULTS[fault])
    edited = edited_schema(arrived.folder, "title", 'Join(" – ", [jobTitle], "extern")')
    arrived.configure(f"schema: {edited.name}")

    arrived.run(5)

    assert arrived.active() == before
    arrived.company.write()
    arrived.run()
    said = {id: user.get("title") for id, user in arrived.users().items()}
    wanted = {id: f"{arrived.company.people[id].job_title} – extern" for id in said}
    assert said == wanted
    assert arrived.active() == before
    mark = arrived.mark
    arrived.run()
    assert arrived.sent(mark) == []


def edited_schema(folder: Path, target: str, expression: str) -> Path:
    """Write the usual schema with another expression for one attribute."""
    document = json.loads(TEMPLATE.read_text("utf-8"))["schema"]
    for rule in document["synchronizationRules"]:
        for mapping in rule["objectMappings"]:
            for attribute in mapping["attributeMappings"]:
                if attribute["targetAttributeName"] == target:
                    attribute["source"] = {"type": "Function", "expression": expression}
    file = folder / "edited.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_a_file_that_is_being_written_is_waited_for(arrived: Site) -> None:
    """Somebody writes it in place, piece by piece, each ending in the middle of a row."""
    whole, file = arrived.company.text("people.csv"), arrived.folder / "people.csv"
    before, ends = arrived.picture(), threading.Event()

    def write() -> None:
        with file.open("wb", buffering=0) as written:
            for begin in range(0, len(whole), 400):
                written.write(whole[begin : begin + 400])
                ends.wait(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    ended = arrived.provisor("run", JOB)
    writer.join()

    assert ended.code in (0, 5), ended.told
    assert arrived.picture() == before
    heals(arrived)


def test_a_file_that_never_stops_growing_is_not_believed(arrived: Site) -> None:
    with nobody_is_touched(arrived):
        spoil(arrived, "people.csv", cut(0.5))
        ends = threading.Event()

        def grow() -> None:
            with (arrived.folder / "people.csv").open("ab", buffering=0) as grown:
                while not ends.wait(0.001):
                    grown.write("ö".encode())

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            ended = arrived.run(5)
        finally:
            ends.set()
            writer.join()
        assert "people.csv" in ended.out

    heals(arrived)


def test_a_row_that_is_damaged_holds_back_all_departures_and_is_named(arrived: Site) -> None:
    everybody = arrived.active()
    left, damaged = arrived.company.some(2)
    arrived.company.dismiss(left)
    whole = arrived.company.text("people.csv").decode()
    line = next(n for n, row in enumerate(whole.splitlines(), 1) if row.startswith(damaged))
    broken = whole.replace(f"\n{damaged},", f"\n{damaged},surplus,", 1)
    arrived.company.put("people.csv", broken.encode())

    arrived.run(3)

    assert arrived.active() == everybody
    assert f"people.csv, line {line}" in arrived.ends(0, "escrows", JOB).out
    arrived.company.write()
    arrived.run()
    assert arrived.active() == everybody - {left}


def test_a_manifest_finds_out_that_a_few_rows_are_missing(before_hard: MakeSite) -> None:
    site = before_hard()
    names = ("people.csv", "groups.csv", "members.csv")
    rows = {name: {"rows": site.company.text(name).count(b"\n") - 1} for name in names}
    manifest = {"files": rows}
    (site.folder / "manifest.json").write_text(json.dumps(manifest))
    yaml = (site.folder / "provisor.yaml").read_text()
    (site.folder / "provisor.yaml").write_text(
        yaml.replace("settleFor: PT0S", "settleFor: PT0S\n        manifest: manifest.json")
    )
    site.ends(0, "apply", "provisor.yaml")
    site.run()

    with nobody_is_touched(site):
        spoil(site, "people.csv", lambda whole: whole[: whole.rindex(b"\n", 0, -1) + 1])

        ended = site.run(5)

        assert "people.csv" in ended.out


def test_the_third_faulty_read_in_a_row_quarantines_the_job_and_a_whole_one_frees_it(
    arrived: Site,
) -> None:
    how: Spoil = cut(0.3)
    with nobody_is_touched(arrived):
        spoil(arrived, "people.csv", how)
        for _ in range(3):
            arrived.run(5)

    status = arrived.status()
    assert status["code"] == "Quarantine"
    assert status["quarantine"]["reason"] == "IngestionInterrupted"
    assert "people.csv, line" in status["quarantine"]["error"]["message"]
    heals(arrived)
    assert arrived.status()["code"] == "Active"
