"""An invented organisation, written as the files of an HR export.

`python -m tests.worlds.orgdata --people 2000 --groups 50 --seed 7 --out DIR` writes one by hand.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

from provisor.demo.organisation import Organisation, files, organisation


def write(organisation: Organisation, folder: Path) -> None:
    """Write people.csv, groups.csv and members.csv, each at once: nobody reads half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files(organisation).items():
        unfinished = folder / f".{name}.unfinished"
        unfinished.write_text(text, encoding="utf-8", newline="")
        unfinished.replace(folder / name)


def main() -> None:
    """Write an organisation to a folder and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--groups", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    invented = organisation(Random(chosen.seed), chosen.people, chosen.groups)
    write(invented, chosen.out)
    members = sum(len(group.members) for group in invented.groups.values())
    print(f"{len(invented.people)} people, {len(invented.groups)} groups, {members} memberships")


if __name__ == "__main__":
    main()
