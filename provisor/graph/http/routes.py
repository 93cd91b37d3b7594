"""The one table of what can be asked for: from it come router, authorization and description.

A route without scopes is for everybody. `{name}` stands for a key, written `/key` or `('key')`.
"""

from __future__ import annotations

from dataclasses import replace

from provisor.graph.http.auth import EVERYTHING
from provisor.graph.http.events import events
from provisor.graph.http.handlers import (
    access,
    assignments,
    audits,
    beside,
    bulk,
    connections,
    demonstration,
    drift,
    expressions,
    guided,
    history,
    inventory,
    jobs,
    keys,
    lifecycle,
    logs,
    mapping_tests,
    meta,
    metrics,
    on_demand,
    overview,
    people,
    principals,
    schema,
    secrets,
    singleton,
    systems,
    templates,
    tokens,
)
from provisor.graph.http.route import (
    ARCHIVE,
    BULK_MAX,
    EVENTS,
    FORM,
    JSON,
    MEASURES,
    NUMBER,
    OWNED,
    PAGES,
    READ,
    SCHEMA_MAX,
    SCIM,
    WRITE,
    Gives,
    Route,
    changing,
    get,
    many,
    one,
)
from provisor.graph.http.router import Router
from provisor.graph.wire.audits import DirectoryAudit
from provisor.graph.wire.beside import (
    Approval,
    ExplanationDocument,
    ObjectConnection,
    Ping,
    PlanDocument,
    PlanRequest,
    Staged,
    Synchronization,
    SynchronizationChange,
    TokenGrant,
    TokenRequest,
    Wellness,
    WhatIfDocument,
)
from provisor.graph.wire.directory import (
    Application,
    ApplicationServicePrincipal,
    ApplicationTemplate,
    AppRoleAssignment,
    Group,
    Instantiate,
    NewAssignment,
    ServicePrincipal,
    User,
)
from provisor.graph.wire.drift import DriftChoice, DriftReport, Taken
from provisor.graph.wire.functions import FilterOperatorSchema, FunctionSchema
from provisor.graph.wire.guided import (
    AttributesFound,
    ConnectorCatalogue,
    DemonstrationDay,
    DemonstrationState,
    SourceOf,
    SourcesInUse,
)
from provisor.graph.wire.inventory import (
    ApplicationOverview,
    Keys,
    MadeKey,
    NewKey,
    SharedConnections,
)
from provisor.graph.wire.jobs import JobChange, NewJob, SynchronizationJob
from provisor.graph.wire.logs import BetaObjectSummary
from provisor.graph.wire.mapping_tests import MappingTestResults, MappingTests, TestRun
from provisor.graph.wire.on_demand import OnDemandRequest
from provisor.graph.wire.overview import (
    CycleHistory,
    Escrows,
    FoundObjects,
    JobOverview,
    JobSummary,
    Retried,
    RetryRequest,
)
from provisor.graph.wire.pairs import SecretPair, Secrets, TextPair
from provisor.graph.wire.requests import (
    AcquireAccessToken,
    ParseExpression,
    ParseExpressionResponse,
    Restart,
    ValidateCredentials,
)
from provisor.graph.wire.schemas import DirectoryDefinition, SynchronizationSchema
from provisor.graph.wire.systems import Connections, ProbeDocument
from provisor.graph.wire.templates import SynchronizationTemplate

UPLOAD = ("SynchronizationData-User.Upload",)
AUDITS = ("AuditLog.Read.All", "Directory.Read.All")
LOGS = ("AuditLog.Read.All", "ProvisioningLog.Read.All", "Directory.Read.All")
DIRECTORY = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", OWNED)
USERS = ("User.Read.All", "Directory.Read.All")
GROUPS = ("Group.Read.All", "Directory.Read.All")
CREATE = ("Application.ReadWrite.All", OWNED)
ASSIGN = ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", OWNED)
METRICS = ("Metrics.Read.All",)
ALL = ("Directory.ReadWrite.All",)
ANY = (*READ, *UPLOAD, *LOGS, *DIRECTORY)

TAKEN_ON = Gives(status=202, media=())
RECORD = BetaObjectSummary


