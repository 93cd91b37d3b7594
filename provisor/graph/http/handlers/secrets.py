"""Secrets, and what is done with them: kept, shown masked, tried out (spec: graph-api 12, 3.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provisor.connectors.catalog import Surroundings
from provisor.errors import AdapterError, Denied
from provisor.graph.credentials import (
    MASK,
    MASKED,
    Bounds,
    canonical_key,
    load_bounds,
    load_keys,
    load_secrets,
    masked_values,
    put_secrets,
    secrets_of,
    settings_of,
    shown,
    strays,
)
from provisor.graph.http.altered import altered_secrets
from provisor.graph.http.answers import Answer, Document, counted, done, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, bad_request, invalid
from provisor.graph.http.handlers.common import (
    anchor,
    application_of,
    job_of,
    reconfigured,
)
from provisor.graph.http.house import House
from provisor.graph.http.telling import check_recipients
from provisor.graph.policy import from_api
from provisor.graph.problems import errors
from provisor.graph.wire.pairs import SecretPair, Secrets
from provisor.graph.wire.requests import ValidateCredentials
from provisor.model.jobs import Application
from provisor.model.rules import Policy
from provisor.settings.connections import TARGET
from provisor.settings.problems import Invalid

PAIRS_MAX = 100
VALUE_LENGTH_MAX = 32_768
INVALID_CREDENTIALS = "SystemForCrossDomainIdentityManagementInvalidCredentials"
NO_ADDRESS = "Please provide a valid tenant URL for your application."


async def get_secrets(call: Call) -> Answer:
    application = await application_of(call)
    pairs = await visible(call.house, application)
    answer: Document = call.context(f"{anchor(call, application)}/secrets")
    return said({**answer, "value": pairs})


async def count_secrets(call: Call) -> Answer:
    application = await application_of(call)
    return counted(len(await visible(call.house, application)))


async def visible(house: House, application: Application) -> list[dict[str, str]]:
    """Return the secrets that hold, masked: what the API put; before it put any, the file's."""
    keys = await load_keys(house.parts.registry, application)
    if keys is None:
        return shown(await _of_file(house, application))
    values = await load_secrets(house.parts.registry, house.parts.vault, application)
    return shown([(key, values.get(key, MASK)) for key in keys])


async def _of_file(house: House, application: Application) -> Mapping[str, str]:
    """Return what the file says as secrets; nothing where it cannot be used."""
    try:
        _, settings = await house.connection(application, TARGET, {})
    except Invalid:
        return {}
    return secrets_of(settings)


async def replace_secrets(call: Call) -> Answer:
    application = await application_of(call)
    house, parts = call.house, call.house.parts
    given = pairs_of(call.read(Secrets).value)
    saved = await load_secrets(parts.registry, parts.vault, application)
    kept = unmasked(given, saved, await load_bounds(parts.registry, application))
    _check_settings(kept)
    await check_recipients(parts, kept)
    await put_secrets(parts.registry, parts.vault, application, kept, masks_of(given))
    await reconfigured(call, application)
    about = f"{application.name} {application.id}: {', '.join(kept) or 'none'}"
    changes = altered_secrets(saved, kept)
    await house.audit(
        call.caller.name, "Update provisioning setting or credentials", about, changes
    )
    return done()


def pairs_of(pairs: Sequence[SecretPair]) -> dict[str, str]:
    """Return what was given by key, in its order. Raises Fault."""
    if len(pairs) > PAIRS_MAX:
        raise bad_request(f"There are more than {PAIRS_MAX} secrets.")
    given: dict[str, str] = {}
    for pair in pairs:
        key = canonical_key(pair.key)
        if key is None or key == "None":
            raise bad_request(f"There is no secret with the key '{pair.key[:60]}'.")
        if key in given:
            raise bad_request(f"The secret '{key}' is given twice.")
        value = pair.value or ""
        if len(value) > VALUE_LENGTH_MAX:
            raise bad_request(f"The secret '{key}' is longer than {VALUE_LENGTH_MAX} characters.")
        given[key] = value
    return given


def masks_of(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets whose saved values are meant."""
    return tuple(key for key, value in given.items() if value == MASK and key in MASKED)


def unmasked(given: Mapping[str, str], saved: Mapping[str, str], bounds: Bounds) -> dict[str, str]:
    """Put saved values in the place of masks; what is empty goes. Raises Fault.

    A saved secret goes nowhere but where it was saved for: with another address it has to be
    typed again (spec: settled 35).
    """
    kept = masks_of(given)
    refuse_strays(kept, given, bounds)
    for key in kept:
        if key not in saved:
            raise bad_request(f"There is no saved value of '{key}' that could be kept.")
    said = {key: saved[key] if key in kept else value for key, value in given.items()}
    return {key: value for key, value in said.items() if value}


def refuse_strays(kept: Iterable[str], given: Mapping[str, str], bounds: Bounds) -> None:
    """Raises Fault where a saved secret would go to another place than it was given for."""
    if place := strays(kept, given, bounds):
        raise bad_request(
            f"{place} leads to another place than the saved secrets were given for: give them "
            "again, unmasked.",
            code="CredentialsMustBeGivenAgain",
        )


def _check_settings(secrets: Mapping[str, str]) -> None:
    _, problems = from_api(Policy(), settings={}, secrets=secrets)
    if errors(problems):
        raise invalid(problems)


# trying them out


async def validate_of_job(call: Call) -> Answer:
    application, _ = await job_of(call)
    return await _validate(call, application)


async def validate(call: Call) -> Answer:
    return await _validate(call, await application_of(call))


async def _validate(call: Call, application: Application) -> Answer:
    wanted = call.read(ValidateCredentials)
    parts = call.house.parts
    if wanted.template_id:
        templates = await call.house.templates(application)
        if wanted.template_id.lower() not in {id.lower() for id in templates}:
            raise bad_request(f"There is no synchronization template '{wanted.template_id}'.")
    secrets: Mapping[str, str] | None = None
    if not wanted.use_saved_credentials:
        saved = await load_secrets(parts.registry, parts.vault, application)
        bounds = await load_bounds(parts.registry, application)
        secrets = unmasked(pairs_of(wanted.credentials), saved, bounds)
        if "baseAddress" not in settings_of(secrets):
            raise Fault(400, INVALID_CREDENTIALS, NO_ADDRESS)
    await probe(call.house, application, secrets)
    return done()


async def probe(house: House, application: Application, secrets: Mapping[str, str] | None) -> None:
    """Ask the target something harmless. Raises Fault with what an administrator can act on."""
    try:
        connector, settings = await house.connection(application, TARGET, secrets)
    except Invalid as wrong:
        messages = "; ".join(problem.message for problem in wrong.problems)
        is_bare = any(problem.path.endswith("baseAddress") for problem in wrong.problems)
        raise Fault(400, INVALID_CREDENTIALS, NO_ADDRESS if is_bare else messages) from wrong
    if connector.open_reader is None:
        raise bad_request("There is no target whose credentials could be tried.")
    around = Surroundings(
        base=house.base,
        rules={},
        clock=house.parts.clock,
        entropy=house.parts.entropy,
        door=await house.door(application, secrets),
        hidden=(*await house.hidden(application), *masked_values(secrets or {})),
    )
    reader = connector.open_reader(settings, around)
    try:
        await reader.probe()
    except AdapterError as failure:
        is_denied = isinstance(failure, Denied) and failure.code == Denied.default_code
        code = INVALID_CREDENTIALS if is_denied else failure.code
        raise Fault(400, code, str(failure) or code) from failure
    finally:
        await reader.close()
