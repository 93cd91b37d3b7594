"""The one table of what can be asked for: from it come router, authorization and description.

A route without scopes is for everybody. `{name}` stands for a key, written `/key` or `('key')`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from provisor.graph.http.calls import Handler
from provisor.graph.http.events import events
from provisor.graph.http.handlers import (
    access,
    assignments,
    audits,
    beside,
    bulk,
    connections,
    expressions,
    jobs,
    lifecycle,
    logs,
    meta,
    on_demand,
    people,
    principals,
    schema,
    secrets,
    singleton,
    templates,
    tokens,
)
from provisor.graph.http.paths import Key, Segment, segments

OWNED = "Application.ReadWrite.OwnedBy"
READ = ("Synchronization.Read.All", "Synchronization.ReadWrite.All", OWNED)
WRITE = ("Synchronization.ReadWrite.All", OWNED)
UPLOAD = ("SynchronizationData-User.Upload",)
AUDITS = ("AuditLog.Read.All", "Directory.Read.All")
LOGS = ("AuditLog.Read.All", "ProvisioningLog.Read.All", "Directory.Read.All")
DIRECTORY = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", OWNED)
USERS = ("User.Read.All", "Directory.Read.All")
GROUPS = ("Group.Read.All", "Directory.Read.All")
CREATE = ("Application.ReadWrite.All", OWNED)
ASSIGN = ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", OWNED)
ANY = (*READ, *UPLOAD, *LOGS, *DIRECTORY)

JSON, SCIM, FORM = "application/json", "application/scim+json", "application/x-www-form-urlencoded"
BODY_MAX, SCHEMA_MAX, BULK_MAX = 1 << 20, 8 << 20, 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    path: str
    """Below the version, or from the root."""
    handler: Handler
    scopes: tuple[str, ...] = ()
    is_versioned: bool = True
    is_beta: bool = False
    """Only below `/beta`."""
    media: str = JSON
    body_max: int = BODY_MAX

    @property
    def is_open(self) -> bool:
        return not self.scopes


def _route(method: str, path: str, handler: Handler, scopes: tuple[str, ...]) -> Route:
    return Route(method=method, path=path, handler=handler, scopes=scopes)


def _get(path: str, handler: Handler, scopes: tuple[str, ...] = READ) -> Route:
    return _route("GET", path, handler, scopes)


def _post(path: str, handler: Handler, scopes: tuple[str, ...] = WRITE) -> Route:
    return _route("POST", path, handler, scopes)


def _put(path: str, handler: Handler, scopes: tuple[str, ...] = WRITE) -> Route:
    return _route("PUT", path, handler, scopes)


def _patch(path: str, handler: Handler, scopes: tuple[str, ...] = WRITE) -> Route:
    return _route("PATCH", path, handler, scopes)


def _delete(path: str, handler: Handler, scopes: tuple[str, ...] = WRITE) -> Route:
    return _route("DELETE", path, handler, scopes)


def _schema(at: str) -> tuple[Route, ...]:
    """What lies below a schema, be it a job's or a template's."""
    one = f"{at}/directories/{{dir}}"
    routes = (
        _get(at, schema.get_schema),
        _put(at, schema.put_schema),
        _patch(at, schema.patch_schema),
        _delete(at, schema.delete_schema),
        _get(f"{at}/filterOperators", expressions.filter_operators),
        _get(f"{at}/functions", expressions.functions),
        _post(f"{at}/parseExpression", expressions.parse_expression),
        _get(f"{at}/directories", schema.list_directories),
        _post(f"{at}/directories", schema.post_directory),
        _get(f"{at}/directories/$count", schema.count_directories),
        _get(one, schema.get_directory),
        _patch(one, schema.patch_directory),
        _delete(one, schema.delete_directory),
        _post(f"{one}/discover", schema.discover),
    )
    return tuple(replace(route, body_max=SCHEMA_MAX) for route in routes)


def _jobs(at: str) -> tuple[Route, ...]:
    one = f"{at}/{{job}}"
    return (
        _get(at, jobs.list_jobs),
        _post(at, jobs.create_job),
        _get(f"{at}/$count", jobs.count_jobs),
        _post(f"{at}/validateCredentials", secrets.validate),
        _get(one, jobs.get_job),
        _patch(one, jobs.change_job),
        _delete(one, jobs.remove_job),
        _post(f"{one}/start", lifecycle.start),
        _post(f"{one}/pause", lifecycle.pause),
        _post(f"{one}/restart", lifecycle.restart),
        _post(f"{one}/validateCredentials", secrets.validate_of_job),
        _post(f"{one}/provisionOnDemand", on_demand.provision_on_demand),
        *(
            replace(_post(at, bulk.bulk_upload, UPLOAD), media=SCIM, body_max=BULK_MAX)
            for at in (f"{one}/bulkUpload", f"{one}/bulkUpload/$value")
        ),
        _post(f"{one}/plan", beside.plan, READ),
        _get(f"{one}/explain", beside.explain),
        _get(f"{one}/staged", beside.staged),
        _post(f"{one}/staged/approve", beside.approve),
        _post(f"{one}/reconcile", beside.reconcile),
        _get(f"{one}/objectConnections", connections.list_connections),
        _get(f"{one}/objectConnections/{{object}}", connections.get_connection),
        _delete(f"{one}/objectConnections/{{object}}", connections.remove_connection),
        *_schema(f"{one}/schema"),
    )


def _templates(at: str) -> tuple[Route, ...]:
    one = f"{at}/{{tpl}}"
    return (
        _get(at, templates.list_templates),
        replace(_post(at, templates.post_template), body_max=SCHEMA_MAX),
        _get(f"{at}/$count", templates.count_templates),
        _get(one, templates.get_template),
        replace(_put(one, templates.put_template_), body_max=SCHEMA_MAX),
        replace(_patch(one, templates.put_template_), body_max=SCHEMA_MAX),
        _delete(one, templates.delete_template),
        *_schema(f"{one}/schema"),
    )


def _synchronization(at: str) -> tuple[Route, ...]:
    return (
        _get(at, singleton.get),
        _put(at, singleton.put),
        _delete(at, singleton.remove),
        replace(_get(f"{at}/ping", singleton.ping), is_beta=True),
        _get(f"{at}/secrets", secrets.get_secrets, WRITE),
        _put(f"{at}/secrets", secrets.replace_secrets),
        _get(f"{at}/secrets/$count", secrets.count_secrets, WRITE),
        _post(f"{at}/acquireAccessToken", access.acquire),
        *_jobs(f"{at}/jobs"),
        *_templates(f"{at}/templates"),
    )


SP, APP = "servicePrincipals/{sp}", "applications/{app}"
ASSIGNED = f"{SP}/appRoleAssignedTo"

ROUTES: tuple[Route, ...] = (
    *_synchronization(f"{SP}/synchronization"),
    *_synchronization(f"{APP}/synchronization"),
    _get("servicePrincipals", principals.list_principals, DIRECTORY),
    _get("servicePrincipals/$count", principals.count_principals, DIRECTORY),
    _get(SP, principals.get_principal, DIRECTORY),
    _get(ASSIGNED, assignments.list_assignments, DIRECTORY),
    _post(ASSIGNED, assignments.assign, ASSIGN),
    _get(f"{ASSIGNED}/{{assignment}}", assignments.get_assignment, DIRECTORY),
    _delete(f"{ASSIGNED}/{{assignment}}", assignments.unassign, ASSIGN),
    _get("users", people.list_users, USERS),
    _get("users/$count", people.count_users, USERS),
    _get("users/{person}", people.get_user, USERS),
    _get("groups", people.list_groups, GROUPS),
    _get("groups/$count", people.count_groups, GROUPS),
    _get("groups/{person}", people.get_group, GROUPS),
    _get("applications", principals.list_applications, DIRECTORY),
    _get(APP, principals.get_application, DIRECTORY),
    _get("applicationTemplates", principals.list_gallery, DIRECTORY),
    _get("applicationTemplates/{gallery}", principals.get_gallery, DIRECTORY),
    _post("applicationTemplates/{gallery}/instantiate", principals.instantiate, CREATE),
    _get("auditLogs/directoryAudits", audits.list_audits, AUDITS),
    _get("auditLogs/provisioning", logs.list_logs, LOGS),
    _get("auditLogs/provisioning/{log}", logs.get_log, LOGS),
    replace(_get("auditLogs/directoryProvisioning", logs.list_logs, LOGS), is_beta=True),
    replace(_get("auditLogs/directoryProvisioning/{log}", logs.get_log, LOGS), is_beta=True),
    Route(method="GET", path="health", handler=meta.health, is_versioned=False),
    Route(method="GET", path="ready", handler=meta.ready, is_versioned=False),
    Route(method="GET", path="openapi.json", handler=meta.describe, scopes=ANY, is_versioned=False),
    Route(
        method="GET",
        path=f"provisor/{SP}/jobs/{{job}}/events",
        handler=events,
        scopes=READ,
        is_versioned=False,
    ),
    Route(method="GET", path="metadata/endpoints", handler=tokens.endpoints, is_versioned=False),
    Route(
        method="POST",
        path="{tenant}/oauth2/v2.0/token",
        handler=tokens.token,
        is_versioned=False,
        media=FORM,
    ),
)
OWN_ONLY = frozenset(("sp", "app"))
"""Keys that say whose application is meant, for those who may touch only their own."""


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    key: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict[str, Route])


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads."""

    routes: Mapping[str, Route]
    """By method; empty where the path leads nowhere."""
    keys: Mapping[str, Key]
    stray: str
    """The first segment that means nothing."""


