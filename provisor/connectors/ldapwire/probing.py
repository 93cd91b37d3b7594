"""What a probe says of a server that did not let it in."""

from __future__ import annotations

from collections.abc import Mapping

from provisor.errors import AdapterError, Denied
from provisor.model.directories import Finding, Topic, wrong


def not_let_in(
    error: AdapterError, reached: Finding, remedies: Mapping[Topic, str]
) -> tuple[Finding, ...]:
    """Return the findings: who was denied has `reached` the server, and gave wrong credentials."""
    topic = Topic.CREDENTIALS if isinstance(error, Denied) else Topic.CONNECTION
    refusal = wrong(topic, error.code, str(error), remedies[topic])
    return (reached, refusal) if topic is Topic.CREDENTIALS else (refusal,)
