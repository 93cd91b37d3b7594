"""A target that does not show what it was told is not told so for ever (spec: settled 33)."""

from __future__ import annotations

import pytest

from provisor.connectors.memory import MemoryTarget
from provisor.model.decisions import AttributeChange, Create, Exported, Update, Write
from provisor.model.jobs import ResetScope
from provisor.model.rules import Mutability
from tests.table.firm import Firm, updates
from tests.table.rules import ACTIVE, attribute, people


class Shortening(MemoryTarget):
    """Keeps five letters of a display name, and answers with what it says, or with nothing."""

    def __init__(self, *, answers: bool) -> None:
        super().__init__(lists=True, answers_with_object=answers)

    async def export(self, write: Write) -> Exported:
        answer = await super().export(write)
        for anchor, entry in list(self.entries.items()):
            name = entry.attributes.get("displayName")
            if isinstance(name, str) and len(name) > 5:
                said = {**entry.attributes, "displayName": name[:5]}
                self.entries[anchor] = type(entry)(entry.kind, anchor, said, entry.version)
        if answer.attributes is None or answer.anchor is None:
            return answer
        return Exported(answer.anchor, answer.version, self.entries[answer.anchor].attributes)


def firm_with(*, answers: bool) -> Firm:
    firm = Firm(lists=True)
    firm.directory = Shortening(answers=answers)
    firm.target.inner = firm.directory
    return firm


def test_a_value_that_comes_back_shorter_is_sent_once_where_the_answer_tells() -> None:
    firm = firm_with(answers=True)
    firm.hire("ada", name="Adalbert")
    firm.run()
    assert firm.says(anchor_of(firm, "ada"))["displayName"] == "Adalb"

    for scope in (ResetScope.WATERMARK, ResetScope.CONNECTOR_DATA_STORE):
        firm.restart(scope)
        firm.run(reconciles=True)
        assert firm.writes == []
        assert firm.lines("ada")[-1].code == "PerpetualPatch"


def test_a_value_that_comes_back_shorter_is_sent_three_times_where_no_answer_tells() -> None:
    firm = firm_with(answers=False)
    firm.hire("ada", name="Adalbert")

    sent = 0
    for _ in range(6):
        firm.run(reconciles=True)
        sent += len([w for w in firm.writes if tells(w, "Adalbert")])

    assert sent == 3


def test_another_value_is_sent_again() -> None:
    firm = firm_with(answers=True)
    firm.hire("ada", name="Adalbert")
    firm.run()

    firm.hire("ada", name="Bertalan")
    firm.run()

    assert firm.writes == [updates(anchor_of(firm, "ada"), displayName=("Adalb", "Bertalan"))]
    assert firm.says(anchor_of(firm, "ada"))["displayName"] == "Berta"


def test_what_others_change_in_the_target_is_taken_back_each_time() -> None:
    firm = firm_with(answers=True)
    firm.hire("ada", name="Ada")
    firm.run()

    for said in ("Eve", "Mallory", "Eve"):
        firm.account(
            anchor_of(firm, "ada"), **{**firm.says(anchor_of(firm, "ada")), "displayName": said}
        )
        firm.run(reconciles=True)
        assert firm.says(anchor_of(firm, "ada"))["displayName"] == "Ada"


@pytest.mark.parametrize("answers", [False, True])
def test_what_can_only_be_written_is_sent_once_and_kept_nowhere(answers: bool) -> None:
    secret = attribute("password", "[secret]", mutability=Mutability.WRITE_ONLY)
    firm = Firm(users=people(ACTIVE, secret), lists=True)
    firm.directory = Unshowing(answers_with_object=answers, lists=True)
    firm.target.inner = firm.directory
    firm.hire("ada", secret="open sesame")
    firm.run()
    assert any(isinstance(w, Create) and "password" in w.attributes for w in firm.writes)

    firm.run(reconciles=True)
    assert firm.writes == []
    standing = firm.standing("ada")
    assert standing is not None
    assert standing.link is not None
    assert "open sesame" not in repr(standing.link)

    firm.hire("ada", secret="close sesame")
    firm.run()
    assert [c.name for w in firm.writes if isinstance(w, Update) for c in w.changes] == ["password"]


class Unshowing(MemoryTarget):
    """Never shows a password."""

    async def export(self, write: Write) -> Exported:
        answer = await super().export(write)
        for anchor, entry in list(self.entries.items()):
            shown = {n: v for n, v in entry.attributes.items() if n != "password"}
            self.entries[anchor] = type(entry)(entry.kind, anchor, shown, entry.version)
        if answer.attributes is None or answer.anchor is None:
            return answer
        return Exported(answer.anchor, answer.version, self.entries[answer.anchor].attributes)


def tells(write: Write, name: str) -> bool:
    if isinstance(write, Create):
        return write.attributes.get("displayName") == name
    changes = write.changes if isinstance(write, Update) else ()
    return any(isinstance(c, AttributeChange) and c.after == name for c in changes)


def anchor_of(firm: Firm, who: str) -> str:
    standing = firm.standing(who)
    assert standing is not None
    assert standing.link is not None
    return standing.link.target
