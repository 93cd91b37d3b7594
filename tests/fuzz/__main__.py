"""`make fuzz`: tries every subject in turn until the time is over; exits 1 if anything was found.

A case is made from its number alone, so that `SEED=… CASE=evaluation:1234 make fuzz` repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pprint import pformat
from random import Random, SystemRandom

from tests.fuzz.subjects import SUBJECTS, Case

SLOW_S = 8.0
"""A case that takes longer is a find: patterns may take a second each, a few to a case."""
SHOWN_MAX = 5
"""Finds of one kind that are told in full."""
TURN = 50
"""Cases of one subject before the next has its turn."""


@dataclass(frozen=True, slots=True)
class Find:
    subject: str
    number: int
    kind: str
    """The same for finds that probably have one cause."""
    account: str


def tried(subject: str, seed: int, number: int) -> Find | None:
    """Try one case; return what was found."""
    case: Case = {}
    began = time.process_time()
    try:
        SUBJECTS[subject](Random(f"{seed}:{subject}:{number}"), case)
    except Exception as error:  # noqa: BLE001  # everything is a find
        *_, last = traceback.extract_tb(error.__traceback__)
        kind = f"{type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.lineno}"
        account = "".join(traceback.format_exception(error, limit=-8))
        return Find(subject, number, kind, f"{pformat(case, width=120)[:3_000]}\n{account}")
    took = time.process_time() - began
    if took > SLOW_S:
        return Find(subject, number, "too slow", f"{took:.1f} s\n{pformat(case)[:3_000]}")
    return None


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(find: Find, seed: int) -> None:
    say(f"\nfound {find.kind}\nrepeat: SEED={seed} CASE={find.subject}:{find.number} make fuzz")
    say(find.account)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--case", help="subject:number, to repeat one")
    parser.add_argument("--subject", choices=sorted(SUBJECTS), action="append")
    given = parser.parse_args()
    seed = SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    if given.case:
        subject, _, number = given.case.partition(":")
        find = tried(subject, seed, int(number))
        if find is not None:
            tell(find, seed)
        return int(find is not None)
    return run(given.subject or list(SUBJECTS), seed, given.seconds)


def run(subjects: list[str], seed: int, seconds: float) -> int:
    say(f"fuzzing {', '.join(subjects)} for {seconds:g} s with seed {seed}")
    ends = time.monotonic() + seconds
    cases: Counter[str] = Counter()
    finds: Counter[str] = Counter()
    while time.monotonic() < ends:
        for subject in subjects:
            for _ in range(TURN):
                find = tried(subject, seed, cases[subject])
                cases[subject] += 1
                if find is not None:
                    finds[find.kind] += 1
                    if finds[find.kind] <= SHOWN_MAX:
                        tell(find, seed)
    say(", ".join(f"{count:,} {subject}" for subject, count in cases.items()))
    for kind, count in finds.most_common():
        say(f"{count:,} times {kind}")
    say("nothing was found" if not finds else f"{len(finds)} kinds of finds")
    return int(bool(finds))


if __name__ == "__main__":
    sys.exit(main())
