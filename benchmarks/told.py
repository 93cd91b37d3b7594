"""How a process that is timed says what it took."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def telling() -> Generator[dict[str, Any]]:
    """Time what is inside, of the wall and of this process's processor; print it with what is put
    into the value."""
    said: dict[str, Any] = {}
    wall, processor = time.perf_counter(), time.process_time()
    yield said
    said["wall"] = time.perf_counter() - wall
    said["processor"] = time.process_time() - processor
    said["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(said))
