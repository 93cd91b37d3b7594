"""What stands around synchronization: principals, applications, people, assignments
(spec: graph-api 14)."""

from __future__ import annotations

from provisor.graph.wire.base import Wire

NON_GALLERY = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
"""The template of applications that are in no gallery."""


class AppRole(Wire, frozen=True, kw_only=True):
    id: str
    allowed_member_types: tuple[str, ...] = ("User",)
    description: str | None = None
    display_name: str | None = None
    is_enabled: bool = True
    origin: str = "Application"
    value: str | None = None


class ServicePrincipal(Wire, frozen=True, kw_only=True):
    id: str
    account_enabled: bool = True
    app_display_name: str | None = None
    app_id: str
    application_template_id: str | None = None
    app_owner_organization_id: str | None = None
    app_role_assignment_required: bool = False
    app_roles: tuple[AppRole, ...] = ()
    display_name: str | None = None
    service_principal_names: tuple[str, ...] = ()
    service_principal_type: str = "Application"
    tags: tuple[str, ...] = ("WindowsAzureActiveDirectoryIntegratedApp",)


class Application(Wire, frozen=True, kw_only=True):
    id: str
    app_id: str
    application_template_id: str | None = None
    app_roles: tuple[AppRole, ...] = ()
    display_name: str | None = None
    identifier_uris: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class ApplicationTemplate(Wire, frozen=True, kw_only=True):
    """What applications are made from: the gallery."""

    id: str
    display_name: str | None = None
    home_page_url: str | None = None
    supported_single_sign_on_modes: tuple[str, ...] = ()
    supported_provisioning_types: tuple[str, ...] = ("sync",)
    logo_url: str | None = None
    categories: tuple[str, ...] = ()
    publisher: str | None = "Provisor"
    description: str | None = None


class Instantiate(Wire, frozen=True, kw_only=True):
    display_name: str


class ApplicationServicePrincipal(Wire, frozen=True, kw_only=True):
    """What an application template becomes."""

    application: Application
    service_principal: ServicePrincipal


class AppRoleAssignment(Wire, frozen=True, kw_only=True):
    id: str
    app_role_id: str
    created_date_time: str | None = None
    principal_display_name: str | None = None
    principal_id: str
    principal_type: str
    resource_display_name: str | None = None
    resource_id: str


class NewAssignment(Wire, frozen=True, kw_only=True):
    """The body of `POST appRoleAssignedTo`."""

    principal_id: str
    resource_id: str | None = None
    app_role_id: str | None = None


class User(Wire, frozen=True, kw_only=True):
    """Somebody as a source shows him."""

    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    mail: str | None = None


class Group(Wire, frozen=True, kw_only=True):
    id: str
    display_name: str | None = None
    mail: str | None = None
