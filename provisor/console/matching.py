"""Which attribute of a source is likely to mean the same as one of the target: by their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, USUAL, SIMILAR = 100, 90, 70
"""How sure a suggestion is, in percent: at most, for each kind of likeness."""
LEAST_LIKE = 0.8
FAMILIES: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "mail email emails emailswork emailaddress mailaddress workemail primaryemail",
        "username userprincipalname login loginname logon samaccountname uid account accountname",
        "surname familyname lastname sn namefamilyname lname",
        "givenname firstname namegivenname fname forename",
        "jobtitle title position role",
        "department departmentname dept departmentnumber orgunit division",
        "employeeid employeenumber personnelnumber personno staffid empid badge",
        "telephonenumber phone phonenumber workphone phonenumberswork businessphones tel",
        "mobile mobilephone cellphone phonenumbersmobile cell",
        "companyname company organization organisation o",
        "city l locality addressesworklocality town",
        "state st region addressesworkregion province",
        "streetaddress street addressesworkstreetaddress address",
        "postalcode zip zipcode addressesworkpostalcode",
        "country c co addressesworkcountry countryorregion",
        "office physicaldeliveryofficename officelocation location",
        "preferredlanguage language locale lang",
        "nickname alias mailnickname",
        "costcenter costcentre",
        "usertype employeetype",
        "displayname fullname name cn nameformatted",
        "externalid objectid id",
    )
)
"""Names for one thing, as different systems call it; without case and marks."""


@dataclass(frozen=True, slots=True, order=True)
class Suggestion:
    """A pair that is likely to mean the same."""

    confidence: int
    """Percent."""
    target: str
    source: str
    why: str

    @property
    def is_sure(self) -> bool:
        return self.confidence >= USUAL


def suggestions(sources: Collection[str], targets: Sequence[str]) -> list[Suggestion]:
    """Return the likeliest source attribute for each target attribute that has one, surest first.

    A source attribute is suggested once only where it is not the very name.
    """
    pairs = sorted(
        (found for target in targets for source in sources if (found := likeness(source, target))),
        key=lambda one: (-one.confidence, one.target, one.source),
    )
    chosen: dict[str, Suggestion] = {}
    used: set[str] = set()
    for one in pairs:
        if one.target in chosen or (one.source in used and one.confidence < SAME):
            continue
        chosen[one.target] = one
        used.add(one.source)
    return list(chosen.values())


def likeness(source: str, target: str) -> Suggestion | None:
    """Return how sure it is that two names mean the same; None: not at all."""
    left, right = _bare(source), _bare(_own_part(target))
    whole = _bare(target)
    if left in (right, whole):
        return Suggestion(SAME, target, source, "same name")
    for family in FAMILIES:
        if left in family and (right in family or whole in family):
            return Suggestion(USUAL, target, source, "usual pair")
    ratio = SequenceMatcher(None, left, right).ratio()
    if ratio >= LEAST_LIKE and len(left) > 3:
        return Suggestion(round(SIMILAR * ratio), target, source, "similar name")
    return None


def _own_part(target: str) -> str:
    """Return an attribute's own name, without the schema or the object that it lies in."""
    last = target.rpartition(":")[2]
    return last.rpartition(".")[2] if "[" not in last else last


def _bare(name: str) -> str:
    """Return a name without case and marks; of a filter only what it picks is kept."""
    picked = re.sub(r'\[\s*type\s+eq\s+"(\w+)"\s*\]', r"\1", name)
    return re.sub(r"\.value$", "", picked).translate(_MARKS).lower()


_MARKS = str.maketrans("", "", " _-.:[]\"'")
