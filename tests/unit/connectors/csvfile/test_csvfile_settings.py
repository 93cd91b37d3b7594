"""Settings are right, or everything that is wrong with them is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisor.connectors.csvfile.settings import CsvSettings, Invalid, parse

BASE = Path("/etc/provisor")


def good(**raw: object) -> CsvSettings:
    settings = parse({"users": "people.csv", **raw}, BASE)
    assert isinstance(settings, CsvSettings), settings
    return settings


def wrong(**raw: object) -> dict[str, str]:
    settings = parse(raw, BASE)
    assert isinstance(settings, Invalid), settings
    return {problem.path: problem.message for problem in settings.problems}


def test_the_name_of_the_file_with_people_is_enough() -> None:
    settings = good()
    assert settings.users == (BASE / "people.csv",)
    assert settings.groups == settings.members == ()
    assert (settings.user_anchor, settings.group_anchor) == ("id", "id")
    assert (settings.format.delimiter, settings.format.quote) == (",", '"')
    assert settings.empty_as_null
    assert settings.settle_for_s == 2


def test_paths_are_relative_to_the_workspace_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "today.csv").symlink_to("2026-01-01.csv")
    settings = parse({"users": ["sub/../today.csv", "/data/more.csv"]}, tmp_path)
    assert isinstance(settings, CsvSettings)
    assert settings.users == (tmp_path / "today.csv", Path("/data/more.csv"))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert set(
        wrong(
            users=7,
            members="members.csv",
            anchor="",
            delimiter=";;",
            quote=1,
            encoding="ebcdic-9000",
            multiValued=["mail"],
            attributes={"login": 1, "a": "mail", "b": "mail"},
            emptyAsNull="no",
            settleFor="soon",
            membership={"group": "", "rank": "x"},
            delimeter=",",
        )
    ) == {
        "users",
        "groups",
        "anchor",
        "delimiter",
        "quote",
        "encoding",
        "multiValued",
        "attributes.login",
        "attributes.b",
        "emptyAsNull",
        "settleFor",
        "membership.group",
        "membership.rank",
        "delimeter",
    }


def test_a_setting_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    assert "did you mean delimiter?" in wrong(users="a.csv", delimeter=";")["delimeter"]


@pytest.mark.parametrize(
    "raw",
    [
        {"users": ""},
        {"users": []},
        {"users": ["a.csv", 1]},
        {"users": ["a.csv", "./a.csv"]},
        {"users": "a.csv", "groups": "a.csv"},
        {"users": ["x/a.csv", "y/a.csv"], "manifest": "m"},
        {"users": "a.csv", "manifest": ["m", "n"]},
        {"users": "a.csv", "members": "m.csv"},
        {"users": "a.csv", "delimiter": '"'},
        {"users": "a.csv", "delimiter": "\n"},
        {"users": "a.csv", "encoding": "rot13"},
        {"users": "a.csv", "encoding": "base64"},
        {"users": "a.csv", "settleFor": -1},
        {"users": "a.csv", "settleFor": float("nan")},
        {"users": "a.csv", "settleFor": True},
        {"users": "a.csv", "settleFor": "PT"},
        {"users": "a.csv", "settleFor": 7200},
        {"users": "a.csv", "anchor": {"people": "id"}},
        {"users": "a.csv", "multiValueSeparator": 1},
        {"users": "a.csv", "multiValueSeparator": ";", "multiValued": []},
        {"users": "a.csv", "attributes": ["id"]},
        {"users": "a.csv", "membership": "group"},
        {},
    ],
)
def test_what_cannot_be_meant_is_refused(raw: dict[str, object]) -> None:
    assert isinstance(parse(raw, BASE), Invalid)


@pytest.mark.parametrize(
    ("said", "seconds"), [(0, 0), (1.5, 1.5), ("PT2S", 2), ("PT1M30S", 90), ("PT0.5S", 0.5)]
)
def test_settle_for_is_seconds_or_a_duration(said: object, seconds: float) -> None:
    assert good(settleFor=said).settle_for_s == seconds


def test_anchors_may_differ_between_users_and_groups() -> None:
    settings = good(anchor={"users": "personNo"})
    assert (settings.user_anchor, settings.group_anchor) == ("personNo", "id")


def test_an_empty_quote_means_that_nothing_is_quoted() -> None:
    assert good(quote="").format.quote is None
    assert good(quote=None).format.quote is None


def test_columns_have_canonical_names_unless_told_otherwise() -> None:
    settings = good(attributes={"login": "userPrincipalName", "shoeSize": None, "id": "employeeId"})
    names = ["login", "userName", "familyName", "shoeSize", "id", "costCenter"]
    assert [settings.name_of(column) for column in names] == [
        "userPrincipalName",
        "userName",
        "surname",
        None,
        "employeeId",
        "costCenter",
    ]
