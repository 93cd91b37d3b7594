"""What a target makes of what it is told: values that it rewrites, drops, or never shows.

Written once more they would come back the same, each time they are looked at; so it is remembered
which answer which value had, and the same is not sent again (spec: settled 33; scim-target Q8, Q9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from provisor.model.decisions import AttributeChange, Echo
from provisor.model.entries import Attributes, Reference, Value
from provisor.model.rules import AttributeMapping, Mutability
from provisor.planner.diff import same

PERPETUAL = 3
"""How often a value that always comes back another is sent, where writes are not answered with
what the object says; an answer that tells is believed at once."""

HALF = 8
NOBODY = "0" * HALF


def silenced(
    changes: Iterable[AttributeChange], echoes: Mapping[str, Echo]
) -> tuple[tuple[AttributeChange, ...], bool]:
    """Return the changes that are worth sending, and whether others are not."""
    told = tuple(changes)
    kept = tuple(change for change in told if not _is_settled(change, echoes.get(change.name)))
    return kept, len(kept) < len(told)


def _is_settled(change: AttributeChange, echo: Echo | None) -> bool:
    if echo is None or echo.times < PERPETUAL:
        return False
    return echo.digest == _digest(change.after, change.before)


def after_write(
    mappings: Iterable[AttributeMapping],
    echoes: Mapping[str, Echo],
    sent: Attributes,
    said: Attributes | None,
) -> dict[str, Echo]:
    """Return what is known once a write was answered. `said`: None where the answer does not tell.

    What can only be written is known by its digest alone: it is not kept, and not sent again.
    """
    known = dict(echoes)
    for mapping in mappings:
        name = mapping.target.name
        if name not in sent:
            continue
        if mapping.target.mutability is Mutability.WRITE_ONLY:
            known[name] = Echo(_digest(sent[name], None), PERPETUAL)
        elif said is not None and same(mapping.target, sent[name], said.get(name)):
            known.pop(name, None)
        elif said is not None:
            known[name] = Echo(_digest(sent[name], said.get(name)), PERPETUAL)
    return known


def after_look(echoes: Mapping[str, Echo], told: Attributes, said: Attributes) -> dict[str, Echo]:
    """Return what is known once an object says something else than it was told.

    `told`: as it said when it was last looked at. What is held already, and is as it was then,
    stays held: another attribute is what changed.
    """
    known = dict(echoes)
    for name, value in told.items():
        if said.get(name) == value:
            if name in known and known[name].times < PERPETUAL:
                del known[name]
            continue
        digest = _digest(value, said.get(name))
        before = known.get(name)
        is_again = before is not None and before.digest == digest
        known[name] = Echo(digest, before.times + 1 if before and is_again else 1)
    return known


def after_roll(
    before: Echo | None, missing: frozenset[Reference], others: frozenset[Reference]
) -> Echo | None:
    """Return what is known of references to many once the target said whom an object points at:
    whom it lacks though it was told, and whom others let it point at. None: it is as we left it.

    One half of the digest is of those, the other of these; it counts how often these were missing.
    """
    if not missing and not others:
        return None
    digest = _part(missing) + _part(others)
    is_again = before is not None and missing and before.digest[:HALF] == digest[:HALF]
    times = before.times if before is not None and is_again else 0
    return Echo(digest, min(times + bool(missing), PERPETUAL + 1))


def is_not_shown(echo: Echo | None) -> bool:
    """True where the same references were told again and again, and are not shown all the same."""
    return echo is not None and echo.times > PERPETUAL


def are_others_new(before: Echo | None, now: Echo | None) -> bool:
    """True where others let an object point at somebody since that was last told."""
    told = NOBODY if before is None else before.digest[HALF:]
    return now is not None and now.digest[HALF:] not in (told, NOBODY)


def _part(references: frozenset[Reference]) -> str:
    if not references:
        return NOBODY
    told = sorted((one.kind, one.anchor) for one in references)
    return blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=HALF // 2).hexdigest()


def accepted(changes: Iterable[AttributeChange], echoes: Mapping[str, Echo]) -> dict[str, Echo]:
    """Return what is known once an administrator lets be what an object says: the change that
    would put it right is not sent, until another value is to be told, or is said."""
    let_be = {c.name: Echo(_digest(c.after, c.before), PERPETUAL, True) for c in changes}
    return {**echoes, **let_be}


def _digest(told: Value | None, said: Value | None) -> str:
    """Not a secret's keeper: eight bytes tell that a value is another, and not what it is."""
    return blake2b(repr((told, said)).encode(), digest_size=8).hexdigest()
