"""`make crash`: hundreds of deaths, and every broken disk, over and over; it ends by itself.

`python -m tests.crash [KILLS] [SEED]` prints what it tried; a seed repeats a run.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.crash.campaign import Campaign, told
from tests.crash.firm import site

KILLS, KILLS_A_SITE = 300, 25


def main(arguments: list[str]) -> int:
    kills = int(arguments[0]) if arguments else KILLS
    seed = int(arguments[1]) if len(arguments) > 1 else random.SystemRandom().randrange(2**31)
    sys.stdout.write(f"seed {seed}: repeat with  python -m tests.crash {kills} {seed}\n")
    tried = Counter[str]()
    for number, first in enumerate(range(0, kills, KILLS_A_SITE)):
        with tempfile.TemporaryDirectory() as folder, site(Path(folder), seed + number) as place:
            campaign = Campaign(place, seed + number)
            try:
                campaign.kill(min(KILLS_A_SITE, kills - first))
                campaign.break_disk()
                campaign.damage()
            finally:
                tried += campaign.tried
                sys.stdout.write(f"\nsite {number + 1}, seed {seed + number}\n{told(tried)}\n")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
