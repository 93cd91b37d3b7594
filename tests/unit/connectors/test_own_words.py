"""What a target is asked is told in the words of its protocol, and never with a secret in it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Column, MetaData, String, Table, create_engine, exc, insert

from provisor.app.machine import SystemClock
from provisor.connectors.around.trace import Exchange, Trace
from provisor.connectors.ldapwire.ear import PASSWORDS, Ear
from provisor.connectors.ldapwire.messages import Change, Extended, Modification
from provisor.connectors.ldapwire.results import Result
from provisor.connectors.sql.overheard import overhear
from provisor.errors import Unanswered

DN = "uid=ada,dc=example,dc=com"
SECRET = "a-secret-that-nobody-may-see"


async def ended(code: int, message: str = "") -> Result:
    return Result(code=code, message=message)


def only(trace: Trace) -> Exchange:
    (one,) = trace.exchanges
    return one


def test_a_change_of_a_directory_is_told_as_ldif_and_how_it_ended() -> None:
    trace = Trace()
    changes = [
        Modification(Change.REPLACE, "title", (b"Analyst",)),
        Modification(Change.DELETE, "mail"),
        Modification(Change.REPLACE, "userPassword", (SECRET.encode(),)),
        Modification(Change.ADD, "jpegPhoto;binary", (b"\xff\xd8\xff",)),
    ]
    asyncio.run(Ear(trace, SystemClock()).modify(DN, changes, ended(50, "not yours")))
    one = only(trace)
    assert (one.protocol, one.method, one.address) == ("LDAP", "modify", DN)
    assert one.sent.splitlines() == [
        "replace: title", "title: Analyst", "-", "delete: mail", "-",
        "replace: userPassword", "userPassword: ***", "-",
        "add: jpegPhoto;binary", "jpegPhoto;binary: (3 bytes)", "-",
    ]  # fmt: skip
    assert (one.outcome, one.answered) == ("insufficientAccessRights (50)", "not yours")
    assert not one.succeeded


def test_an_entry_that_is_added_is_told_without_its_password() -> None:
    trace = Trace()
    ear = Ear(trace, SystemClock(), PASSWORDS | {"pin"})
    asyncio.run(ear.add(DN, {"cn": [b"Ada"], "pin": [SECRET.encode()]}, ended(0)))
    assert only(trace).sent == "cn: Ada\npin: ***"
    assert only(trace).succeeded


def test_a_password_that_is_set_is_told_of_by_its_operation_alone() -> None:
    trace = Trace()

    async def done() -> Extended:
        return Extended(Result(code=53, message=f"{SECRET} is too short"))

    asyncio.run(Ear(trace, SystemClock()).extended("1.3.6.1.4.1.4203.1.11.1", done()))
    assert (only(trace).sent, only(trace).answered) == ("", "")
    assert only(trace).outcome == "unwillingToPerform (53)"


def test_what_was_not_answered_is_told_so() -> None:
    trace = Trace()

    async def done() -> Result:
        raise Unanswered("no answer")

    with pytest.raises(Unanswered):
        asyncio.run(Ear(trace, SystemClock()).modify_dn(DN, "uid=eve", "ou=away", done()))
    assert only(trace).outcome == "no answer"
    assert only(trace).sent == "newrdn: uid=eve\nnewsuperior: ou=away"


def test_a_statement_is_told_without_the_values_it_is_given() -> None:
    engine, trace = create_engine("sqlite://"), Trace()
    person = Table("person", MetaData(), Column("name", String, primary_key=True))
    person.metadata.create_all(engine)
    overhear(engine, "the place", trace, SystemClock())
    with engine.connect() as connection:
        connection.execute(insert(person).values(name=SECRET))
        with pytest.raises(exc.IntegrityError):
            connection.execute(insert(person).values(name=SECRET))
    done, refused = trace.exchanges
    assert (done.protocol, done.method, done.address) == ("SQL", "INSERT", "the place")
    assert (done.sent, done.outcome) == ("INSERT INTO person (name) VALUES (?)", "1 row")
    assert done.succeeded
    assert refused.outcome == "IntegrityError"
    assert not refused.succeeded
    assert SECRET not in repr(trace)
