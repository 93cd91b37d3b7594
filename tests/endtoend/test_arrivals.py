"""An organisation with names in every script flows into a server that nobody here wrote."""

from __future__ import annotations

from tests.endtoend.company import EVERYBODY, ONE_PERCENT
from tests.endtoend.site import ENTERPRISE, Site, is_active, members_of, shown


def test_everything_arrives_and_the_second_cycle_sends_nothing(site: Site) -> None:
    site.run()

    site.is_as_the_files_say()
    enabled = {id for id, person in site.company.people.items() if person.is_enabled}
    assert site.active() == enabled
    assert site.members()[EVERYBODY] == enabled
    created = [asked for asked in site.sent(0) if asked.method == "POST"]
    assert len(created) == len(enabled) + len(site.company.groups), "one request for each"
    site.is_quiet()


def test_one_percent_changed_is_one_request_for_each_and_no_other(settled: Site) -> None:
    company, mark = settled.company, settled.mark
    titled, moved, named = (company.some(ONE_PERCENT) for _ in range(3))
    company.edit(*titled, job_title="Chargée d’affaires {id}")
    company.edit(*moved, department="Forschung & Entwicklung")
    company.edit(*named, display_name="新しい名前 {id}")
    users = settled.users()

    settled.run()

    changed = {users[id]["id"] for id in (*titled, *moved, *named)}
    sent = settled.sent(mark)
    assert {asked.id for asked in sent} == changed
    assert len(sent) == len(changed), "one request for each"
    assert {asked.method for asked in sent} == {"PATCH"}
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_leavers_are_disabled_and_taken_out_of_their_groups(settled: Site) -> None:
    left = settled.company.some(ONE_PERCENT)
    before = settled.users()
    settled.company.dismiss(*left)

    settled.run()

    users = settled.users()
    for id in left:
        assert not is_active(users[id])
        assert shown(users[id]) == {**shown(before[id]), "active": False}, "the rest is kept"
    assert not settled.members()[EVERYBODY] & set(left)
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_people_who_are_disabled_in_the_files_come_back_when_they_are_enabled(
    settled: Site,
) -> None:
    away = settled.company.some(ONE_PERCENT)
    settled.company.edit(*away, is_enabled=False)

    settled.run()

    settled.is_as_the_files_say()
    assert not settled.active() & set(away)
    settled.company.edit(*away, is_enabled=True)
    settled.run()
    assert settled.active() >= set(away)
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_joiners_arrive_with_manager_and_group(settled: Site) -> None:
    mark = settled.mark
    joined = settled.company.hire(ONE_PERCENT)

    settled.run()

    settled.is_as_the_files_say()
    assert settled.members()[EVERYBODY] >= set(joined)
    sent = settled.sent(mark)
    assert sum(asked.method == "POST" for asked in sent) == len(joined)
    assert sum(asked.method == "PATCH" for asked in sent) == 1, "all join the group at once"
    settled.is_quiet()


def test_who_moves_to_another_manager_is_moved_and_nobody_else_is_touched(settled: Site) -> None:
    company, mark = settled.company, settled.mark
    new_manager, *moved = company.some(ONE_PERCENT + 1)
    company.edit(*moved, manager=new_manager, department="Außendienst")

    settled.run()

    users = settled.users()
    for id in moved:
        assert users[id][ENTERPRISE]["manager"]["value"] == users[new_manager]["id"]
    assert {asked.id for asked in settled.sent(mark)} == {users[id]["id"] for id in moved}
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_who_has_no_manager_any_more_has_none_in_the_target(settled: Site) -> None:
    (free,) = settled.company.some(1)
    settled.company.edit(free, manager="")

    settled.run()

    assert shown(settled.users()[free])["manager"] is None
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_who_is_renamed_keeps_the_account(settled: Site) -> None:
    (bride,) = settled.company.some(1)
    before = settled.users()[bride]["id"]
    settled.company.edit(bride, user_name="žofie.nová@example.com", family_name="Nová-Říhová")

    settled.run()

    renamed = settled.users()[bride]
    assert renamed["id"] == before
    assert renamed["userName"] == "žofie.nová@example.com"
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_a_renamed_group_keeps_its_members(settled: Site) -> None:
    before = settled.groups()[EVERYBODY]
    mark = settled.mark
    settled.company.rename(EVERYBODY, "Toute l’équipe – 全社")

    settled.run()

    after = settled.groups()[EVERYBODY]
    assert (after["id"], after["displayName"]) == (before["id"], "Toute l’équipe – 全社")
    assert members_of(after) == members_of(before)
    assert len(settled.sent(mark)) == 1
    settled.is_quiet()


def test_who_moves_between_groups_is_moved_and_nobody_else(settled: Site) -> None:
    company = settled.company
    first, second, *_ = company.groups
    enabled = set(settled.active())
    mover = next(
        m
        for m in company.groups[first].members
        if m in enabled and m not in company.groups[second].members
    )
    mark = settled.mark
    company.move(mover, first, second)

    settled.run()

    groups = settled.groups()
    assert {asked.id for asked in settled.sent(mark)} == {
        groups[first]["id"],
        groups[second]["id"],
    }
    assert len(settled.sent(mark)) == 2, "the fewest requests"
    settled.is_as_the_files_say()
    settled.is_quiet()


def test_a_day_in_which_everything_happens_at_once(settled: Site) -> None:
    company = settled.company
    gone = company.some(ONE_PERCENT)
    company.dismiss(*gone)
    company.hire(ONE_PERCENT)
    company.edit(*company.some(ONE_PERCENT), job_title="Leiterin {id}")
    company.edit(*company.some(2), is_enabled=False)
    company.edit(*company.some(1), user_name="renamed-{id}@example.com")
    company.rename(EVERYBODY, "Everybody – όλοι")
    steps = {step["object"]["id"] for step in settled.plan()}

    settled.run()

    assert steps == touched(settled)
    settled.is_as_the_files_say()
    settled.is_quiet()


def touched(site: Site) -> set[str]:
    """Return whom the latest cycle logged as changed."""
    cycle = site.status()["lastExecution"]["activityIdentifier"]
    entries = site.logs("--cycle", cycle, "--status", "success")
    return {str(entry["sourceIdentity"]["id"]) for entry in entries}


def test_a_workspace_that_lost_its_store_finds_everybody_again(settled: Site) -> None:
    before = settled.picture()
    for file in settled.folder.glob("provisor.db*"):
        file.unlink()
    mark = settled.mark
    settled.configure()

    settled.run()

    assert settled.picture() == before
    assert [asked for asked in settled.since(mark) if asked.is_about_one] == [], "it listed them"
    assert "POST" not in {asked.method for asked in settled.sent(mark)}
    settled.is_quiet()
