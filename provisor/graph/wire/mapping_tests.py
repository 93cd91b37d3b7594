"""Tests stored beside a job's mappings: an object of the source, and what the target is to say."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import field

from provisor.graph.wire.base import Wire

Text: TypeAlias = str | list[str] | None


class MappingTest(Wire, frozen=True, kw_only=True):
    """One example, as `tests:` in `provisor.yaml` has it."""

    name: str
    source: dict[str, object] = field(default_factory=dict[str, object])
    target: dict[str, object] = field(default_factory=dict[str, object])
    """Texts, lists of texts, or null for no value, by target attribute."""
    mapping: str = ""
    """The object mapping that is meant; empty: the first."""
    in_scope: bool | None = None
    error: str = ""
    """The code that the object is refused with."""
    taken: tuple[str, ...] = ()
    """Values that others have already, where one has to be unique."""
    now: str = ""


class MappingTests(Wire, frozen=True, kw_only=True):
    value: tuple[MappingTest, ...]


class TestDifference(Wire, frozen=True, kw_only=True):
    """What came out otherwise than expected."""

    __test__ = False

    what: str
    """A target attribute, `inScope` or `error`."""
    expected: Text
    found: Text


class MappingTestResult(MappingTest, frozen=True, kw_only=True):
    object_mapping: str = ""
    """The object mapping that it was run through; empty: there is none of that name."""
    is_of_file: bool = False
    """True where `provisor.yaml` says it: it is changed there."""
    succeeded: bool = False
    differences: tuple[TestDifference, ...] = ()


class MappingTestResults(Wire, frozen=True, kw_only=True):
    value: tuple[MappingTestResult, ...]
    failed: int = 0


class TestRun(Wire, frozen=True, kw_only=True):
    """What is to be run through what."""

    __test__ = False

    schema: dict[str, object] | None = None
    """A draft; null: what holds."""
    tests: tuple[MappingTest, ...] | None = None
    """Null: those of the job."""
