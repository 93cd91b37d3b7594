"""Octets: what a server may send is understood, what no server may send is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.ldapwire import ber, controls, messages, results, schema, sync, values
from provisor.connectors.ldapwire.ber import Malformed
from provisor.connectors.ldapwire.messages import Elsewhere, Found
from provisor.connectors.ldapwire.results import Code, Result
from provisor.connectors.ldapwire.values import NotAValue
from provisor.errors import Denied, Rejected, Stale, Throttled, Unanswered, Unreachable

ATTRIBUTES = {"cn": [b"Ada", b"\xc3\x85da"], "jpegPhoto": [b"\xff" * 40_000], "empty": []}
SOME_UUID = UUID("597ae2f6-16a6-1027-98f4-d28b5365dc14")


def entry(attributes: dict[str, list[bytes]]) -> bytes:
    listed = ber.sequence(
        *(
            ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, held), tag=ber.SET))
            for name, held in attributes.items()
        )
    )
    state = ber.sequence(ber.integer(1, ber.ENUMERATED), ber.octets(SOME_UUID.bytes))
    control = controls.Control(controls.SYNC_STATE, state)
    body = ber.sequence(ber.octets("cn=ada,dc=x"), listed, tag=messages.ENTRY)
    return messages.message(7, body, [control])


@given(st.integers(-(2**40), 2**40))
def test_numbers_come_back_as_they_went(number: int) -> None:
    assert ber.Reader(ber.integer(number)).integer() == number


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.lists(st.binary(max_size=300))))
def test_entries_come_back_as_they_went(attributes: dict[str, list[bytes]]) -> None:
    data = entry(attributes)

    number, found = messages.read(data, 0, len(data))

    assert number == 7
    assert isinstance(found, Found)
    assert found.attributes == attributes
    assert sync.entry_state(found.controls) == sync.EntryState(sync.State.ADD, SOME_UUID, None)


def test_an_entry_cut_anywhere_is_no_entry() -> None:
    whole = entry({"cn": [b"Ada"], "sn": [b"x" * 200]})
    for at in range(len(whole)):
        assert ber.size_of(whole[:at], 0) in (None, len(whole))
        with pytest.raises(Malformed):
            messages.read(whole[:at], 0, at)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_whatever_octets_come_they_are_an_answer_or_malformed(noise: bytes, at: int) -> None:
    whole = entry({"cn": [b"Ada", b"b"], "sn": [b"x"]})
    damaged = whole[:at] + noise + whole[at + len(noise) :]
    for data in (noise, damaged):
        try:
            size = ber.size_of(data, 0)
            messages.read(data, 0, min(size or 0, len(data)))
        except Malformed:
            pass


def test_a_referral_says_where() -> None:
    body = ber.sequence(ber.octets("ldap://other/dc=y"), tag=messages.REFERENCE)
    data = messages.message(3, body)

    assert messages.read(data, 0, len(data)) == (3, Elsewhere(("ldap://other/dc=y",)))


def test_results_have_the_names_of_the_standard() -> None:
    assert results.name_of(4) == "sizeLimitExceeded"
    assert results.name_of(4096) == "syncRefreshRequired"
    assert results.name_of(9999) == "result 9999"
    said = Result(code=53, message="consumer state is newer\nthan provider!")
    assert str(said) == "unwillingToPerform (53): consumer state is newer than provider!"


@pytest.mark.parametrize("code", [3, 4, 10, 11, 32, 51, 52, 53, 80, 4096, 9999])
def test_a_search_that_did_not_succeed_is_no_answer(code: int) -> None:
    failure = results.read_failure(Result(code=code), "the search")

    assert isinstance(failure, Unreachable)
    assert failure.code == "SourceReadIncomplete"
    assert results.name_of(code) in str(failure)


@pytest.mark.parametrize("code", [7, 8, 13, 48, 49, 50])
def test_a_search_that_was_not_allowed_is_denied(code: int) -> None:
    assert isinstance(results.read_failure(Result(code=code), "the search"), Denied)


@pytest.mark.parametrize(
    ("code", "failure", "named"),
    [
        (Code.ENTRY_ALREADY_EXISTS, Stale, "EntryConflict"),
        (Code.NO_SUCH_OBJECT, Stale, "InvalidAnchor"),
        (Code.OBJECT_CLASS_VIOLATION, Rejected, "UnprocessableEntity"),
        (Code.UNDEFINED_ATTRIBUTE_TYPE, Rejected, "SchemaAttributeNotFound"),
        (Code.INSUFFICIENT_ACCESS_RIGHTS, Rejected, "InsufficientRights"),
        (Code.STRONGER_AUTH_REQUIRED, Denied, "InvalidCredentials"),
        (Code.BUSY, Throttled, "TooManyRequests"),
        (Code.UNAVAILABLE, Unanswered, "InternalServerError"),
        (Code.REFERRAL, Rejected, "NotPermitted"),
    ],
)
def test_a_write_that_failed_is_named_by_its_remedy(
    code: int, failure: type[Exception], named: str
) -> None:
    found = results.write_failure(Result(code=code), "adding uid=ada")

    assert isinstance(found, failure)
    assert found.code == named


def test_messages_of_a_synchronisation() -> None:
    uuids = ber.sequence(ber.octets(SOME_UUID.bytes), tag=ber.SET)
    ids = ber.sequence(ber.octets(b"c"), ber.boolean(True), uuids, tag=0xA3)
    assert sync.sync_info(ids) == sync.IdSet((SOME_UUID,), are_deleted=True, cookie=b"c")
    assert sync.sync_info(ber.octets(b"c", 0x80)) == sync.NewCookie(b"c")
    ended = ber.sequence(ber.octets(b"c"), ber.boolean(False), tag=0xA2)
    assert sync.sync_info(ended) == sync.PhaseEnded(True, b"c", refresh_done=False)
    assert sync.sync_info(ber.sequence(tag=0xA1)) == sync.PhaseEnded(False, None, refresh_done=True)
    done = controls.Control(controls.SYNC_DONE, ber.sequence(ber.octets(b"c"), ber.boolean(True)))
    assert sync.sync_done([done]) == sync.SyncDone(b"c", refresh_deletes=True)
    assert sync.sync_done([]) is None


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("20260102030405Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("20260102030405.5Z", datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
        ("20260102030405.0Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("202601020304+0130", datetime(2026, 1, 2, 1, 34, tzinfo=UTC)),
        ("2026010203Z", datetime(2026, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_generalized_times(said: str, moment: datetime) -> None:
    assert values.time(said) == moment
    assert values.time(values.time_text(moment)) == moment


@pytest.mark.parametrize("said", ["", "2026", "20261302030405Z", "20260102030405", "yesterday"])
def test_what_is_no_time_says_so(said: str) -> None:
    with pytest.raises(NotAValue, match="generalized time"):
        values.time(said)


def test_identifiers_in_their_forms() -> None:
    assert values.uuid(SOME_UUID.bytes) == values.uuid(str(SOME_UUID).encode()) == SOME_UUID
    assert values.guid(SOME_UUID.bytes_le) == SOME_UUID


def test_a_schema_as_servers_write_it() -> None:
    found = schema.parse(
        [
            "( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1{32768} )",
            "( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'it\\27s (odd)' SUP name )",
            "( 2.5.18.2 NAME 'modifyTimestamp' SINGLE-VALUE USAGE directoryOperation "  # noqa: ISC004
            "NO-USER-MODIFICATION X-ORIGIN ( 'RFC 4512' 'other' ) )",
            "nonsense",
        ],
        [
            "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
            "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( seeAlso ) )",
        ],
    )

    cn, stamp = found.attribute("CN;lang-sv"), found.attribute("modifytimestamp")
    assert cn is not None
    assert stamp is not None
    assert cn.names == ("cn", "commonName")
    assert (cn.equality, cn.syntax, cn.is_single) == ("caseIgnoreMatch", "1.3.6.1", False)
    assert stamp.is_single
    assert stamp.is_operational
    assert stamp.is_read_only
    assert found.takes("person") == ({"sn", "cn", "objectClass"}, {"seeAlso"})
