"""What every prober promises, whatever it looks at: the port in sentences."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from provisor.connectors.catalog import CONNECTORS, Settings
from provisor.errors import AdapterError, Denied, Unreachable
from provisor.model.directories import ProbeReport, Topic, Weight
from provisor.model.rules import AttributeType
from provisor.ports import Prober
from tests.contracts.probers.subjects import MAKERS, Subject

Result = TypeVar("Result")


@pytest.fixture(params=MAKERS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return MAKERS[str(request.param)](request, tmp_path)


def ask(
    subject: Subject, settings: Settings, question: Callable[[Prober], Awaitable[Result]]
) -> Result:
    """Ask a prober made for it, and close it."""

    async def story() -> Result:
        prober = subject.prober(settings)
        try:
            return await question(prober)
        finally:
            await prober.close()

    return asyncio.run(story())


def probe(subject: Subject, settings: Settings) -> ProbeReport:
    return ask(subject, settings, lambda prober: prober.probe())


def spoiled(subject: Subject) -> list[Settings]:
    return [one for one in (subject.off, subject.denied) if one is not None]


def test_whatever_can_be_opened_can_be_probed() -> None:
    for connector in CONNECTORS.values():
        assert (connector.open_source is None) == (connector.probe_source is None)
        assert (connector.open_target is None) == (connector.probe_target is None)


def test_a_system_that_can_be_used_is_found_usable(subject: Subject) -> None:
    told = probe(subject, subject.good)

    assert told.is_usable, told
    assert told.system.identity
    topics = {one.topic for one in told.findings}
    assert {Topic.CONNECTION, Topic.CONDUCT} <= topics
    assert subject.side == "target" or Topic.CHANGES in topics


def test_findings_come_in_the_order_of_their_topics(subject: Subject) -> None:
    order = [*Topic]
    for settings in (subject.good, *spoiled(subject)):
        places = [order.index(one.topic) for one in probe(subject, settings).findings]
        assert places == sorted(places)


def test_each_finding_has_a_code_and_a_sentence_and_what_is_amiss_a_way_out(
    subject: Subject,
) -> None:
    for settings in (subject.good, *spoiled(subject)):
        for one in probe(subject, settings).findings:
            assert re.fullmatch(r"[A-Z][A-Za-z]+", one.code), one
            assert one.message[:1].strip(), one
            assert len(one.message.split()) >= 3, one
            assert (one.weight is Weight.OK) == (not one.remedy), one


def test_a_system_that_cannot_be_reached_is_a_finding(subject: Subject) -> None:
    if subject.off is None:
        pytest.skip("nothing of this can be out of reach")
    told = probe(subject, subject.off)

    assert not told.is_usable
    (error,) = [one for one in told.findings if one.weight is Weight.ERROR]
    assert error.topic is Topic.CONNECTION
    assert Topic.OBJECTS not in {one.topic for one in told.findings}


def test_credentials_that_are_wrong_are_a_finding(subject: Subject) -> None:
    if subject.denied is None:
        pytest.skip("this takes no credentials")
    told = probe(subject, subject.denied)

    assert not told.is_usable
    wrong = [one.topic for one in told.findings if one.weight is Weight.ERROR]
    assert wrong == [Topic.CREDENTIALS]


def test_no_finding_shows_a_secret(subject: Subject) -> None:
    for settings in (subject.good, *spoiled(subject)):
        text = repr(probe(subject, settings))
        assert not [secret for secret in subject.secrets if secret in text]


def test_a_probe_leaves_everything_as_it_was(subject: Subject) -> None:
    before = subject.holds()
    probe(subject, subject.good)
    ask(subject, subject.good, lambda prober: prober.discover())
    assert subject.holds() == before


def test_two_probes_tell_the_same(subject: Subject) -> None:
    assert probe(subject, subject.good) == probe(subject, subject.good)


def test_discovery_finds_what_is_there(subject: Subject) -> None:
    found = ask(subject, subject.good, lambda prober: prober.discover())

    kinds = {one.kind: {a.name for a in one.attributes} for one in found.objects}
    assert subject.kinds <= set(kinds)
    for kind, names in subject.attributes.items():
        assert names <= kinds[kind]


def test_what_is_discovered_is_a_directory_that_rules_can_be_written_for(
    subject: Subject,
) -> None:
    found = ask(subject, subject.good, lambda prober: prober.discover())

    kinds = [one.kind for one in found.objects]
    assert len(kinds) == len({kind.lower() for kind in kinds})
    for one in found.objects:
        names = Counter(attribute.name for attribute in one.attributes)
        assert set(names.values()) <= {1}, one.kind
        assert sum(attribute.is_anchor for attribute in one.attributes) == 1, one.kind
        for attribute in one.attributes:
            assert attribute.name.strip() == attribute.name != ""
            assert set(attribute.refers_to) <= set(kinds), attribute
            is_reference = attribute.type is AttributeType.REFERENCE
            assert is_reference or not attribute.refers_to, attribute


def test_discovery_of_what_cannot_be_asked_is_a_failure(subject: Subject) -> None:
    for settings in spoiled(subject):
        with pytest.raises(AdapterError) as failed:
            ask(subject, settings, lambda prober: prober.discover())
        assert isinstance(failed.value, Unreachable | Denied)


def test_a_prober_can_be_closed_twice(subject: Subject) -> None:
    async def story() -> None:
        prober = subject.prober(subject.good)
        await prober.close()
        await prober.close()

    asyncio.run(story())
