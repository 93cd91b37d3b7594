"""Counting, carrying counts from process to process, and showing them as Prometheus reads them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from provisor.telemetry import catalog as c
from provisor.telemetry.measures import (
    Gathered,
    Malformed,
    Meter,
    exposed,
    from_line,
    joined,
    to_line,
)

SYSTEM = 'https://app.example/"scim"\\v2\n'


def counted() -> Meter:
    meter = Meter()
    meter.add(c.REQUESTS, "target", SYSTEM, "export", "ok")
    meter.add(c.REQUESTS, "target", SYSTEM, "export", "ok")
    for seconds in (0.004, 0.005, 0.3, 61.0):
        meter.observe(c.REQUEST_SECONDS, "target", SYSTEM, "export", seconds=seconds)
    meter.set(c.STORE_UP, value=1)
    return meter


def test_a_histogram_counts_what_took_no_longer_and_adds_up() -> None:
    text = exposed(counted().samples)
    where = 'side="target",system="https://app.example/\\"scim\\"\\\\v2\\n",operation="export"'
    assert f'provisor_request_seconds_bucket{{{where},le="0.005"}} 2' in text
    assert f'provisor_request_seconds_bucket{{{where},le="0.5"}} 3' in text
    assert f'provisor_request_seconds_bucket{{{where},le="60"}} 3' in text
    assert f'provisor_request_seconds_bucket{{{where},le="+Inf"}} 4' in text
    assert f"provisor_request_seconds_count{{{where}}} 4" in text
    assert f"provisor_request_seconds_sum{{{where}}} 61.309" in text
    assert f'provisor_requests_total{{{where},outcome="ok"}} 2' in text


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_reads_what_is_shown() -> None:
    meter = counted()
    meter.set(c.JOB_LAG, "people", "id", value=12.25)
    meter.set(c.JOB_STAGED, "Müller & Söhne", "id", value=0)
    read = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposed(meter.samples),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (read.returncode, read.stderr) == (0, "")


def test_a_process_that_takes_anothers_place_makes_no_counter_smaller() -> None:
    gathered = Gathered()
    gathered.begin()
    gathered.hear(to_line(counted().samples))
    gathered.begin()
    key = (c.REQUESTS.name, ("target", SYSTEM, "export", "ok"))
    assert gathered.samples[key] == (2.0,)
    assert (c.STORE_UP.name, ()) not in gathered.samples  # a gauge is only as good as who says it
    gathered.hear(to_line(counted().samples))
    gathered.hear(to_line(counted().samples))
    assert gathered.samples[key] == (4.0,)


def test_of_a_gauge_the_last_word_counts() -> None:
    low, high = Meter(), Meter()
    low.set(c.JOBS_DUE, value=1)
    high.set(c.JOBS_DUE, value=3)
    assert joined(low.samples, high.samples)[c.JOBS_DUE.name, ()] == (3.0,)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nothing",
        b"[[]]",
        b'[["provisor_unknown",[],[1]]]',
        b'[["provisor_store_up",[],["x"]]]',
        b'[["provisor_store_up",["label"],[1]]]',
        b'[["provisor_store_up",[],[1,2]]]',
        b'[["provisor_store_up",5,[1]]]',
        b"{}[",
    ],
)
def test_a_line_that_is_none_is_not_believed(line: bytes) -> None:
    with pytest.raises(Malformed):
        from_line(line)
