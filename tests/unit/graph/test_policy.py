"""What administrators set beside the rules, from the file and from the API."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from provisor.graph.policy import JobOptions, Notifications, from_api, from_file
from provisor.model.entries import Anchor, EntryKey
from provisor.model.rules import DepartureLimits, Guards, Policy, TargetReads

SAFE = Policy(sync_all=False, skips_out_of_scope_deletions=True)


def options(**secrets: str) -> JobOptions:
    read, problems = from_api(SAFE, settings={}, secrets=secrets)
    assert problems == ()
    return read


def test_the_file_says_all_of_it() -> None:
    policy, problems = from_file(
        {
            "syncAll": False,
            "skipOutOfScopeDeletions": True,
            "relinkMissing": True,
            "deleteReleased": True,
            "deleteAfter": "P14D",
            "targetReads": "always",
            "drift": "report",
            "canaries": ["7", "Group:staff"],
            "guards": {
                "departures": {"percent": 10, "floor": 3, "count": 50},
                "members": {"percent": 20, "floor": 5},
                "shrinks": {"percent": 2, "rows": 1},
            },
            "thresholds": {"minFailures": 10, "proportion": 0.5, "base": 100, "total": 200},
            "defaultDomain": "example.com",
            "parallel": 4,
        }
    )

    assert problems == ()
    assert (policy.sync_all, policy.skips_out_of_scope_deletions) == (False, True)
    assert (policy.relinks_missing, policy.deletes_released) == (True, True)
    assert policy.delete_after == timedelta(days=14)
    assert (policy.target_reads, policy.repairs_drift) == (TargetReads.ALWAYS, False)
    users, groups = EntryKey("User", Anchor("7")), EntryKey("Group", Anchor("staff"))
    assert policy.canaries == {users, groups}
    assert policy.guards.departures == DepartureLimits(percent=10, floor=3, count=50)
    assert (policy.guards.members.percent, policy.guards.members.floor) == (20, 5)
    assert (policy.guards.shrinks_percent, policy.guards.shrinks_rows) == (2, 1)
    assert (policy.thresholds.failures_min, policy.thresholds.total) == (10, 200)
    assert (policy.default_domain, policy.parallel_max) == ("example.com", 4)


def test_what_the_file_leaves_out_stays_as_it_is() -> None:
    assert from_file({"guards": {"departures": {"floor": 1}}}, SAFE) == (
        Policy(
            sync_all=False,
            skips_out_of_scope_deletions=True,
            guards=Guards(departures=DepartureLimits(floor=1)),
        ),
        (),
    )
    assert from_file({"deleteAfter": "never"})[0].delete_after is None


def test_everything_wrong_in_the_file_is_said_at_once() -> None:
    _, problems = from_file(
        {
            "syncAl": True,
            "relinkMissing": "yes",
            "deleteAfter": "30 days",
            "targetReads": "often",
            "canaries": [{"id": 1}],
            "guards": {"departures": {"percent": -1, "floors": 2}, "menbers": {}},
            "thresholds": {"proportion": 40},
            "parallel": 0,
        }
    )

    assert [(p.path, p.code) for p in problems] == [
        ("syncAl", "UnknownProperty"),
        ("relinkMissing", "WrongType"),
        ("deleteAfter", "WrongType"),
        ("targetReads", "UnknownValue"),
        ("canaries[0]", "WrongType"),
        ("guards.departures.percent", "WrongType"),
        ("guards.departures.floors", "UnknownProperty"),
        ("guards.menbers", "UnknownProperty"),
        ("thresholds.proportion", "WrongType"),
        ("parallel", "WrongType"),
    ]
    assert problems[0].remedy.startswith("Did you mean 'syncAll'?")


def test_what_the_api_leaves_out_stays_as_the_file_has_it() -> None:
    assert options().policy == SAFE
    assert options(SyncAll="", SkipOutOfScopeDeletions="").policy == SAFE


def test_the_api_may_say_otherwise() -> None:
    policy = options(SyncAll="true", skipoutofscopedeletions="False").policy
    assert (policy.sync_all, policy.skips_out_of_scope_deletions) == (True, False)
    assert not options(HardDeletesEnabled="False").has_hard_deletes


def notifications(**settings: object) -> str:
    return json.dumps(settings)


def test_notification_settings_name_who_hears_of_it() -> None:
    text = notifications(Enabled=True, Recipients="a@example.com; b@example.com")
    assert options(SyncNotificationSettings=text).notifications == Notifications(
        is_enabled=True, recipients=("a@example.com", "b@example.com")
    )


@pytest.mark.parametrize(
    ("own", "settings", "expected"),
    [
        (None, {"DeleteThresholdEnabled": True, "DeleteThresholdValue": 40}, 40),
        (None, {"DeleteThresholdEnabled": True}, 500),
        (None, {"DeleteThresholdEnabled": False, "DeleteThresholdValue": 40}, None),
        (30, {"DeleteThresholdEnabled": True, "DeleteThresholdValue": 40}, 30),
        (50, {"DeleteThresholdEnabled": True, "DeleteThresholdValue": 40}, 40),
    ],
)
def test_a_threshold_tightens_the_guard_and_never_loosens_it(
    own: int | None, settings: dict[str, object], expected: int | None
) -> None:
    base = Policy(guards=Guards(departures=DepartureLimits(count=own)))
    secrets = {"SyncNotificationSettings": json.dumps(settings)}

    read, problems = from_api(base, settings={}, secrets=secrets)

    assert problems == ()
    assert read.policy.guards.departures.count == expected
    assert read.policy.guards.departures.percent == base.guards.departures.percent


def test_the_jobs_own_setting_is_the_same_threshold() -> None:
    read, _ = from_api(
        Policy(),
        settings={"QuarantineTooManyDeletesThreshold": "20", "LookaheadQueryEnabled": "False"},
        secrets={"SyncNotificationSettings": notifications(DeleteThresholdEnabled=True)},
    )
    assert read.policy.guards.departures.count == 20


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("SyncAll", "perhaps", "SyncAll"),
        ("HardDeletesEnabled", "no", "HardDeletesEnabled"),
        ("QuarantineTooManyDeletesThreshold", "many", "QuarantineTooManyDeletesThreshold"),
        ("QuarantineTooManyDeletesThreshold", "0", "QuarantineTooManyDeletesThreshold"),
        ("SyncNotificationSettings", "{", "SyncNotificationSettings"),
        ("SyncNotificationSettings", "[]", "SyncNotificationSettings"),
        ("SyncNotificationSettings", '{"Enabled": 1}', "SyncNotificationSettings.Enabled"),
        (
            "SyncNotificationSettings",
            '{"DeleteThresholdEnabled": true, "DeleteThresholdValue": "x"}',
            "SyncNotificationSettings.DeleteThresholdValue",
        ),
    ],
)
def test_a_value_that_means_nothing_is_refused(name: str, text: str, path: str) -> None:
    read, problems = from_api(SAFE, settings={name: text}, secrets={})
    assert [p.path for p in problems] == [path]
    assert read.policy == SAFE