class Router:
    """Finds routes by path; as quick for many as for few."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._root = _Node()
        self.words = frozenset(
            part.lower()
            for route in routes
            for part in route.path.split("/")
            if not part.startswith("{")
        )
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.split("/"):
            if part.startswith("{"):
                name = part.strip("{}")
                if node.key is None:
                    node.key = name, _Node()
                assert node.key[0] == name, f"{route.path}: two names for one key"
                node = node.key[1]
            else:
                node = node.words.setdefault(part.lower(), _Node())
        assert route.method not in node.routes, f"{route.method} {route.path} is there twice"
        node.routes[route.method] = route

    def find(self, path: str) -> Found:
        """Return what a path, percent-encoded as it came, leads to."""
        node, keys = self._root, dict[str, Key]()
        for segment in segments(path, self.words):
            following = self._step(node, segment, keys)
            if following is None:
                return Found({}, {}, segment.value if isinstance(segment, Key) else segment)
            node = following
        return Found(node.routes, keys, "")

    @staticmethod
    def _step(node: _Node, segment: Segment, keys: dict[str, Key]) -> _Node | None:
        if isinstance(segment, str) and segment.lower() in node.words:
            return node.words[segment.lower()]
        if node.key is None:
            return None
        name, following = node.key
        keys[name] = segment if isinstance(segment, Key) else Key(segment)
        return following


VERSIONED = Router(tuple(route for route in ROUTES if route.is_versioned))
UNVERSIONED = Router(tuple(route for route in ROUTES if not route.is_versioned))
