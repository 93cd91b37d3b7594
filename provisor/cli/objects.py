"""Which object somebody means: `[kind:]anchor`, a target id, or a matching value (settled 37)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from provisor.cli.exits import WrongUse
from provisor.cli.render import clean
from provisor.model.decisions import Standing
from provisor.model.entries import Anchor, Entry, EntryKey, Page, Seen
from provisor.model.expressions import attributes_of
from provisor.model.rules import ObjectMapping, Rules
from provisor.planner.record import name_of
from provisor.ports import Journal, Source

HITS_MAX = 20


async def find_object(rules: Rules, journal: Journal, source: Source, text: str) -> EntryKey:
    """Return the one source object that `text` names.

    What is remembered is asked first; then the source, by id and at last by reading it. Raises
    WrongUse with the list where there are several, or none.
    """
    kinds = list(dict.fromkeys(m.source_kind for m in rules.values() if m.is_enabled))
    wanted, plain = _split(text, kinds)
    hits = await _remembered(rules, journal, wanted, {text, plain})
    if not hits:
        hits = await _by_anchor(source, wanted, plain)
    if not hits:
        hits = await _by_value(rules, source, wanted, plain)
    if not hits:
        raise WrongUse(
            f"no object is called '{clean(text)}': give its id in the source, its id in the "
            f"target, or a value that it is matched by; {' and '.join(kinds)} are known kinds"
        )
    if len(hits) > 1:
        listed = "\n".join(f"  {k.kind}:{clean(k.anchor)}  {clean(n)}" for k, n in hits.items())
        raise WrongUse(f"'{clean(text)}' names several objects; say which:\n{listed}")
    return next(iter(hits))


def _split(text: str, kinds: Collection[str]) -> tuple[tuple[str, ...], str]:
    """Return the kinds that may be meant, and the text without one."""
    prefix, colon, rest = text.partition(":")
    named = [kind for kind in kinds if kind.lower() == prefix.lower()]
    return ((named[0],), rest) if colon and rest and named else (tuple(kinds), text)


async def _remembered(
    rules: Rules, journal: Journal, kinds: Collection[str], texts: Iterable[str]
) -> Mapping[EntryKey, str]:
    hits: dict[EntryKey, str] = {}
    for text in sorted(texts):
        for standing in await journal.lookup(text, HITS_MAX):
            mapping = rules.get(standing.key.mapping)
            if mapping is not None and mapping.source_kind in kinds:
                hits[EntryKey(mapping.source_kind, standing.key.anchor)] = _name(standing)
    return hits


def _name(standing: Standing) -> str:
    return name_of(standing.source.attributes) if standing.source else ""


async def _by_anchor(source: Source, kinds: Collection[str], text: str) -> Mapping[EntryKey, str]:
    keys = [EntryKey(kind, Anchor(text)) for kind in kinds]
    found = {key: await source.fetch(key) for key in keys}
    return {key: name_of(entry.attributes) for key, entry in found.items() if entry is not None}


async def _by_value(
    rules: Rules, source: Source, kinds: Collection[str], text: str
) -> Mapping[EntryKey, str]:
    """Read the source for objects that a matching attribute would find under this value."""
    names = {kind: _matching(rules.values(), kind) for kind in kinds}
    hits: dict[EntryKey, str] = {}
    async for part in source.pull(None):
        if not isinstance(part, Page):
            continue
        for change in part.changes:
            if isinstance(change, Seen) and _answers(change.entry, names, text):
                entry = change.entry
                hits[EntryKey(entry.kind, entry.anchor)] = name_of(entry.attributes)
        if len(hits) >= HITS_MAX:
            break
    return hits


def _matching(mappings: Iterable[ObjectMapping], kind: str) -> frozenset[str]:
    names = frozenset[str]()
    for mapping in mappings:
        for attribute in mapping.attributes:
            is_matching = attribute.matching_priority and attribute.source is not None
            if mapping.source_kind == kind and is_matching and attribute.source is not None:
                names |= attributes_of(attribute.source)
    return names


def _answers(entry: Entry, names: Mapping[str, frozenset[str]], text: str) -> bool:
    values = (entry.attributes.get(name) for name in names.get(entry.kind, ()))
    return any(isinstance(value, str) and value.lower() == text.lower() for value in values)
