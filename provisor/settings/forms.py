"""`provisor.yaml` as it is written: one struct for each mapping in it.

What is not said is UNSET, so that a merge can tell it from what is said and happens to be usual.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType

Settings: TypeAlias = dict[str, object]


class Form(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all: keys in camelCase, as in Graph's JSON."""


class SmtpForm(Form, frozen=True, kw_only=True):
    host: str
    port: int | UnsetType = UNSET
    security: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    ca_file: str | UnsetType = UNSET


class WebhookForm(Form, frozen=True, kw_only=True):
    url: str
    secret: str


class NotificationsForm(Form, frozen=True, kw_only=True):
    sender: str | UnsetType = UNSET
    recipients: tuple[str, ...] | UnsetType = UNSET
    domains: tuple[str, ...] | UnsetType = UNSET
    smtp: SmtpForm | UnsetType = UNSET
    webhook: WebhookForm | UnsetType = UNSET
    credentials_expire_within: str | UnsetType = UNSET


class TenantForm(Form, frozen=True, kw_only=True):
    id: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    default_domain: str | UnsetType = UNSET
    allowed_targets: tuple[str, ...] | UnsetType = UNSET
    notifications: NotificationsForm | UnsetType = UNSET


class ConnectionForm(Form, frozen=True, kw_only=True):
    connector: str
    settings: Settings = {}


class ApplicationForm(Form, frozen=True, kw_only=True):
    source: str | ConnectionForm
    target: str | ConnectionForm
    display_name: str | UnsetType = UNSET
    template: str | UnsetType = UNSET
    sync_all: bool | UnsetType = UNSET
    assignments: tuple[str, ...] | UnsetType = UNSET
    owners: tuple[str, ...] | UnsetType = UNSET
    renamed_from: str | UnsetType = UNSET


class DeparturesForm(Form, frozen=True, kw_only=True):
    percent: int | UnsetType = UNSET
    floor: int | UnsetType = UNSET
    count: int | UnsetType = UNSET


class MembersForm(Form, frozen=True, kw_only=True):
    percent: int | UnsetType = UNSET
    floor: int | UnsetType = UNSET


class ShrinksForm(Form, frozen=True, kw_only=True):
    percent: int | UnsetType = UNSET
    rows: int | UnsetType = UNSET


class GuardsForm(Form, frozen=True, kw_only=True):
    departures: DeparturesForm = DeparturesForm()
    members: MembersForm = MembersForm()
    shrinks: ShrinksForm = ShrinksForm()


class ThresholdsForm(Form, frozen=True, kw_only=True):
    min_failures: int | UnsetType = UNSET
    proportion: float | UnsetType = UNSET
    base: int | UnsetType = UNSET
    total: int | UnsetType = UNSET


class JobForm(Form, frozen=True, kw_only=True):
    """A job; with `source` and `target` in it, its application as well."""

    application: str | UnsetType = UNSET
    source: str | ConnectionForm | UnsetType = UNSET
    target: str | ConnectionForm | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    template: str | UnsetType = UNSET
    sync_all: bool | UnsetType = UNSET
    assignments: tuple[str, ...] | UnsetType = UNSET
    owners: tuple[str, ...] | UnsetType = UNSET
    renamed_from: str | UnsetType = UNSET
    schema: str | UnsetType = UNSET
    schedule: str | UnsetType = UNSET
    settings: Settings = {}
    guards: GuardsForm = GuardsForm()
    thresholds: ThresholdsForm = ThresholdsForm()
    canaries: tuple[str, ...] | UnsetType = UNSET
    delete_after: str | UnsetType = UNSET
    skip_out_of_scope_deletions: bool | UnsetType = UNSET
    relink_missing: bool | UnsetType = UNSET
    delete_released: bool | UnsetType = UNSET
    target_reads: str | UnsetType = UNSET
    drift: str | UnsetType = UNSET
    parallel: int | UnsetType = UNSET
    tests: object = UNSET
    """A list of examples, or the name of a file: `settings.examples`."""


class FileForm(Form, frozen=True, kw_only=True):
    tenant: TenantForm = TenantForm()
    connections: dict[str, ConnectionForm] = {}
    applications: dict[str, ApplicationForm] = {}
    jobs: dict[str, JobForm] = {}


OF_THE_APPLICATION = (
    "source",
    "target",
    "display_name",
    "template",
    "sync_all",
    "assignments",
    "owners",
)
"""What a job says only when it has no application of its own name beside it."""
