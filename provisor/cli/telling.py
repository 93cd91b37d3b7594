"""What processes that keep going are told about the log and traces, alike for all of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from provisor.cli.exits import WrongUse
from provisor.cli.workspace import Telling
from provisor.telemetry.levels import LogFormat, LogLevel

F = TypeVar("F", bound=Callable[..., Any])
OPTIONS = (
    click.option(
        "--log-format",
        type=click.Choice([one.value for one in LogFormat]),
        default=LogFormat.TEXT.value,
        envvar="PROVISOR_LOG_FORMAT",
        show_default=True,
        help="How the log on standard error is written.",
    ),
    click.option(
        "--log-level",
        type=click.Choice([one.value for one in LogLevel]),
        default=LogLevel.INFO.value,
        envvar="PROVISOR_LOG_LEVEL",
        show_default=True,
        help="What is logged: this and what is worse.",
    ),
    click.option(
        "--otlp-endpoint",
        "collector",
        default="",
        envvar="PROVISOR_OTLP_ENDPOINT",
        help="Send traces of cycles there (OTLP over HTTP).",
    ),
    click.option(
        "--trace-objects",
        "traced",
        type=click.FloatRange(0, 1),
        default=0.01,
        show_default=True,
        help="Which part of the objects that went well to trace.",
    ),
)


def telling_options(command: F) -> F:
    """Give a command the options that `telling_of` takes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def telling_of(log_format: str, log_level: str, collector: str, traced: float) -> Telling:
    """Return what operators are told, and how. Raises WrongUse."""
    address = urlsplit(collector)
    if collector and not (address.scheme in ("http", "https") and address.netloc):
        raise WrongUse("--otlp-endpoint is an address such as http://127.0.0.1:4318")
    if collector and find_spec("opentelemetry") is None:
        raise WrongUse("traces need more packages: pip install 'provisor[otel]'")
    return Telling(
        format=LogFormat(log_format), level=LogLevel(log_level), collector=collector, traced=traced
    )
