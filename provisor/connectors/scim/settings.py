"""The settings of a SCIM service, checked once, with all problems at once (spec: scim-target 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, urlencode

from provisor.connectors.http.settings import (
    HttpSettings,
    Invalid,
    SettingsReader,
    base_of,
    read_ca_file,
    read_credentials,
    read_headers,
    read_proxy,
    read_timeouts,
    read_url,
)
from provisor.connectors.scim.paths import PathError
from provisor.connectors.scim.paths import parse as parse_path
from provisor.connectors.scim.quirks import (
    PROFILES,
    ManagerFormat,
    MemberRemoval,
    PatchStyle,
    Quirks,
)

FLAGS: Mapping[str, PatchStyle] = {
    "aadoptscim062020": PatchStyle.ENTRA_COMPLIANT,
    "azureadscimpatch2017": PatchStyle.ENTRA_LEGACY,
}
"""What Entra's feature flags in the tenant URL mean to us; they are never sent."""

DAY_S: Final = 86_400.0


class Paging(StrEnum):
    """How lists are asked for page by page."""

    AUTO = "auto"
    """By cursor, where the server says that it has them."""
    INDEX = "index"
    CURSOR = "cursor"


class Changes(StrEnum):
    """How a source tells what changed."""

    SNAPSHOT = "snapshot"
    TIMESTAMPS = "timestamps"
    """By `meta.lastModified`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a SCIM service is read as a source."""

    paging: Paging = Paging.AUTO
    changes: Changes = Changes.SNAPSHOT
    overlap_s: float = 300.0
    full_read_every_s: float = DAY_S
    reads_groups: bool = True
    attributes: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    """Names inside by SCIM path, as the administrator wrote them; None leaves it out."""
    multivalued: frozenset[str] = frozenset()
    """Names inside whose every value is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimSettings(HttpSettings):
    patch_style: PatchStyle = PatchStyle.RFC
    quirks: Quirks = field(default_factory=Quirks)
    page_size: int = 100
    reads_back: bool = True
    """After the first write of each kind, look at what was really stored (spec: settled 33)."""
    probe_writes: bool = False
    """A probe may make objects of its own, try the ways of writing on them, and remove them."""
    reading: Reading = field(default_factory=Reading)


def parse(raw: Mapping[str, object]) -> ScimSettings | Invalid:
    """Return the settings that a mapping holds, or all that is wrong with it."""
    reader = SettingsReader(raw, "SCIM services")
    profile_name = reader.text("profile", "generic")
    profile = PROFILES.get(profile_name)
    if profile is None:
        reader.complain("profile", f"is not one of {', '.join(PROFILES)}")
        profile = PROFILES["generic"]
    allows_insecure = reader.flag("allowInsecure", default=False)
    base, query, flagged = _address(reader, allows_insecure)
    settings = ScimSettings(
        base=base,
        query=query,
        credentials=read_credentials(reader, allows_insecure),
        patch_style=reader.choice("patchStyle", PatchStyle, flagged or profile.patch_style),
        quirks=_quirks(reader, profile.quirks),
        headers=read_headers(reader),
        ca_file=read_ca_file(reader),
        proxy=read_proxy(reader),
        timeouts=read_timeouts(reader),
        rate_limit=reader.amount("rateLimit", profile.rate_limit),
        connections_max=reader.count("connectionsMax", 32),
        page_size=reader.count("pageSize", 100),
        reads_back=reader.flag("readBack", default=True),
        probe_writes=reader.flag("probeWrites", default=False),
    )
    settings = replace(settings, reading=_reading(reader))
    reader.finish()
    return Invalid(tuple(reader.problems)) if reader.problems else settings


def _address(reader: SettingsReader, allows_insecure: bool) -> tuple[str, str, PatchStyle | None]:
    text = reader.text("baseAddress").strip()
    if not text:
        reader.complain("baseAddress", "is missing: the tenant URL, as https://host/scim/v2")
        return "", "", None
    parts = read_url(reader, "baseAddress", text, allows_insecure)
    if parts is None:
        return "", "", None
    kept: list[tuple[str, str]] = []
    flagged = None
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        style = FLAGS.get(name.lower())
        flagged = style or flagged
        if style is None:
            kept.append((name, value))
    return base_of(parts), urlencode(kept), flagged


def _reading(reader: SettingsReader) -> Reading:
    attributes = reader.renames("attributes")
    for path in attributes:
        try:
            parse_path(path)
        except PathError as error:
            reader.complain(f"attributes.{path}", str(error))
    return Reading(
        paging=reader.choice("paging", Paging, Paging.AUTO),
        changes=reader.choice("changes", Changes, Changes.SNAPSHOT),
        overlap_s=reader.seconds("overlap", 300, 1, 7 * DAY_S),
        full_read_every_s=reader.seconds("fullReadEvery", DAY_S, 60, 365 * DAY_S),
        reads_groups=reader.flag("groups", default=True),
        attributes=attributes,
        multivalued=frozenset(reader.texts("multiValued", ())),
    )


def _quirks(reader: SettingsReader, usual: Quirks) -> Quirks:
    return replace(
        usual,
        active_as_string=reader.flag("activeAsString", usual.active_as_string),
        assume_type=reader.text("assumeType", usual.assume_type),
        auto_primary=reader.texts("autoPrimary", usual.auto_primary),
        content_type=reader.text("contentType", usual.content_type),
        drop_paths=reader.texts("dropPaths", usual.drop_paths),
        inactive_is_gone=reader.flag("inactiveIsGone", usual.inactive_is_gone),
        manager_format=reader.choice("managerFormat", ManagerFormat, usual.manager_format),
        max_operations_per_patch=reader.count(
            "maxOpsPerPatch", usual.max_operations_per_patch, least=0
        ),
        max_members_per_patch=reader.count("maxMembersPerPatch", usual.max_members_per_patch),
        member_removal=reader.choice("memberRemoval", MemberRemoval, usual.member_removal),
        nested_extensions=reader.flag("nestedExtensions", usual.nested_extensions),
        probe_404_as_empty=reader.flag("probe404AsEmpty", usual.probe_404_as_empty),
        put_fallback=reader.flag("putFallback", usual.put_fallback),
        removes_first=reader.flag("removesFirst", usual.removes_first),
        remove_whole_element=reader.flag("removeWholeElement", usual.remove_whole_element),
    )
