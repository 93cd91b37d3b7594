"""Looking at a tenant for whoever sets a job up, as a source or as a target."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from provisor.connectors.around.pace import Line
from provisor.connectors.http.body import get
from provisor.connectors.http.settings import Anonymous
from provisor.connectors.msgraph.naming import (
    GROUP,
    MANAGER,
    MEMBERS,
    USER,
    definitions_of,
    shapes_of,
)
from provisor.connectors.msgraph.settings import GraphSettings
from provisor.connectors.msgraph.target import GraphReader, Kinds
from provisor.errors import AdapterError, Denied
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
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability
from provisor.ports import Clock, Entropy

REMEDIES: Final = {
    Topic.CONNECTION: "Correct `baseAddress`, or let this machine reach Microsoft Graph.",
    Topic.CREDENTIALS: "Give the connection a valid `tenant`, `clientId` and `clientSecret`.",
    Topic.PERMISSIONS: (
        "Grant the application User.Read.All and Group.Read.All (as a target ReadWrite.All) with "
        "admin consent."
    ),
}
TARGET_USER: Final = (
    *("userPrincipalName", "displayName", "mailNickname", "accountEnabled", "givenName"),
    *("surname", "jobTitle", "department", "companyName", "employeeId", "employeeType"),
    *("officeLocation", "streetAddress", "city", "state", "postalCode", "country"),
    *("usageLocation", "mobilePhone", "preferredLanguage", "userType", "mail"),
    *("businessPhones", "otherMails", "passwordProfile.password"),
    "passwordProfile.forceChangePasswordNextSignIn",
)
TARGET_GROUP: Final = (
    *("displayName", "mailNickname", "mailEnabled", "securityEnabled", "description"),
)
BOOLEANS: Final = frozenset({"accountEnabled", "mailEnabled", "securityEnabled"})
MANY: Final = frozenset({"businessPhones", "otherMails"})


class GraphProber:
    """Implements `ports.Prober` for a tenant."""

    def __init__(
        self,
        settings: GraphSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        is_source: bool,
        pace: Line | None = None,
    ) -> None:
        self._settings, self._is_source = settings, is_source
        shown = {USER: (), GROUP: ()} if settings.reads_groups else {USER: ()}
        self._kinds: Mapping[str, object] = kinds or shown
        self._reader = GraphReader(settings, kinds or shown, clock, entropy, pace=pace)

    async def probe(self) -> ProbeReport:
        found: list[Finding] = []
        try:
            await self._reader.probe()
            async for finding in self._look():
                found.append(finding)
        except AdapterError as error:
            found += self._failed(error)
        return report(self._reader.system, found)

    def _failed(self, error: AdapterError) -> list[Finding]:
        topic = Topic.CREDENTIALS if isinstance(error, Denied) else Topic.CONNECTION
        if error.code == "InsufficientRights":
            topic = Topic.PERMISSIONS
        reached = [] if topic is Topic.CONNECTION else [self._reached()]
        return [*reached, wrong(topic, error.code, str(error), REMEDIES[topic])]

    def _reached(self) -> Finding:
        return fine(Topic.CONNECTION, "Reached", f"Graph answers at {self._settings.host}.")

    async def _look(self) -> AsyncIterator[Finding]:
        yield self._reached()
        if isinstance(self._settings.credentials, Anonymous):
            yield warning(
                Topic.CREDENTIALS,
                "NoCredentials",
                "The tenant lets anybody in.",
                "Only test servers do; give the connection `clientId` and `clientSecret`.",
            )
        else:
            yield fine(Topic.CREDENTIALS, "CredentialsAccepted", "The credentials are accepted.")
        yield fine(Topic.PERMISSIONS, "MayRead", f"Can be read: {', '.join(self._kinds)}.")
        if not self._is_source:
            yield fine(
                Topic.CONDUCT,
                "Writes",
                "Changes are sent as one PATCH; members are added by twenty and removed one by "
                "one; a deleted user goes to the deleted items.",
            )
            return
        for shape in shapes_of(self._settings).values():
            query = f"$select={shape.select},{shape.pointing}&$deltatoken=latest"
            reply = await self._reader.tenant.read(f"/{shape.endpoint}/delta", query)
            if not reply.is_success or get(reply.content, "@odata.deltaLink") is None:
                message = f"Graph does not tell what changed of a {shape.kind}."
                yield wrong(
                    Topic.CHANGES, "SourceReadIncomplete", message, REMEDIES[Topic.PERMISSIONS]
                )
                return
        yield fine(Topic.CHANGES, "TellsChanges", "Changes and deletions are told by delta query.")
        yield fine(
            Topic.CONDUCT,
            "Changes",
            "Each cycle reads what changed; everything is read once in `fullReadEvery`, after a "
            "pause of seven days, and when Graph asks for it.",
        )

    async def discover(self) -> DirectoryDefinition:
        await self._reader.probe()
        if self._is_source:
            shapes = shapes_of(self._settings).values()
            objects = tuple(ObjectDefinition(s.kind, definitions_of(s)) for s in shapes)
        else:
            objects = (_target(USER, TARGET_USER, MANAGER), _target(GROUP, TARGET_GROUP, MEMBERS))
        return DirectoryDefinition(objects)

    async def close(self) -> None:
        await self._reader.close()


def _target(kind: str, names: tuple[str, ...], pointing: str) -> ObjectDefinition:
    definitions = [
        AttributeDefinition(
            name="id", is_anchor=True, is_case_exact=True, mutability=Mutability.READ_ONLY
        )
    ]
    for name in names:
        is_flag = name in BOOLEANS or name.endswith("SignIn")
        definitions.append(
            AttributeDefinition(
                name=name,
                type=AttributeType.BOOLEAN if is_flag else AttributeType.STRING,
                is_multivalued=name in MANY,
            )
        )
    is_group = kind == GROUP
    definitions.append(
        AttributeDefinition(
            name=pointing,
            type=AttributeType.REFERENCE,
            is_multivalued=is_group,
            refers_to=(USER, GROUP) if is_group else (USER,),
        )
    )
    return ObjectDefinition(kind, tuple(definitions))
