"""Every way in which the server departs from what it should do; each can be changed at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast, get_type_hints

Dialect = Literal["strict", "lenient", "legacy"]
Misdeed = Literal["refuse", "fail_after", "lose", "stall", "reset", "throttle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail, towards the requests that it fits.

    refuse      answer `status` and do nothing
    fail_after  do it, then answer `status`
    lose        do it, then drop the connection without an answer
    stall       do it, then never answer
    reset       do nothing, and drop the connection
    throttle    answer 429, or `status`, with `retry_after` if there is one
    """

    what: Misdeed
    method: str = ""  # any
    path: str = ""  # a part of the path and query
    body: str = ""  # a part of the body
    times: int | None = None  # None is for ever
    status: int = 500
    scim_type: str = ""
    retry_after: str = ""
    is_html: bool = False


@dataclass(slots=True, kw_only=True)
class Switches:
    """All off: a server that follows the standard."""

    # what it announces and can do
    has_patch: bool = True
    announces_patch: bool = False  # although it has none
    no_patch_status: int = 501
    has_filter: bool = True
    has_cursors: bool = False
    has_versions: bool = False
    has_discovery: bool = True
    filter_max: int = 0
    hashes_answers: bool = False  # an ETag that is no version
    needs_version: bool = False  # a change without If-Match answers 428

    # who may come in
    token: str = ""  # empty: anybody
    token_life: int = 0  # requests after which an issued token expires; 0: never
    token_status: int = 200  # of the token endpoint
    forbidden: str = ""  # a method that answers 403

    # how it reads a PATCH
    dialect: Dialect = "strict"
    array_removes_all: bool = False  # removing a list of members removes everybody
    makes_elements: bool = False  # adding to an element that is not there makes it
    takes_manager_as: str = "any"  # object, string, valuePath
    refuses_filter_paths: bool = False
    extensions_nested_only: bool = False
    wants_text_booleans: bool = False
    operations_max: int = 0
    members_max: int = 0
    keeps_members: bool = False  # a PUT leaves members as they are
    checks_members: bool = False  # a member that does not exist is refused
    body_max: int = 0

    # how it answers
    booleans_as_text: bool = False
    integers_as_text: bool = False
    numeric_ids: bool = False
    swaps_case: bool = False  # attribute names come in another case
    no_type: bool = False  # elements come back without type
    manager_as: str = "object"  # string, list
    lowers_names: bool = False  # userName is stored in small letters
    drops: tuple[str, ...] = ()  # attributes that are silently not stored
    answers_in_part: bool = False  # a PATCH answers with what changed only
    patch_status: int = 200  # or 204, 202
    post_without_body: bool = False
    post_without_location: bool = False
    post_without_id: bool = False
    content_type: str = "application/scim+json"
    wants_plain_json: bool = False  # application/scim+json answers 415
    has_bom: bool = False
    html_errors: bool = False
    has_date: bool = True
    echoes: bool = False  # refuses everything, and says what it was sent
    shows_members: bool = False  # although they were excluded

    # how it lists
    no_resources: bool = False  # an empty list has no Resources
    null_element: bool = False  # ... or one that is null
    total_as_text: bool = False
    no_total: bool = False
    page_max: int = 0
    ignores_start: bool = False
    repeats_last: bool = False
    miscounts: int = 0  # totalResults is off by so many
    members_in_lists: bool = True
    members_say_kind: bool = True
    cursors_expire: int = 0  # so many cursors are too old
    repeats_cursor: bool = False  # the second page leads to itself
    counts_page: bool = False  # totalResults is the length of the page
    empty_is_404: bool = False
    ignores_filter: bool = False
    filters_rfc_only: bool = False  # refuses emails[type eq "work"].value eq "x"
    bare_resource: bool = False  # one result comes without list
    answers_with_all: bool = False  # a look at one resource shows the list
    hides_inactive: bool = False
    inactive_is_gone: bool = False

    # when it fails
    conflict_on_post: bool = False
    precondition_fails: int = 0  # so many changes answer 412
    invisible_reads: int = 0  # so many reads after a create find nothing
    rate: float = 0  # requests a second; above it, 429
    burst: float = 1  # seconds' worth of requests that may come at once
    retry_after: str = "1"  # of that 429: seconds, "date", or empty for none
    latency_s: float = 0
    is_off: bool = False  # every connection is closed at once
    redirects_to: str = ""  # every request answers 307 to this address
    redirects_max: int = 0  # ... or only so many; 0: for ever

    def set(self, changed: Mapping[str, object]) -> None:
        """Change some switches; text, as it comes from a command line, is understood."""
        hints = get_type_hints(type(self))
        for name, value in changed.items():
            if name not in {field.name for field in fields(self)}:
                raise ValueError(f"no such switch: {name}")
            setattr(self, name, _as(hints[name], value))


def _as(hint: Any, value: object) -> object:
    if hint is bool and isinstance(value, str):
        return value.lower() in ("", "1", "true", "yes", "on")
    if hint in (int, float) and isinstance(value, str):
        return hint(value)
    if hint == tuple[str, ...] and isinstance(value, str):
        return tuple(value.split(",")) if value else ()
    if hint == tuple[str, ...]:
        return tuple(cast(list[str], value))
    return value
