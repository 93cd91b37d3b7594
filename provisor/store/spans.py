"""What references may point at, as writes go out and are answered. Pure, as `transitions` is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from provisor.model.decisions import AttributeChange, ReferencesChange, Span, TargetChange
from provisor.model.entries import Attributes
from provisor.planner.diff import as_set


def carried(referred: Mapping[str, Span], attributes: Attributes) -> dict[str, Span]:
    """Return what may hold once a create is sent that carries references."""
    return widen(
        referred,
        (AttributeChange(name, None, value) for name, value in attributes.items() if as_set(value)),
    )


def widen(referred: Mapping[str, Span], changes: Iterable[TargetChange]) -> dict[str, Span]:
    """Return what may hold once `changes` are sent and before they are answered."""
    spans = dict(referred)
    for change in changes:
        old = spans.get(change.name, Span())
        match change:
            case AttributeChange(_, _, after):
                certain, possible = old.certain & as_set(after), old.possible | as_set(after)
            case ReferencesChange(_, added, removed):
                certain, possible = old.certain - (removed - added), old.possible | added
            case _:
                assert_never(change)
        spans[change.name] = Span(certain, possible)
    return spans


def confirm(referred: Mapping[str, Span], done: Iterable[TargetChange]) -> dict[str, Span]:
    """Return what holds once it is sure that these changes were made; what was attempted besides
    stays possible."""
    spans = dict(referred)
    for change in done:
        old = spans.get(change.name, Span())
        match change:
            case AttributeChange(_, _, after):
                spans[change.name] = Span(as_set(after), as_set(after))
            case ReferencesChange(_, added, removed):
                certain, possible = old.certain - removed | added, old.possible - removed | added
                spans[change.name] = Span(certain, possible)
            case _:
                assert_never(change)
    return spans


def uncertain(referred: Mapping[str, Span]) -> dict[str, Span]:
    """Return spans of which nothing is sure any more, but that there may be no more than that."""
    return {name: Span(possible=span.possible) for name, span in referred.items() if span.possible}


def learnt(referred: Mapping[str, Span], news: Mapping[str, Span]) -> dict[str, Span]:
    """Return spans once more is known: what is certain, or that no more than this is possible."""
    spans = dict(referred)
    for name, told in news.items():
        new = told
        if not told.certain:
            old = spans.get(name, Span())
            new = Span(old.certain & told.possible, old.possible & told.possible)
        spans[name] = new
    return {name: span for name, span in spans.items() if span.possible}