def _schema(at: str) -> tuple[Route, ...]:
    """What lies below a schema, be it a job's or a template's."""
    single, directory = f"{at}/directories/{{dir}}", DirectoryDefinition
    routes = (
        replace(get(at, schema.get_schema, one(SynchronizationSchema)), expands=("directories",)),
        changing("PUT", at, schema.put_schema, SynchronizationSchema),
        changing("PATCH", at, schema.patch_schema, SynchronizationSchema),
        changing("DELETE", at, schema.delete_schema),
        get(f"{at}/filterOperators", expressions.filter_operators, many(FilterOperatorSchema)),
        get(f"{at}/functions", expressions.functions, many(FunctionSchema)),
        changing(
            "POST",
            f"{at}/parseExpression",
            expressions.parse_expression,
            ParseExpression,
            one(ParseExpressionResponse),
        ),
        get(f"{at}/directories", schema.list_directories, many(directory)),
        replace(
            changing(
                "POST", f"{at}/directories", schema.post_directory, directory, one(directory, 201)
            ),
            refusals=(409,),
        ),
        get(f"{at}/directories/$count", schema.count_directories, NUMBER),
        get(single, schema.get_directory, one(directory)),
        changing("PATCH", single, schema.patch_directory, directory, one(directory)),
        changing("DELETE", single, schema.delete_directory),
        changing("POST", f"{single}/discover", schema.discover, gives=one(directory)),
    )
    return tuple(replace(route, body_max=SCHEMA_MAX) for route in routes)


def _jobs(at: str) -> tuple[Route, ...]:
    each, job = f"{at}/{{job}}", SynchronizationJob
    inside = ("schema", "bulkUpload")
    return (
        _also(replace(get(at, jobs.list_jobs, many(job)), expands=inside), "expand"),
        replace(
            changing("POST", at, jobs.create_job, NewJob, one(job, 201, "Location")),
            refusals=(409,),
        ),
        get(f"{at}/$count", jobs.count_jobs, NUMBER),
        changing("POST", f"{at}/validateCredentials", secrets.validate, ValidateCredentials),
        replace(get(each, jobs.get_job, one(job)), expands=inside),
        changing("PATCH", each, jobs.change_job, JobChange, one(job)),
        changing("DELETE", each, jobs.remove_job),
        changing("POST", f"{each}/start", lifecycle.start),
        changing("POST", f"{each}/pause", lifecycle.pause),
        changing("POST", f"{each}/restart", lifecycle.restart, Restart),
        changing(
            "POST", f"{each}/validateCredentials", secrets.validate_of_job, ValidateCredentials
        ),
        replace(
            changing(
                "POST",
                f"{each}/provisionOnDemand",
                on_demand.provision_on_demand,
                OnDemandRequest,
                one(TextPair),
            ),
            refusals=(429,),
        ),
        *_upload(f"{each}/bulkUpload"),
        *_beside(each),
        *_schema(f"{each}/schema"),
    )


def _also(route: Route, *options: str) -> Route:
    return replace(route, options=(*route.options, *options))


def _upload(at: str) -> tuple[Route, ...]:
    taken = replace(TAKEN_ON, headers=("Location",))
    return tuple(
        replace(
            changing("POST", path, bulk.bulk_upload, dict[str, object], taken, UPLOAD),
            media=SCIM,
            body_max=BULK_MAX,
            refusals=(429,),
        )
        for path in (at, f"{at}/$value")
    )


def _beside(job: str) -> tuple[Route, ...]:
    """What Graph does not have."""
    connection, single = ObjectConnection, f"{job}/objectConnections/{{object}}"
    listed = get(f"{job}/objectConnections", connections.list_connections, many(connection))
    unlinked = changing("DELETE", single, connections.remove_connection)
    explained = get(f"{job}/explain", beside.explain, many(ExplanationDocument))
    tried = changing(
        "POST", f"{job}/schema/whatIf", beside.what_if, SynchronizationSchema, one(WhatIfDocument),
        READ,
    )  # fmt: skip
    results = MappingTestResults
    drafted = changing(
        "POST", f"{job}/schema/tests/run", mapping_tests.run_draft, TestRun, one(results), READ
    )  # fmt: skip
    taken_on = one(Retried, 202)
    retried = changing("POST", f"{job}/escrows/retry", history.retry, RetryRequest, taken_on)
    approved = changing("POST", f"{job}/staged/approve", beside.approve, Approval)
    return (
        changing("POST", f"{job}/plan", beside.plan, PlanRequest, one(PlanDocument), READ),
        replace(explained, options=(), others=("object",)),
        replace(get(f"{job}/staged", beside.staged, one(Staged)), options=()),
        replace(approved, refusals=(409,)),
        changing("POST", f"{job}/probe", systems.probe, gives=one(ProbeDocument)),
        changing("POST", f"{job}/reconcile", beside.reconcile, gives=TAKEN_ON),
        replace(get(f"{job}/attributes", guided.attributes, one(AttributesFound)), options=()),
        replace(get(f"{job}/summary", overview.summary, one(JobSummary)), options=()),
        replace(get(f"{job}/cycles", history.cycles, one(CycleHistory)), options=("top",)),
        replace(
            get(f"{job}/drift", drift.found, one(DriftReport)),
            options=("top",),
            narrows=("search", "attribute", "state"),
        ),
        *(
            replace(
                changing("POST", f"{job}/drift/{name}", handler, DriftChoice, one(Taken, 202)),
                refusals=(409,),
            )
            for name, handler in (("accept", drift.accepted), ("reassert", drift.reasserted))
        ),
        replace(get(f"{job}/escrows", history.escrows, one(Escrows)), options=()),
        replace(retried, refusals=(409,)),
        replace(tried, body_max=SCHEMA_MAX),
        replace(get(f"{job}/schema/tests", mapping_tests.run, one(results)), options=()),
        changing("PUT", f"{job}/schema/tests", mapping_tests.replace, MappingTests),
        replace(drafted, body_max=SCHEMA_MAX),
        replace(
            get(f"{job}/objects", history.objects, one(FoundObjects)),
            options=(),
            others=("search",),
        ),
        replace(listed, options=("select", "filter", "top", "skiptoken")),
        replace(get(single, connections.get_connection, one(connection)), options=("select",)),
        replace(unlinked, refusals=(409,)),
    )


