"""Looking at a SCIM service as a source, for whoever sets a job up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from provisor.connectors.around.pace import Line
from provisor.connectors.http.body import get
from provisor.connectors.http.settings import Anonymous
from provisor.connectors.scim.asking import Service
from provisor.connectors.scim.generation import CursorLost, by_cursor
from provisor.connectors.scim.naming import names_of, offered, shapes_of
from provisor.connectors.scim.resources import Shape
from provisor.connectors.scim.settings import Changes, ScimSettings
from provisor.connectors.scim.source import ScimSource, changed_since
from provisor.connectors.scim.values import moment_of
from provisor.connectors.scim.wire import ListAnswer
from provisor.errors import AdapterError, Denied, WatermarkExpired
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
from provisor.ports import Clock, Entropy

EARLY: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""A date since which nothing has changed."""
REMEDIES: Final = {
    Topic.CONNECTION: "Correct `baseAddress`, or let this machine reach it.",
    Topic.CREDENTIALS: "Give the connection a valid token or other credentials of the service.",
    Topic.PERMISSIONS: "Allow the account to read all users and groups.",
}
CONDUCT: Final[Mapping[Changes, str]] = {
    Changes.SNAPSHOT: "Everything is read in each cycle, and who is missing is asked for by id.",
    Changes.TIMESTAMPS: (
        "Users that changed are asked for by meta.lastModified, with `overlap`, and all groups are "
        "read. Who has been deleted shows when everything is read: once a day, or as "
        "`fullReadEvery` says."
    ),
}


class ScimSourceProber:
    """Implements `ports.Prober` for a SCIM 2.0 service as a source."""

    def __init__(
        self,
        settings: ScimSettings,
        wanted: Mapping[str, frozenset[str]],
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
    ) -> None:
        """`wanted` names, by kind, the attributes that mappings and filters read."""
        self._settings, self._wanted = settings, wanted
        self._service = Service(settings, clock, entropy, pace=pace)
        self._system = ScimSource(settings, clock, entropy, pace=pace).system
        self._shapes = shapes_of(settings.reading)

    async def probe(self) -> ProbeReport:
        found: list[Finding] = []
        try:
            async for finding in self._look():
                found.append(finding)
        except AdapterError as error:
            found += self._failed(error, is_reached=bool(found))
        return report(self._system, found)

    def _failed(self, error: AdapterError, *, is_reached: bool) -> Iterator[Finding]:
        topic = Topic.CREDENTIALS if isinstance(error, Denied) else Topic.CONNECTION
        if error.code == "InsufficientRights":
            topic = Topic.PERMISSIONS
        if topic is not Topic.CONNECTION and not is_reached:
            yield self._reached()
        yield wrong(topic, error.code, str(error), REMEDIES[topic])

    def _reached(self) -> Finding:
        return fine(Topic.CONNECTION, "Reached", f"The service answers at {self._settings.host}.")

    async def _look(self) -> AsyncIterator[Finding]:
        first = {kind: await self._first(shape) for kind, shape in self._shapes.items()}
        yield self._reached()
        yield self._accepted()
        said = await self._service.discovered()
        if not said.schemas:
            yield warning(
                Topic.FEATURES,
                "NotDescribed",
                "The service does not describe itself (/Schemas).",
                "Nothing needs to be done; the usual attributes are looked for.",
            )
        else:
            yield fine(Topic.FEATURES, "Described", "The service describes itself.")
        for kind, answer in first.items():
            yield self._counted(kind, answer)
        for finding in self._lacking():
            yield finding
        async for finding in self._changes(first):
            yield finding
        way = "cursor" if await self._service.pages() is by_cursor else "index"
        size = await self._service.page_size()
        yield fine(Topic.CONDUCT, "Lists", f"Lists are read in pages of {size}, by {way}.")
        yield fine(Topic.CONDUCT, "Changes", CONDUCT[self._settings.reading.changes])

    async def _first(self, shape: Shape) -> ListAnswer:
        ask = self._service.asker(shape, "")
        is_cursor = await self._service.pages() is by_cursor
        try:
            return await ask("cursor&count=1" if is_cursor else "startIndex=1&count=1")
        except CursorLost as lost:
            return ListAnswer((), None, str(lost))

    def _accepted(self) -> Finding:
        if isinstance(self._settings.credentials, Anonymous):
            return warning(
                Topic.CREDENTIALS,
                "NoCredentials",
                "The service lets anybody in.",
                "Only test servers do; give the service credentials, and the connection a token.",
            )
        return fine(Topic.CREDENTIALS, "CredentialsAccepted", "The credentials are accepted.")

    def _counted(self, kind: str, answer: ListAnswer) -> Finding:
        if answer.total is None:
            return warning(
                Topic.OBJECTS,
                "NoTotals",
                f"The service does not say how many {kind} objects there are.",
                "Let it say totalResults, or offer cursors: else nobody is ever taken for gone.",
            )
        if not answer.total:
            return warning(
                Topic.OBJECTS,
                "NobodyThere",
                f"The service shows no {kind}.",
                "Let the account see them, if there are any.",
            )
        return fine(Topic.OBJECTS, "MayRead", f"{answer.total} {kind} objects are there.")

    def _lacking(self) -> Iterator[Finding]:
        """Hold what mappings read against what there is a name for."""
        for kind in self._shapes:
            known = {name for _, name in names_of(kind, self._settings.reading)}
            lacking = sorted(self._wanted.get(kind, frozenset()) - known - {"IsSoftDeleted"})
            if lacking:
                yield warning(
                    Topic.OBJECTS,
                    "AttributesUnknown",
                    f"The mappings read what no attribute of a {kind} is called: "
                    f"{', '.join(lacking)}.",
                    "Name the attributes in `attributes`, or take them out of the mappings.",
                )

    async def _changes(self, first: Mapping[str, ListAnswer]) -> AsyncIterator[Finding]:
        dates = [get(get(r, "meta"), "lastModified") for a in first.values() for r in a.resources]
        is_dated = any(moment_of(date) is not None for date in dates)
        can_filter = (await self._service.discovered()).abilities.has_filter
        if can_filter and is_dated:
            can_filter = await self._filters()
        asks = self._settings.reading.changes is Changes.TIMESTAMPS
        if can_filter and is_dated:
            yield fine(
                Topic.CHANGES,
                "TellsDates",
                "The service can be asked for what changed, by meta.lastModified"
                + ("." if asks else "; choose `changes: timestamps` to do so."),
            )
        elif asks:
            yield warning(
                Topic.CHANGES,
                "NoChanges",
                "The service cannot be asked for what changed.",
                "Choose `changes: snapshot`; that is what happens all the same.",
            )
        else:
            yield fine(Topic.CHANGES, "NoChanges", "The service cannot tell what changed.")

    async def _filters(self) -> bool:
        shape = next(iter(self._shapes.values()))
        try:
            await self._service.asker(shape, changed_since(EARLY))("startIndex=1&count=1")
        except (WatermarkExpired, CursorLost):
            return False
        return True

    async def discover(self) -> DirectoryDefinition:
        """Return what is read, by canonical names, and what the service has besides."""
        for shape in self._shapes.values():
            await self._first(shape)
        said = await self._service.discovered()
        return DirectoryDefinition(
            tuple(
                ObjectDefinition(
                    kind,
                    offered(kind, self._settings.reading, said.definitions(said.shaped(shape))),
                )
                for kind, shape in self._shapes.items()
            )
        )

    async def close(self) -> None:
        await self._service.close()
