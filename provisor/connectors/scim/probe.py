"""Looking at a SCIM target for whoever sets a job up (spec: scim-target 3, 4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from provisor.connectors.around.pace import Line
from provisor.connectors.http.settings import Anonymous
from provisor.connectors.scim.discovery import Discovered
from provisor.connectors.scim.failures import INCOMPATIBLE
from provisor.connectors.scim.reader import Kinds, ScimReader
from provisor.connectors.scim.resources import REQUIRED, STAMP, Shape, shape_of
from provisor.connectors.scim.settings import ScimSettings
from provisor.connectors.scim.trial import Trial
from provisor.errors import AdapterError, Denied, Unreachable
from provisor.model.directories import (
    DirectoryDefinition,
    Finding,
    ObjectDefinition,
    ProbeReport,
    Topic,
    fine,
    report,
    warning,
    wrong,
)
from provisor.model.rules import AttributeDefinition, Mutability
from provisor.ports import Clock, Entropy

COMMON = (
    AttributeDefinition(
        name="id",
        is_anchor=True,
        is_case_exact=True,
        is_required=True,
        mutability=Mutability.READ_ONLY,
    ),
    AttributeDefinition(name=STAMP, is_case_exact=True),
)
"""What every resource has, and schemas need not say (RFC 7643 3.1)."""
REMEDIES = {
    Topic.CONNECTION: "Correct `baseAddress`, or let this machine reach it.",
    Topic.CREDENTIALS: "Give the connection a valid token or other credentials of the target.",
    Topic.PERMISSIONS: "Allow the account that provisions to do this in the target.",
}


class ScimProber:
    """Implements `ports.Prober` for a SCIM 2.0 target."""

    def __init__(
        self,
        settings: ScimSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
    ) -> None:
        self._settings, self._kinds, self._clock, self._entropy = settings, kinds, clock, entropy
        self._pace = pace
        self._reader = ScimReader(settings, kinds, clock, entropy, pace=pace)

    async def probe(self) -> ProbeReport:
        system = self._reader.system
        try:
            await self._reader.probe()
        except AdapterError as error:
            return report(system, self._failed(error))
        found = [*self._reached(), *self._features(), *self._objects()]
        if not self._settings.probe_writes:
            found.append(
                fine(
                    Topic.PERMISSIONS,
                    "WritingNotTried",
                    "Whether objects may be written was not tried; with `probeWrites: true` a "
                    "probe makes some of its own, tries the ways of writing, and removes them.",
                )
            )
            return report(system, [*found, *self._conduct(self._settings)])
        trial = Trial(self._settings, self._kinds, self._clock, self._entropy, pace=self._pace)
        tried = await trial.run()
        return report(
            system, [*found, *tried.findings, *self._conduct(tried.settings)], tried.learned
        )

    def _failed(self, error: AdapterError) -> Iterator[Finding]:
        topic = Topic.CREDENTIALS if isinstance(error, Denied) else Topic.CONNECTION
        if error.code == INCOMPATIBLE:
            topic = Topic.CONNECTION
        if error.code == "InsufficientRights":
            topic = Topic.PERMISSIONS
        if topic is not Topic.CONNECTION:
            yield self._connected()
        yield wrong(topic, error.code, str(error), REMEDIES[topic])

    def _connected(self) -> Finding:
        return fine(Topic.CONNECTION, "Reached", f"The target answers at {self._settings.host}.")

    def _reached(self) -> Iterator[Finding]:
        yield self._connected()
        if isinstance(self._settings.credentials, Anonymous):
            yield warning(
                Topic.CREDENTIALS,
                "NoCredentials",
                "The target lets anybody in.",
                "Only test servers do; give the target credentials, and the connection a token.",
            )
        else:
            yield fine(Topic.CREDENTIALS, "CredentialsAccepted", "The credentials are accepted.")
        names = ", ".join(shape.kind for shape in self._shapes())
        yield fine(Topic.PERMISSIONS, "MayRead", f"Objects may be searched: {names}.")

    def _shapes(self) -> list[Shape]:
        return [self._reader.shape(kind) for kind in self._kinds or ("User",)]

    # what it says of itself

    @property
    def _said(self) -> Discovered:
        return self._reader.discovered

    def _features(self) -> Iterator[Finding]:
        said, abilities = self._said, self._reader.abilities
        if not said.resource_types and not said.schemas:
            yield warning(
                Topic.FEATURES,
                "NotDescribed",
                "The target does not describe itself (/Schemas, /ResourceTypes).",
                "Nothing needs to be done; what it cannot do shows when it is asked.",
            )
        else:
            names = ", ".join(one.name for one in said.resource_types) or "no kinds"
            yield fine(Topic.FEATURES, "Described", f"The target describes itself: {names}.")
        told = {
            "PATCH": abilities.has_patch,
            "filters": abilities.has_filter,
            "versions (ETag)": abilities.has_versions,
            "paging by cursor": abilities.has_cursors,
        }
        has = ", ".join(name for name, is_there in told.items() if is_there) or "none"
        yield fine(Topic.FEATURES, "Abilities", f"Of what is optional it has: {has}.")
        if not abilities.has_filter:
            yield warning(
                Topic.FEATURES,
                "NoFilter",
                "The target cannot filter: to find one object all are listed.",
                "Let it offer filters where it can; large directories take long otherwise.",
            )
        if not abilities.has_patch:
            yield warning(
                Topic.FEATURES,
                "NoPatch",
                "The target has no PATCH: resources are read in full, changed, and put back.",
                "Let it offer PATCH where it can; members of groups need it.",
            )

    def _objects(self) -> Iterator[Finding]:
        """Hold what is mapped against what the target says it has."""
        for kind, mapped in self._kinds.items():
            shape = self._reader.shape(kind)
            known = {one.name.lower(): one for one in self._said.definitions(shape)}
            if not known:
                continue
            names = {one.name.lower() for one in mapped}
            offered = {*known, *(one.name.lower() for one in COMMON)}
            missing = sorted(one.name for one in mapped if not _is_offered(one.name, offered))
            yield fine(
                Topic.OBJECTS,
                "KindDescribed",
                f"{kind} lives at /{shape.endpoint} and has {len(known)} attributes.",
            )
            if missing:
                yield warning(
                    Topic.OBJECTS,
                    "AttributeNotOffered",
                    f"The target's schema of {kind} does not have {', '.join(missing)}.",
                    "Take them out of the mapping or name them in `dropPaths`, or let the target "
                    "have them.",
                )
            needed = [o.name for o in known.values() if o.is_required and _is_plain(o.name)]
            unmapped = [name for name in needed if name.lower() not in names]
            if unmapped:
                yield warning(
                    Topic.OBJECTS,
                    "RequiredNotMapped",
                    f"{kind} needs {', '.join(unmapped)}, and nothing is mapped to it.",
                    "Map it, or no object can be created.",
                )

    def _conduct(self, settings: ScimSettings) -> Iterator[Finding]:
        capabilities, abilities = self._reader.capabilities, self._reader.abilities
        way = (
            f"by PATCH, spelled as {settings.patch_style.value}"
            if abilities.has_patch
            else ("by putting whole resources back")
        )
        paged = "cursor" if abilities.has_cursors else "index"
        yield fine(Topic.CONDUCT, "Writes", f"Changes are sent {way}.")
        yield fine(
            Topic.CONDUCT,
            "Lists",
            f"Listings are read in pages of {capabilities.page_size}, by {paged}; up to "
            f"{capabilities.members_max} members travel in one change.",
        )
        if not capabilities.stamp and self._kinds:
            yield warning(
                Topic.CONDUCT,
                "NoStamp",
                "Nothing is mapped to externalId: a create that is never answered is looked for "
                "by values that others may edit.",
                "Map the source's id to externalId.",
            )

    # what there is

    async def discover(self) -> DirectoryDefinition:
        try:
            await self._reader.probe()
            said = await self._reader.discover()
        except (Denied, Unreachable):
            raise
        except AdapterError as error:
            raise Unreachable(str(error), code=error.code, heard=error.heard) from error
        names = [one.name for one in said.resource_types] or ["User", "Group"]
        objects = [
            (name, _distinct((*COMMON, *said.definitions(said.shaped(shape_of(name, ()))))))
            for name in dict.fromkeys(names)
        ]
        kinds = [name for name, _ in objects]
        return DirectoryDefinition(
            tuple(ObjectDefinition(n, tuple(_within(one, kinds) for one in d)) for n, d in objects)
        )

    async def close(self) -> None:
        await self._reader.close()


def _is_plain(name: str) -> bool:
    return "." not in name.rpartition(":")[2] and "[" not in name


def _is_offered(name: str, offered: set[str]) -> bool:
    """Tell whether a schema has an attribute, or the list that its filter looks into."""
    lowered = name.lower()
    bare = lowered
    if "[" in lowered:
        bare = lowered[: lowered.index("[")] + lowered[lowered.rindex("]") + 1 :]
    return any(
        one in offered or any(known.startswith(f"{one}.") for known in offered)
        for one in (lowered, bare)
    )


def _distinct(definitions: Iterable[AttributeDefinition]) -> list[AttributeDefinition]:
    """Return each attribute once: a server's own word on `id` and `externalId` adds nothing."""
    found: dict[str, AttributeDefinition] = {}
    for one in definitions:
        found.setdefault(one.name.lower(), one)
    return list(found.values())


def _within(one: AttributeDefinition, kinds: list[str]) -> AttributeDefinition:
    """Return an attribute that points at kinds of this directory only, and is required only where
    a mapping could see to it: what an element of a list needs is no need of the whole."""
    is_anchor = one.name == "id"
    return replace(
        one,
        is_anchor=is_anchor,
        refers_to=tuple(kind for kind in one.refers_to if kind in kinds),
        is_required=one.is_required and (_is_plain(one.name) or one.name in REQUIRED.values()),
    )
