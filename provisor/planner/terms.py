"""Under what terms the objects of one mapping are decided: its rule, compiled, and the policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from provisor.expressions.compile import compile_mappings
from provisor.expressions.context import Answer, Context
from provisor.model.entries import Attributes
from provisor.model.rules import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    Mutability,
    ObjectMapping,
    Policy,
    Refers,
)

Program: TypeAlias = Callable[[Attributes, Context], Mapping[str, Answer]]
"""Evaluates several mappings at once: values by target attribute, not fitted to it yet."""


@dataclass(frozen=True, slots=True)
class Terms:
    mapping: ObjectMapping
    policy: Policy
    context: Context
    plain: tuple[AttributeMapping, ...]
    """The mappings that point at nothing, in order."""
    pointing: tuple[AttributeMapping, ...]
    """The mappings of references."""
    evaluate_pointing: Mapping[str, Program]
    """Those of them that have a source, each by its target attribute."""
    matching: tuple[AttributeMapping, ...]
    """The matching attributes, first to be tried first."""
    definitions: Mapping[str, AttributeDefinition]
    """What is known of each target attribute that is mapped."""
    texts: frozenset[str]
    """Target attributes of `plain` that hold one text."""
    readable: tuple[str, ...]
    """Target attributes of `plain` that can be read back."""
    redacted: frozenset[str]
    """Target attributes whose values nobody is shown."""
    blackens: bool
    """A value is redacted that the target may say again: only its expression asks for it."""
    evaluate: Program
    """Every plain mapping that has a source."""
    evaluate_matching: Program
    evaluate_disable: Program
    """Those that depend on IsSoftDeleted: all that a disable sends."""


def terms_of(mapping: ObjectMapping, policy: Policy, context: Context) -> Terms:
    """Compile one object mapping. Once per cycle: the rest of the planner only calls."""
    plain = tuple(m for m in mapping.attributes if m.refers is Refers.TO_NONE)
    disabling = tuple(m for m in plain if m.depends_on_soft_deleted)
    matching = sorted((m for m in plain if m.matching_priority), key=lambda m: m.matching_priority)
    pointing = tuple(m for m in mapping.attributes if m.refers is not Refers.TO_NONE)
    return Terms(
        mapping=mapping,
        policy=policy,
        context=context,
        plain=plain,
        pointing=pointing,
        evaluate_pointing={m.target.name: _compile((m,)) for m in pointing if m.source},
        matching=tuple(matching),
        definitions={m.target.name: m.target for m in mapping.attributes},
        texts=frozenset(m.target.name for m in plain if is_text(m.target)),
        readable=tuple(
            m.target.name for m in plain if m.target.mutability is not Mutability.WRITE_ONLY
        ),
        redacted=frozenset(m.target.name for m in mapping.attributes if m.is_redacted),
        blackens=any(
            m.is_redacted and m.target.mutability is not Mutability.WRITE_ONLY
            for m in mapping.attributes
        ),
        evaluate=_compile(plain),
        evaluate_matching=_compile(tuple(m for m in plain if m.matching_priority)),
        evaluate_disable=_compile(disabling),
    )


def is_text(definition: AttributeDefinition) -> bool:
    return definition.type is AttributeType.STRING and not definition.is_multivalued


def _compile(mappings: tuple[AttributeMapping, ...]) -> Program:
    pairs = [(m.target.name, m.source) for m in mappings if m.source is not None]
    return compile_mappings(pairs)
