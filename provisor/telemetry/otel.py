"""Traces for whoever collects them by OpenTelemetry: the one file that knows its library.

A cycle is a trace. Reading is told page by page; of the objects those that failed, and a sample of
the others, chosen by their ids alone, so that every process chooses the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode, Tracer

from provisor.model.cycles import Cycle, CycleKind, CycleResult, Side
from provisor.model.decisions import Record, Verdict
from provisor.model.jobs import Job
from provisor.ports import Clock
from provisor.telemetry.watch import OK, Watch

PAGES_MAX = 1_000
"""So many pages of one cycle are told; a read of ten million objects is no longer trace."""
READING = frozenset({"probe", "pull", "list"})


class Traces:
    """Sends traces to a collector, a batch at a time, in a thread of its own."""

    def __init__(self, endpoint: str, objects: float, clock: Clock) -> None:
        """`endpoint` is the collector's address; `objects` the part of objects to tell of, 0–1."""
        resource = Resource.create(
            {"service.name": "provisor", "service.version": version("provisor")}
        )
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("provisor")
        self._objects, self._clock = objects, clock

    def watching(self, job: Job) -> Watch:
        return _Traced(self._tracer, job, self._objects, self._clock)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


class _Traced:
    def __init__(self, tracer: Tracer, job: Job, objects: float, clock: Clock) -> None:
        self._tracer, self._job, self._objects, self._clock = tracer, job, objects, clock
        self._root: trace.Span | None = None
        self._pages = 0

    def began(self, cycle: str, kind: CycleKind, at: datetime) -> None:
        attributes = {
            "provisor.job": self._job.name,
            "provisor.job_id": self._job.id,
            "provisor.cycle": cycle,
            "provisor.kind": kind.value,
        }
        self._root = self._tracer.start_span("cycle", attributes=attributes, start_time=_ns(at))
        self._pages = 0

    def asked(self, side: Side, system: str, operation: str, seconds: float, outcome: str) -> None:
        if operation not in READING or self._pages >= PAGES_MAX:
            return
        self._pages += 1
        now = self._clock.now()
        attributes = {
            "provisor.side": side.value,
            "provisor.system": system,
            "provisor.outcome": outcome,
        }
        self._child(operation, now - timedelta(seconds=seconds), now, attributes, outcome != OK)

    def decided(self, record: Record) -> None:
        is_failed = record.verdict is Verdict.FAILURE
        if not is_failed and not is_sampled(record, self._objects):
            return
        attributes = {
            "provisor.mapping": str(record.key.mapping),
            "provisor.object": str(record.key.anchor),
            "provisor.action": record.action.value,
            "provisor.verdict": record.verdict.value,
            "provisor.code": record.code,
        }
        began = record.at - timedelta(milliseconds=record.duration_ms)
        self._child("object", began, record.at, attributes, is_failed)

    def ended(self, cycle: Cycle) -> None:
        if self._root is None:
            return
        counts = cycle.counts
        self._root.set_attribute("provisor.result", cycle.result.value)
        self._root.set_attribute("provisor.exported", counts.exported)
        self._root.set_attribute("provisor.escrowed", counts.escrowed)
        if cycle.result is CycleResult.FAILED:
            self._root.set_status(Status(StatusCode.ERROR, cycle.error.code if cycle.error else ""))
        self._root.end(_ns(cycle.ended))
        self._root = None

    def _child(
        self,
        name: str,
        began: datetime,
        ended: datetime,
        attributes: dict[str, str],
        is_failed: bool,
    ) -> None:
        if self._root is None:  # on demand: there is no cycle to tell of
            return
        within = trace.set_span_in_context(self._root)
        span = self._tracer.start_span(name, within, attributes=attributes, start_time=_ns(began))
        if is_failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_ns(ended))


def is_sampled(record: Record, part: float) -> bool:
    """Tell whether an object is one of those told of: the same in every cycle."""
    digest = blake2b(f"{record.key.mapping}\0{record.key.anchor}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) < part * 2**32


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
