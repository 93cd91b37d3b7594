"""The log for operators: constant events with fields, as text or as JSON, on standard error.

An event names job, cycle and object by their ids. Attributes of people, addresses with queries and
secrets are no fields of any event; what they were is in the ledger, which asks who may see it.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from provisor.telemetry.levels import LogFormat, LogLevel


def configure(format: LogFormat, level: LogLevel) -> None:
    """Have everything logged on standard error: results are on standard output, nothing else."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if format is LogFormat.JSON:
        # A traceback names places in the code; what variables held there is nobody's business.
        ending: list[Processor] = [
            structlog.processors.ExceptionRenderer(),
            structlog.processors.JSONRenderer(),
        ]
    else:
        ending = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.value.upper()]
        ),
        # Text and line end in one write: two processes share the pipe, and lines stay whole.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Passing()], level=logging.WARNING, force=True)


class _Passing(logging.Handler):
    """Has what libraries warn of told in the form of everything else."""

    def emit(self, record: logging.LogRecord) -> None:
        tell = structlog.get_logger().bind(library=record.name, said=record.getMessage())
        failure = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        tell.log(record.levelno, "a library warns", failure=failure)