def _templates(at: str) -> tuple[Route, ...]:
    each, template = f"{at}/{{tpl}}", SynchronizationTemplate
    posted = changing("POST", at, templates.post_template, template, one(template, 201, "Location"))
    return (
        _also(replace(get(at, templates.list_templates, many(template)), expands=("schema",)),
              "expand"),
        replace(posted, body_max=SCHEMA_MAX, refusals=(409,)),
        get(f"{at}/$count", templates.count_templates, NUMBER),
        replace(get(each, templates.get_template, one(template)), expands=("schema",)),
        *(
            replace(
                changing(method, each, templates.put_template_, template), body_max=SCHEMA_MAX
            )
            for method in ("PUT", "PATCH")
        ),
        changing("DELETE", each, templates.delete_template),
        *_schema(f"{each}/schema"),
    )  # fmt: skip


def _synchronization(at: str) -> tuple[Route, ...]:
    kept = get(f"{at}/secrets", secrets.get_secrets, many(SecretPair), WRITE)
    return (
        replace(get(at, singleton.get, one(Synchronization)), expands=("jobs", "templates")),
        changing("PUT", at, singleton.put, SynchronizationChange),
        changing("DELETE", at, singleton.remove),
        replace(get(f"{at}/ping", singleton.ping, one(Ping)), is_beta=True, options=()),
        replace(kept, options=()),
        changing("PUT", f"{at}/secrets", secrets.replace_secrets, Secrets),
        replace(get(f"{at}/secrets/$count", secrets.count_secrets, NUMBER, WRITE), options=()),
        replace(get(f"{at}/connections", systems.connections, one(Connections)), options=()),
        replace(changing("PUT", f"{at}/source", guided.put_source, SourceOf), refusals=(409,)),
        changing("POST", f"{at}/acquireAccessToken", access.acquire, AcquireAccessToken),
        *_jobs(f"{at}/jobs"),
        *_templates(f"{at}/templates"),
    )


SP, APP = "servicePrincipals/{sp}", "applications/{app}"
ASSIGNED, GALLERY = f"{SP}/appRoleAssignedTo", "applicationTemplates"


def _assignments(at: str) -> tuple[Route, ...]:
    each, assignment = f"{at}/{{assignment}}", AppRoleAssignment
    assigned = changing("POST", at, assignments.assign, NewAssignment, one(assignment, 201), ASSIGN)
    found = get(each, assignments.get_assignment, one(assignment), DIRECTORY)
    return (
        get(at, assignments.list_assignments, many(assignment), DIRECTORY),
        replace(assigned, refusals=(409,)),
        replace(found, options=("select",)),
        changing("DELETE", each, assignments.unassign, scopes=ASSIGN),
    )


def _people() -> tuple[Route, ...]:
    return (
        replace(get("users", people.list_users, many(User), USERS), options=PAGES),
        get("users/$count", people.count_users, NUMBER, USERS),
        get("users/{person}", people.get_user, one(User), USERS),
        replace(get("groups", people.list_groups, many(Group), GROUPS), options=PAGES),
        get("groups/$count", people.count_groups, NUMBER, GROUPS),
        get("groups/{person}", people.get_group, one(Group), GROUPS),
    )


