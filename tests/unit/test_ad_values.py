"""What values of Active Directory mean."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisor.connectors.activedirectory import marks, values
from provisor.connectors.activedirectory.marks import Mark
from provisor.connectors.activedirectory.values import Named
from provisor.connectors.ldapwire.values import NotAValue
from provisor.errors import WatermarkExpired
from provisor.model.entries import Anchor, Watermark

UNTIL_9999 = 2_650_467_743_999_999_999


@pytest.mark.parametrize("never", [b"0", b"9223372036854775807", b"9223372036854775000"])
def test_some_moments_never_come(never: bytes) -> None:
    assert values.moment(never) is None


def test_a_filetime_is_a_moment() -> None:
    assert values.moment(b"116444736000000000") == datetime(1970, 1, 1, tzinfo=UTC)
    assert values.filetime(datetime(1970, 1, 1, tzinfo=UTC)) == 116444736000000000


@given(some.integers(min_value=1, max_value=UNTIL_9999 // 10))
def test_a_moment_and_its_filetime_agree(microseconds: int) -> None:
    when = values.moment(str(microseconds * 10).encode())
    assert when is not None
    assert values.filetime(when) == microseconds * 10


@pytest.mark.parametrize("odd", [b"", b"x", b"-5", b"1.5", b"9223372036854775808", b"\xff"])
def test_what_is_no_moment_is_not_read_as_one(odd: bytes) -> None:
    with pytest.raises(NotAValue):
        values.moment(odd)


@given(some.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_switching_an_account_keeps_every_other_bit(control: int) -> None:
    off, on = values.switched(control, is_enabled=False), values.switched(control, is_enabled=True)
    assert values.is_disabled(off)
    assert not values.is_disabled(on)
    assert (off | 2) == off
    for changed in (off, on):
        assert (changed ^ control) & 0xFFFFFFFD == 0
        assert -(2**31) <= changed < 2**31


@given(some.uuids())
def test_an_object_guid_is_turned_around_and_back(guid: UUID) -> None:
    anchor = values.anchor_of(guid.bytes_le)
    assert anchor == str(guid)
    assert values.octets_of(anchor) == guid.bytes_le


@pytest.mark.parametrize("odd", ["", "ada", "{00000000-0000-0000-0000-000000000000}", "0" * 32])
def test_what_is_no_guid_names_nobody(odd: str) -> None:
    assert values.octets_of(Anchor(odd)) is None


def test_a_security_identifier_is_written_as_people_write_it() -> None:
    octets = bytes.fromhex("010500000000000515000000") + b"".join(
        number.to_bytes(4, "little") for number in (1638653487, 1806453174, 342712079, 1104)
    )
    assert values.sid(octets) == "S-1-5-21-1638653487-1806453174-342712079-1104"
    domain = octets[:1] + b"\x04" + octets[2:-4]
    assert values.within(domain, 1104) == octets
    with pytest.raises(NotAValue):
        values.sid(octets[:-1])


def test_an_extended_name_says_whom_it_means() -> None:
    guid = "FEC46648-166c-4dfa-a581-e4f0a4320431"
    assert values.named(f"<GUID={guid}>;<SID=S-1-5-21-1-2-3>;CN=G;x,DC=a") == Named(
        Anchor(guid.lower()), "CN=G;x,DC=a"
    )
    assert values.named(f"<GUID={guid}>;CN=G") == Named(Anchor(guid.lower()), "CN=G")
    assert values.named("CN=G,DC=a") == Named(None, "CN=G,DC=a")


MARK = Mark(
    how="dirsync",
    view="v",
    invocation="i",
    usn=7,
    newest=("g", 6),
    full_at=datetime(2026, 1, 1, tzinfo=UTC),
    read_at=datetime(2026, 1, 2, tzinfo=UTC),
    cookie=b"\x00\xff",
)


def test_a_watermark_is_read_as_it_was_written() -> None:
    assert marks.read(marks.write(MARK)) == MARK


@given(some.text())
def test_any_other_text_is_an_expired_watermark(text: str) -> None:
    with pytest.raises(WatermarkExpired):
        marks.read(Watermark(text))


@given(some.integers(min_value=0), some.characters())
def test_a_spoiled_watermark_is_an_expired_one_or_a_watermark(place: int, other: str) -> None:
    written = str(marks.write(MARK))
    at = place % len(written)
    try:
        marks.read(Watermark(written[:at] + other + written[at + 1 :]))
    except WatermarkExpired:
        return
