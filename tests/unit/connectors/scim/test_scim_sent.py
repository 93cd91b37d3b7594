"""Pages of a list, told apart before they are read."""

from __future__ import annotations

import msgspec
import pytest

from provisor.connectors.http.body import Json
from provisor.connectors.scim.quirks import Quirks
from provisor.connectors.scim.resources import Shape, shape_of
from provisor.connectors.scim.sent import Prints, Sent, SentPage, sent_page
from provisor.connectors.scim.wire import list_answer
from provisor.model.rules import AttributeDefinition

ADA: Json = {"id": "a1", "userName": "ada", "meta": {"version": 'W/"1"'}}
BEN: Json = {"id": "b2", "userName": "ben"}
PAGES: dict[str, Json] = {
    "as the standard has it": {"totalResults": 2, "startIndex": 1, "Resources": [ADA, BEN]},
    "with a cursor": {"totalResults": 9, "Resources": [ADA], "nextCursor": "c"},
    "empty": {"totalResults": 0, "Resources": []},
    "without resources": {"totalResults": 0},
    "with a total that is text": {"totalResults": "2", "Resources": [ADA, BEN]},
    "with names in small letters": {"totalresults": 1, "resources": [ADA]},
    "with an id that is a number": {"totalResults": 2, "Resources": [{"id": 7}, BEN]},
    "with nothing in between": {"totalResults": 2, "Resources": [ADA, None, BEN]},
    "a resource by itself": ADA,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_it_shows_to_who_reads_all_of_it(name: str) -> None:
    body = msgspec.json.encode(PAGES[name])
    answer = list_answer(PAGES[name])
    assert answer is not None

    page = sent_page(body)

    assert page is not None
    assert [sent.content() for sent in page.resources] == list(answer.resources)
    assert (page.total, page.next_cursor) == (answer.total, answer.next_cursor)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"Resources": [', b'{"detail": "no"}'])
def test_what_is_no_list_is_none(body: bytes) -> None:
    assert sent_page(body) is None


def shape(*names: str) -> Shape:
    return shape_of("User", tuple(AttributeDefinition(name=name) for name in names))


def printed(content: Json, by: Shape, quirks: Quirks | None = None) -> int:
    page = sent_page(msgspec.json.encode({"totalResults": 1, "Resources": [content]}))
    assert isinstance(page, SentPage)
    (sent,) = page.resources
    return Prints(by, quirks or Quirks()).of(sent)


def test_what_is_sent_alike_and_read_alike_has_the_same_print() -> None:
    assert printed(ADA, shape("userName")) == printed(ADA, shape("userName"))


def test_what_is_sent_or_read_otherwise_has_another_print() -> None:
    known = printed(ADA, shape("userName"))

    assert printed({"id": "a1", "userName": "Ada"}, shape("userName")) != known
    assert printed(ADA, shape("userName", "title")) != known
    assert printed(ADA, shape("userName"), Quirks(assume_type="work")) != known


def test_a_print_fits_into_a_column() -> None:
    prints = Prints(shape("userName"), Quirks())

    values = [prints.of(Sent(str(n), b"%d" % n)) for n in range(100)]

    assert all(-(2**63) <= value < 2**63 for value in values)
    assert len(set(values)) == 100
