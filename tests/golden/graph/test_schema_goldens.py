"""A schema as it is published for a gallery application imports, runs, and comes back the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from provisor.expressions.parser import parse
from provisor.graph.schema.document import canonical, read_schema
from provisor.graph.schema.rules import to_rules
from provisor.graph.wire.coding import plain
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.expressions import Expression
from provisor.model.rules import Flows, MappingName

DOCUMENT = (Path(__file__).parent / "schema-salesforce.json").read_bytes()


def schema() -> SynchronizationSchema:
    value, problems = read_schema(DOCUMENT)
    assert problems == ()
    assert value is not None
    return value


def test_it_has_no_problems() -> None:
    rules, problems = to_rules(schema())
    assert problems == ()
    assert list(rules) == [MappingName("User to User")]


def test_it_means_what_the_reference_lists() -> None:
    rules, _ = to_rules(schema())
    mapping = rules[MappingName("User to User")]

    def expression(text: str) -> Expression:
        return parse(text)

    found = {m.target.name: (m.source, m.default_value) for m in mapping.attributes}
    assert found == {
        "IsActive": (expression("Not([IsSoftDeleted])"), "True"),
        "Alias": (expression("Mid([userPrincipalName], 1, 8)"), None),
        "Email": (expression("[mail]"), None),
        "EmailEncodingKey": (None, "ISO-8859-1"),
        "LanguageLocaleKey": (None, "en_US"),
        "FirstName": (expression("[givenName]"), None),
        "LastName": (expression("[surname]"), "."),
        "LocaleSidKey": (
            expression('Replace([preferredLanguage], "-", , , "_", , )'),
            "en_US",
        ),
        "ProfileName": (
            expression("SingleAppRoleAssignment([appRoleAssignments])"),
            "Chatter Free User",
        ),
        "TimeZoneSidKey": (None, "America/Los_Angeles"),
        "Username": (expression("[userPrincipalName]"), None),
        "UserPermissionsCallCenterAutoLogin": (None, "False"),
        "UserPermissionsMarketingUser": (None, "False"),
        "UserPermissionsOfflineUser": (None, "False"),
    }
    assert [m.target.name for m in mapping.attributes if m.matching_priority] == ["Username"]
    assert mapping.flows is Flows.ALL
    assert mapping.supports_soft_delete


def test_nothing_of_it_is_changed_or_lost() -> None:
    given: Any = msgspec.json.decode(DOCUMENT)
    back: Any = plain(canonical(schema()))
    assert within(given, back) == []


def within(given: Any, back: Any, path: str = "") -> list[str]:
    """Return where `back` does not say what was given; it may say more (defaults)."""
    if isinstance(given, dict):
        pairs: list[tuple[str, Any]] = list(given.items())  # pyright: ignore[reportUnknownArgumentType]
        return [p for n, v in pairs for p in within(v, back.get(n, f"no {n}"), f"{path}.{n}")]
    if isinstance(given, list):
        items: list[Any] = list(given)  # pyright: ignore[reportUnknownArgumentType]
        if len(items) != len(back):
            return [path]
        return [p for i, v in enumerate(items) for p in within(v, back[i], f"{path}[{i}]")]
    return [] if given == back else [path]


def test_putting_what_was_got_changes_nothing() -> None:
    stored = canonical(schema())
    assert canonical(stored) == stored
    assert to_rules(stored) == to_rules(schema())
