"""What the target says otherwise than it was told: held, counted, let be."""

from __future__ import annotations

from provisor.model.decisions import AttributeChange, Echo
from provisor.planner.echo import PERPETUAL, accepted, after_look, silenced

PUT_RIGHT = AttributeChange("title", "Countess", "Analyst")


def test_what_is_accepted_is_not_sent_until_another_value_is_wanted_or_said() -> None:
    let_be = accepted([PUT_RIGHT], {})
    assert let_be["title"].is_accepted

    assert silenced([PUT_RIGHT], let_be) == ((), True)
    for other in (
        AttributeChange("title", "Countess", "Director"),
        AttributeChange("title", "Boss", "Analyst"),
    ):
        assert silenced([other], let_be) == ((other,), False)


def test_what_is_accepted_stays_so_when_another_attribute_drifts() -> None:
    let_be = accepted([PUT_RIGHT], {})
    before, now = {"title": "Countess", "mail": "a"}, {"title": "Countess", "mail": "b"}
    known = after_look(let_be, before, now)
    assert known["title"] == let_be["title"]
    assert known["mail"].times == 1


def test_what_others_write_anew_is_no_longer_accepted() -> None:
    known = after_look(accepted([PUT_RIGHT], {}), {"title": "Countess"}, {"title": "Boss"})
    assert not known["title"].is_accepted
    put_right = AttributeChange("title", "Boss", "Analyst")
    assert silenced([put_right], known) == ((put_right,), False)


def test_what_comes_back_only_sometimes_is_counted_anew() -> None:
    seen = {"title": Echo("0" * 16, PERPETUAL - 1)}
    assert after_look(seen, {"title": "Analyst"}, {"title": "Analyst"}) == {}
