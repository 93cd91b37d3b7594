"""What real servers want otherwise, as data: profiles an administrator can name (scim-target 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

MEMBERS_MAX = 100
"""What AWS IAM Identity Center takes in one PATCH; nobody is known to take less (settled 33)."""


class PatchStyle(StrEnum):
    """In which of its three spellings a change is sent (spec: scim-target 5)."""

    RFC = "rfc"
    ENTRA_COMPLIANT = "entra-compliant"
    ENTRA_LEGACY = "entra-legacy"

    @property
    def is_entra(self) -> bool:
        return self is not PatchStyle.RFC


class ManagerFormat(StrEnum):
    """The shape in which a reference of one is written (spec: scim-target 5.5)."""

    STYLE = "style"  # as the patch style has it
    OBJECT = "object"  # {"value": id}
    STRING = "string"  # id
    LIST = "list"  # [{"$ref": …, "value": id}]
    VALUE_PATH = "valuePath"  # id, at manager.value


class MemberRemoval(StrEnum):
    """How members are removed. A strict server reads the array as: remove all of them."""

    STYLE = "style"
    FILTER = "filter"  # path members[value eq "id"], one operation each
    ARRAY = "array"  # path members, with a list of values


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Where a server departs from the standard. Each has a key of the same name in settings."""

    active_as_string: bool = False
    """`active` is written as text."""
    assume_type: str = ""
    """An only element that comes back without type counts as one of this type."""
    auto_primary: tuple[str, ...] = ("emails",)
    """Attributes whose first element is made primary at creation."""
    content_type: str = "application/scim+json"
    drop_paths: tuple[str, ...] = ()
    """Attributes the server refuses: never sent."""
    inactive_is_gone: bool = False
    """Disabled users answer 404."""
    manager_format: ManagerFormat = ManagerFormat.STYLE
    max_operations_per_patch: int = 0
    """0: as many as there are."""
    max_members_per_patch: int = MEMBERS_MAX
    member_removal: MemberRemoval = MemberRemoval.STYLE
    nested_extensions: bool = False
    """Extension attributes are patched without path, nested under their URN."""
    probe_404_as_empty: bool = False
    """A query that finds nothing answers 404."""
    put_fallback: bool = True
    """Without PATCH, a resource is read in full, changed, and put back."""
    removes_first: bool = False
    """Members are removed before others are added."""
    remove_whole_element: bool = False
    """Clearing a value of an element removes the element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings that a known service wants where an administrator says nothing."""

    patch_style: PatchStyle = PatchStyle.RFC
    rate_limit: float | None = None
    quirks: Quirks = field(default_factory=Quirks)


AWS_UNSUPPORTED = ("password", "ims", "photos", "entitlements", "x509Certificates")

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "generic": Profile(),
        # What Entra asks of the applications in its gallery: 25 requests a second, its own
        # spelling of PATCH (learn.microsoft.com: use-scim-to-provision-users-and-groups).
        "entra-gallery": Profile(patch_style=PatchStyle.ENTRA_LEGACY, rate_limit=25.0),
        # docs.aws.amazon.com/singlesignon: one value per multi-valued attribute, 100 members.
        "aws-iic": Profile(quirks=Quirks(drop_paths=AWS_UNSUPPORTED)),
    }
)
