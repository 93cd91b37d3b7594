"""A cycle becomes a trace at a collector: its reads, the objects that failed, and a sample."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from provisor.model.cycles import Counts, Cycle, CycleKind, CycleResult, JobError, Side
from provisor.model.decisions import Action, Facts, Record, Situation, StandingKey, Verdict
from provisor.model.entries import Anchor
from provisor.model.jobs import Job
from provisor.model.rules import MappingName
from provisor.telemetry.otel import Traces, is_sampled
from tests.unit.runtime.jobs import Clock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job(id="scim.1.2", name="people", template_id="scim", application_id="app")


@contextmanager
def collector() -> Generator[tuple[str, list[Span]]]:
    """Run a collector; yield its address and the spans that it was sent."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            sent = ExportTraceServiceRequest()
            sent.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            spans.extend(s for r in sent.resource_spans for c in r.scope_spans for s in c.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def record(anchor: str, verdict: Verdict = Verdict.SUCCESS) -> Record:
    return Record(
        cycle="c1",
        change=f"change {anchor}",
        at=NOON + timedelta(seconds=3),
        duration_ms=2_000,
        key=StandingKey(MappingName("User"), Anchor(anchor)),
        row=1,
        situation=Situation.ABSENT,
        action=Action.CREATE,
        verdict=verdict,
        code="Conflict" if verdict is Verdict.FAILURE else "",
        facts=Facts(is_assigned=True, is_active=True, passes_filter=True),
        source_name="Ada Example",
    )


def cycle(result: CycleResult) -> Cycle:
    return Cycle(
        id="c1",
        kind=CycleKind.INITIAL,
        began=NOON,
        ended=NOON + timedelta(seconds=9),
        result=result,
        counts=Counts(exported=2),
        error=JobError(code="Denied", message="no") if result is CycleResult.FAILED else None,
    )


def told(part: float, result: CycleResult = CycleResult.SUCCEEDED) -> dict[str, list[Span]]:
    """Watch a cycle; return the spans that arrive, by name."""
    with collector() as (address, spans):
        traces = Traces(address, part, Clock())
        watch = traces.watching(JOB)
        watch.began("c1", CycleKind.INITIAL, NOON)
        watch.asked(Side.SOURCE, "people.csv", "pull", 0.5, "ok")
        watch.asked(Side.TARGET, "https://app.example", "export", 0.5, "ok")
        watch.decided(record("ada"))
        watch.decided(record("bob", Verdict.FAILURE))
        watch.ended(cycle(result))
        traces.close()
    return {name: [s for s in spans if s.name == name] for name in {s.name for s in spans}}


def attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


def test_a_cycle_is_a_trace_with_its_reads_and_what_failed() -> None:
    spans = told(part=0.0)
    (root,), (read,), (failed,) = spans["cycle"], spans["pull"], spans["object"]
    assert not root.parent_span_id
    assert {read.parent_span_id, failed.parent_span_id} == {root.span_id}
    assert attributes(root)["provisor.job_id"] == JOB.id
    assert root.end_time_unix_nano - root.start_time_unix_nano == 9_000_000_000
    assert failed.end_time_unix_nano - failed.start_time_unix_nano == 2_000_000_000
    assert attributes(failed)["provisor.object"] == "bob"
    assert failed.status.code == 2
    assert "Ada Example" not in str(spans)


def test_all_objects_can_be_told_and_a_failed_cycle_says_why() -> None:
    spans = told(part=1.0, result=CycleResult.FAILED)
    assert len(spans["object"]) == 2
    (root,) = spans["cycle"]
    assert (root.status.code, root.status.message) == (2, "Denied")


def test_a_sample_is_a_part_of_the_objects_and_always_the_same() -> None:
    chosen = [n for n in range(10_000) if is_sampled(record(str(n)), 0.1)]
    assert 900 < len(chosen) < 1_100
    assert chosen == [n for n in range(10_000) if is_sampled(record(str(n)), 0.1)]


def test_what_is_done_on_demand_is_no_trace() -> None:
    with collector() as (address, spans):
        traces = Traces(address, 1.0, Clock())
        traces.watching(JOB).decided(record("ada"))
        traces.close()
    assert not spans
