"""The people whom every engine is given, as the organisation's file says them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = "people.csv"


@dataclass(frozen=True)
class Person:
    id: str
    user_name: str
    given: str
    family: str
    mail: str
    is_active: bool


def people(folder: Path) -> list[Person]:
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return [
            Person(
                id=row["id"],
                user_name=row["userName"],
                given=row["givenName"] or "-",
                family=row["familyName"] or "-",
                mail=row["mail"] or row["userName"],
                is_active=row["accountEnabled"] == "true",
            )
            for row in csv.DictReader(file)
        ]
