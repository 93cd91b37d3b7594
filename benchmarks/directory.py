"""The rows about directories: how fast one is read, and how soon a change in it arrives."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ldap
from benchmarks.rows import ROUNDS, Row, alternate, seconds
from benchmarks.world import Taken, middle, prepare, stub, timed
from tests.worlds import openldap
from tests.worlds.openldap import OpenLdap

ENTRIES = 100_000
HEARING_PEOPLE = 1_000


@contextmanager
def serving(folder: Path, people: int) -> Generator[OpenLdap]:
    """Run a server with so many people in it."""
    if not openldap.IS_THERE:
        raise RuntimeError(openldap.NOT_THERE)
    ldif = folder / "people.ldif"
    timed("benchmarks.ldap", "ldif", ldif, people)
    with OpenLdap.run(folder / "slapd", overlays=("syncprov",)) as server:
        server.load(ldif)
        yield server


def reading(entries: int = ENTRIES) -> list[Row]:
    """A first read, durable, beside the fastest client library that reads the same and counts."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), entries) as server:
        folder = Path(name)
        attributes = asyncio.run(ldap.asked(folder, server.url))

        def ours() -> Taken:
            prepare(folder)
            return timed("benchmarks.ldap", "read", folder, server.url)

        def theirs() -> Taken:
            return ldap.run_bare(server.url, attributes)

        one, other = alternate(ours, theirs, ROUNDS)
    assert {taken.told["objects"] for taken in one + other} == {entries}
    rates = entries / seconds(one), entries / seconds(other)
    figures = f"{rates[0]:,.0f} entries a second into the store, python-ldap {rates[1]:,.0f} bare"
    ratio = rates[0] / rates[1]
    return [Row(f"LDAP, first read of {entries:,}", figures, ratio, "≥ 0.6", ratio >= 0.6)]


def hearing() -> list[Row]:
    """A change in the directory, until its first byte is at the target."""
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name), HEARING_PEOPLE) as server,
        stub() as target,
    ):
        folder = Path(name) / "workspace"
        folder.mkdir()
        stats = f"http://127.0.0.1:{target.port}/__stats"
        taken = timed("benchmarks.ldap", "heard", folder, target.base, stats, server.url)
    waits = [float(one) for one in taken.told["seconds"]]
    figures = f"median of {len(waits)} changes, the longest {max(waits):.2f} s"
    median = middle(waits)
    return [Row("LDAP, a change until the target hears", figures, median, "< 1 s", median < 1)]


def both() -> list[Row]:
    return [*reading(), *hearing()]
