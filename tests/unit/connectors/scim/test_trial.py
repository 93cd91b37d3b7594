"""Where a probe may write, it finds out by trying what a target makes of each way of writing."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.connectors.scim.probe import ScimProber
from provisor.model.directories import ProbeReport, Topic, Weight
from provisor.testing.world import Dice, SteppingClock
from tests.fakes.scim.server import running
from tests.fakes.scim.switches import Switches
from tests.unit.connectors.scim.stage import GROUP, USER, parsed


async def tried(chosen: dict[str, Any] | None = None, **switches: object) -> ProbeReport:
    """Probe a server that has these switches, and see that it is empty afterwards."""
    described = Switches(token="t0ken-t0ken")
    described.set(switches)
    async with running(described) as server:
        settings = parsed(server.url, token="t0ken-t0ken", probeWrites=True, **(chosen or {}))
        kinds = {"User": USER, "Group": GROUP}
        prober = ScimProber(settings, kinds, SteppingClock(), Dice())
        try:
            report = await prober.probe()
        finally:
            await prober.close()
        left = [len(one) for one in server.fake.store.resources.values()]
        assert sum(left) == 0 or switches.get("forbidden") == "DELETE"
        return report


def codes(report: ProbeReport, weight: Weight = Weight.ERROR) -> list[str]:
    return [one.code for one in report.findings if one.weight is weight]


async def test_a_target_that_follows_the_standard_teaches_nothing_new() -> None:
    report = await tried()
    assert report.is_usable
    assert dict(report.learned) == {}
    ways = {one.code for one in report.findings if one.topic is Topic.PERMISSIONS}
    assert ways == {"MayRead", "MayCreate", "MayUpdate", "MayChangeMembers", "MayDelete"}


async def test_a_target_that_takes_one_member_for_all_is_found_out() -> None:
    report = await tried({"memberRemoval": "array"}, array_removes_all=True)
    assert report.is_usable
    assert dict(report.learned) == {"memberRemoval": "filter"}


@pytest.mark.parametrize(
    ("dialect", "chosen", "works"),
    [("legacy", "rfc", "entra-legacy"), ("strict", "entra-legacy", "rfc")],
)
async def test_the_spelling_of_changes_that_a_target_understands_is_learned(
    dialect: str, chosen: str, works: str
) -> None:
    report = await tried({"patchStyle": chosen, "putFallback": False}, dialect=dialect)
    assert report.is_usable, report
    assert dict(report.learned) == {"patchStyle": works}
    writes = next(one for one in report.findings if one.code == "Writes")
    assert works in writes.message


async def test_a_target_without_patch_is_changed_by_putting_back() -> None:
    report = await tried(has_patch=False)
    assert "NoPatch" in codes(report, Weight.WARNING)
    assert "MayUpdate" in codes(report, Weight.OK)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_right_that_is_missing_is_named(method: str) -> None:
    report = await tried(forbidden=method)
    if method == "POST":
        assert codes(report) == ["InsufficientRights"]
    else:
        left = [one for one in report.findings if one.code == "ProbeObjectLeft"]
        assert len(left) == 3
        assert all("provisor-probe-" in one.message for one in left)


async def test_attributes_that_are_silently_dropped_say_so() -> None:
    """Some make the display name out of other attributes, and change well all the same."""
    report = await tried(drops=("displayName",))
    assert report.is_usable
    (lost,) = [one for one in report.findings if one.code == "AttributeNotKept"]
    assert "displayName" in lost.message
    report = await tried(drops=("displayName", "name", "title"))
    assert "UpdateWithoutEffect" in codes(report)
