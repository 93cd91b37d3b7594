"""How Hypothesis looks for one failure and no more: loaded beside a law that should notice one."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    max_examples=int(os.environ.get("EXAMPLES", "400")),
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=tuple(HealthCheck),
)
