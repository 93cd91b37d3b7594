"""Every measure that there is, by the name under which it is collected.

What must survive a crash is no measure of a process: it is counted anew from the store
(`runtime.census`). Only what the store does not know is measured, by whoever does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Where the buckets of a histogram end: from a quick answer to the longest that is waited for."""
OF_JOB = ("job", "id")


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.name.endswith("_total") == (self.kind is Kind.COUNTER), self.name


def _gauge(name: str, help: str, *labels: str) -> Metric:
    return Metric(f"provisor_{name}", Kind.GAUGE, help, labels)


def _of_job(name: str, help: str, *labels: str) -> Metric:
    return _gauge(f"job_{name}", help, *OF_JOB, *labels)


def _counter(name: str, help: str, *labels: str) -> Metric:
    return Metric(f"provisor_{name}_total", Kind.COUNTER, help, labels)


def _histogram(name: str, help: str, *labels: str) -> Metric:
    return Metric(f"provisor_{name}", Kind.HISTOGRAM, help, labels)


# counted anew from the store

BUILD = _gauge("build_info", "1; the version that answers.", "version")
STORE_UP = _gauge("store_up", "1 while the store can be read; 0: what it knows is left out.")
STORE_BYTES = _gauge("store_bytes", "Size of the store's files, where they lie in the workspace.")
CENSUS_SECONDS = _gauge("census_seconds", "How long counting all that is from the store took.")
CERTIFICATE_EXPIRES = _gauge(
    "certificate_expires_timestamp_seconds",
    "When the certificate expires that the server shows; absent without TLS.",
)
JOBS = _gauge("jobs", "Jobs, by the status that they have.", "status")
JOBS_DUE = _gauge("jobs_due", "Jobs whose next cycle is due and has not begun: the queue.")
JOBS_LEASED = _gauge("jobs_leased", "Jobs that some process holds the lease of.")

JOB_INFO = _of_job("info", "1; whose job it is.", "tenant", "application", "template")
JOB_STATUS = _of_job("status", "1; the status that a job has.", "status")
JOB_SCHEDULED = _of_job("scheduled", "1 while the schedule runs the job, else 0.")
JOB_INTERVAL = _of_job("interval_seconds", "From start to start, as the schedule says.")
JOB_RUNNING = _of_job("running", "1 while a cycle of the job is open, else 0.")
JOB_LEASED = _of_job("leased", "1 while some process holds the job's lease, else 0.")
JOB_DONE = _of_job("progress_done", "Objects that the open cycle has carried through.")
JOB_PLANNED = _of_job("progress_planned", "Objects that the open cycle is to carry through.")
JOB_QUARANTINE = _of_job("quarantine", "1; why a job is in quarantine.", "reason", "code")
JOB_QUARANTINE_BEGAN = _of_job(
    "quarantine_began_timestamp_seconds", "Since when a job is in quarantine."
)
JOB_FAILURES = _of_job("successive_failures", "Cycles in a row that failed as a whole.")
JOB_LATENESS = _of_job("late_seconds", "For how long a cycle has been due and has not begun.")
JOB_LAG = _of_job(
    "lag_seconds", "Age of the moment at which the target last said all that the source said."
)
JOB_CYCLE_ENDED = _of_job("cycle_ended_timestamp_seconds", "When the latest cycle ended.")
JOB_CYCLE_SECONDS = _of_job("cycle_duration_seconds", "How long the latest cycle took.")
JOB_SUCCEEDED = _of_job("succeeded_timestamp_seconds", "When a cycle last ended successfully.")
JOB_LINKS = _of_job("links", "Target objects that the job governs, by object mapping.", "mapping")
JOB_ESCROWS = _of_job("escrows", "Objects that failed and wait, at the end of the latest cycle.")
JOB_STAGED = _of_job("staged", "Departures and removals of members that wait for an approval.")
JOB_UNSETTLED = _of_job("unsettled", "Observations not carried through by the latest cycle.")

CYCLES = _counter("cycles", "Cycles that ended, by kind and result.", *OF_JOB, "kind", "result")
CYCLE_SECONDS = _counter("cycle_seconds", "Time that cycles took, added up.", *OF_JOB)
OBJECTS = _counter(
    "objects",
    "Objects of cycles that ended: read, changed, decided (to be written), exported, failed.",
    *OF_JOB,
    "outcome",
)

# measured by whoever does it

REQUESTS = _counter(
    "requests",
    "What was asked of sources and targets, by operation and how it ended.",
    *("side", "system", "operation", "outcome"),
)
REQUEST_SECONDS = _histogram(
    "request_seconds", "How long sources and targets took.", "side", "system", "operation"
)
PUSHBACKS = _counter("pushbacks", "How often a target asked for fewer requests.", "system")
PACE_PARALLEL = _gauge("pace_parallel", "Requests that may be under way at once, now.", "system")
PACE_PER_SECOND = _gauge(
    "pace_per_second", "Requests a second at most, given or learned; absent without a limit.",
    "system",
)  # fmt: skip
CYCLE_ABORTS = _counter("cycle_aborts", "Cycles that could not begin or broke off.", "job", "code")
API_REQUESTS = _counter("api_requests", "Requests to the API.", "method", "status")
API_SECONDS = _histogram("api_request_seconds", "How long the API took.", "method")

METRICS: tuple[Metric, ...] = tuple(one for one in vars().values() if isinstance(one, Metric))
BY_NAME = {metric.name: metric for metric in METRICS}