def _directory() -> tuple[Route, ...]:
    principal = get(SP, principals.get_principal, one(ServicePrincipal), DIRECTORY)
    application = get(APP, principals.get_application, one(Application), DIRECTORY)
    made = one(ApplicationServicePrincipal, 201)
    return (
        get("servicePrincipals", principals.list_principals, many(ServicePrincipal), DIRECTORY),
        get("servicePrincipals/$count", principals.count_principals, NUMBER, DIRECTORY),
        replace(principal, expands=("synchronization", "owners", "appRoleAssignedTo")),
        *_assignments(ASSIGNED),
        *_people(),
        get("applications", principals.list_applications, many(Application), DIRECTORY),
        replace(application, expands=("synchronization", "owners")),
        get(GALLERY, principals.list_gallery, many(ApplicationTemplate), DIRECTORY),
        get(f"{GALLERY}/{{gallery}}", principals.get_gallery, one(ApplicationTemplate), DIRECTORY),
        changing(
            "POST",
            f"{GALLERY}/{{gallery}}/instantiate",
            principals.instantiate,
            Instantiate,
            made,
            CREATE,
        ),
    )


def _logs() -> tuple[Route, ...]:
    audited = get("auditLogs/directoryAudits", audits.list_audits, many(DirectoryAudit), AUDITS)
    return (
        replace(audited, options=("select", "filter", "top", "skiptoken")),
        *(
            replace(route, is_beta=is_beta)
            for name, is_beta in (("provisioning", False), ("directoryProvisioning", True))
            for route in _log(f"auditLogs/{name}")
        ),
    )


def _log(at: str) -> tuple[Route, ...]:
    listed = replace(many(RECORD), media=(JSON, ARCHIVE))
    return (
        replace(
            get(at, logs.list_logs, listed, LOGS),
            options=(*PAGES, "orderby", "format"),
            orders=("activityDateTime",),
            refusals=(429,),
        ),
        get(f"{at}/{{log}}", logs.get_log, one(RECORD), LOGS),
    )


def _own() -> tuple[Route, ...]:
    """What stands beside Graph's tree, without a version."""
    stream = Gives(media=(EVENTS,))
    well, granted = one(Wellness), one(TokenGrant)
    routes = (
        get("health", meta.health, well, ()),
        get("ready", meta.ready, well, ()),
        replace(get("metrics", metrics.metrics, Gives(media=(MEASURES,)), METRICS), is_local=True),
        get("openapi.json", meta.describe, Gives(), ANY),
        get(f"provisor/{SP}/jobs/{{job}}/events", events, stream),
        get("metadata/endpoints", tokens.endpoints, Gives(), ()),
        replace(
            changing("POST", "{tenant}/oauth2/v2.0/token", tokens.token, TokenRequest, granted, ()),
            media=FORM,
            refusals=(429,),
        ),
    )
    demo = "provisor/demonstration"
    guiding = (
        get("provisor/connectors", guided.connectors, one(ConnectorCatalogue)),
        replace(get("provisor/sources", guided.sources, one(SourcesInUse)), shows_own=True),
        get(demo, demonstration.state, one(DemonstrationState)),
        replace(
            changing("POST", demo, demonstration.begin, None, one(DemonstrationState, 201), ALL),
            refusals=(404, 409),
        ),
        replace(changing("DELETE", demo, demonstration.remove, scopes=ALL), refusals=(404,)),
        replace(
            changing(
                "POST", f"{demo}/day", demonstration.another_day, DemonstrationDay, scopes=ALL
            ),
            refusals=(404,),
        ),
    )
    listed = replace(
        get("provisor/jobs", overview.list_all, one(JobOverview)),
        orders=overview.PROPERTIES,
        shows_own=True,
    )
    applications = replace(
        get("provisor/applications", inventory.applications, one(ApplicationOverview)),
        orders=inventory.PROPERTIES,
        shows_own=True,
    )
    joined = get("provisor/connections", inventory.connections, one(SharedConnections))
    routes = (*routes, replace(joined, shows_own=True), *_keys())
    return (
        *(
            replace(route, is_versioned=False, options=("filter", "orderby", "top", "skip"))
            for route in (listed, applications)
        ),
        *(replace(route, is_versioned=False, options=()) for route in (*routes, *guiding)),
    )


def _keys() -> tuple[Route, ...]:
    """Whoever makes keys may give them everything, and so has to have it."""
    at, everything = "provisor/tokens", (EVERYTHING,)
    made = changing("POST", at, keys.make_key, NewKey, one(MadeKey, 201), everything)
    return (
        get(at, keys.list_keys, one(Keys), everything),
        replace(made, refusals=(409,)),
        changing("DELETE", f"{at}/{{key}}", keys.revoke_key, scopes=everything),
    )


ROUTES: tuple[Route, ...] = (
    *_synchronization(f"{SP}/synchronization"),
    *_synchronization(f"{APP}/synchronization"),
    *_directory(),
    *_logs(),
    *_own(),
)
OWN_ONLY = frozenset(("sp", "app"))
"""Keys that say whose application is meant, for those who may touch only their own."""

VERSIONED = Router(tuple(route for route in ROUTES if route.is_versioned))
UNVERSIONED = Router(tuple(route for route in ROUTES if not route.is_versioned))
