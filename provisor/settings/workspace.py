"""`provisor.yaml` to the one form in which configurations are compared, all problems at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, fields

from provisor.connectors.http.door import is_entry
from provisor.model.rules import AttributeDefinition, TargetReads
from provisor.settings import defaults, forms, notifications
from provisor.settings.connections import SOURCE, TARGET, Checked, check_connection
from provisor.settings.durations import duration_text, parse_duration
from provisor.settings.examples import TESTS, Example, read_examples
from provisor.settings.leaves import Configuration, Item, flatten
from provisor.settings.problems import Invalid, Problem, Problems, suggestion
from provisor.settings.reading import read
from provisor.settings.yamlfile import load

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
At = tuple[str, ...]
Definitions = Mapping[str, Sequence[AttributeDefinition]]
LIMITS: Mapping[str, tuple[float, float]] = {
    "percent": (0, 100),
    "floor": (0, 10_000_000),
    "count": (1, 10_000_000),
    "rows": (0, 10_000_000),
    "minFailures": (1, 10_000_000),
    "proportion": (0, 1),
    "base": (1, 100_000_000),
    "total": (1, 100_000_000),
    "parallel": (1, 256),
}
"""What numbers may be, by the last key of their path."""
NOT_IN_FORCE = ("application", "renamed_from", "settings", TESTS)
"""What is said of a job and is no leaf of it, or is made into leaves apart."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "targetReads": tuple(one.value for one in TargetReads),
    "drift": defaults.DRIFTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSchema:
    """A schema, examined."""

    text: str = ""
    """In the one form in which schemas are stored and compared; empty if there are errors."""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What checking a file has to know of the rest of the world."""

    templates: Collection[str]
    check_schema: Callable[[bytes, Definitions], CheckedSchema]
    check_settings: Callable[[Mapping[str, str]], Mapping[str, str]]
    """What is wrong with Graph's settings of a job, by their names."""
    template_schema: Callable[[str], str]
    """A template's schema, in the form in which schemas are compared."""
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a file asks for."""

    configuration: Configuration
    tenant_id: str
    names_tenant: bool = True
    """False if the file leaves the id to the store."""
    warnings: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    """Other files that it names, relative to it: schemas."""
    secrets: Mapping[tuple[str, str], str] = field(
        default_factory=dict[tuple[str, str], str], repr=False
    )
    """Literal secrets by application and `target.token`; they go to the vault."""
    tests: Mapping[str, tuple[Example, ...]] = field(default_factory=dict[str, tuple[Example, ...]])
    """By job."""
    definitions: Mapping[str, Definitions] = field(default_factory=dict[str, Definitions])
    """What each application's source knows of its own attributes."""


def read_workspace(file: Path, around: Surroundings, tenant: str) -> Wanted:
    """Return what `provisor.yaml` asks for. Raises Invalid with everything that is wrong.

    `tenant` is the id that holds where the file names none.
    """
    problems = Problems(file)
    raw = load(file, problems)
    problems.raise_any()
    form = read(forms.FileForm, raw, problems)
    if form is None:
        raise Invalid(problems.found)
    return _Reading(form, around, problems, tenant).result()


@dataclass(slots=True)
class _Reading:
    """One file on its way to a configuration."""

    form: forms.FileForm
    around: Surroundings
    problems: Problems
    tenant: str
    warnings: list[Problem] = field(default_factory=list[Problem])
    files: list[str] = field(default_factory=list[str])
    secrets: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    checked: dict[tuple[str, str], Checked] = field(default_factory=dict[tuple[str, str], Checked])
    tests: dict[str, tuple[Example, ...]] = field(default_factory=dict[str, tuple[Example, ...]])

    def result(self) -> Wanted:
        tenant = self._tenant()
        applications: dict[str, Item] = {}
        for name, form in self.form.applications.items():
            applications[name] = self._application(name, form, ("applications", name))
        for name, form in self.form.jobs.items():
            if _is_inline(form):
                self._check_inline(name, form)
                applications[name] = self._application(name, _inner(form), ("jobs", name))
        jobs = {name: self._job(name, form) for name, form in self.form.jobs.items()}
        self._check_pairs(applications, jobs)
        self.problems.raise_any()
        return Wanted(
            configuration=Configuration(tenant=tenant, applications=applications, jobs=jobs),
            tenant_id=self.tenant,
            names_tenant=bool(_text(self.form.tenant.id)),
            warnings=tuple(self.warnings),
            files=tuple(self.files),
            secrets=self.secrets,
            tests=self.tests,
            definitions={
                application: one.definitions
                for (application, side), one in self.checked.items()
                if side == SOURCE
            },
        )

    def _tenant(self) -> dict[str, object]:
        given = self.form.tenant
        id = _text(given.id)
        if id:
            try:
                self.tenant = str(UUID(id))
            except ValueError:
                self.problems.add(("tenant", "id"), "is to be a UUID; `provisor init` writes one")
        said = {"displayName": given.display_name, "defaultDomain": given.default_domain}
        leaves: dict[str, object] = {
            key: value for key, value in said.items() if isinstance(value, str) and value
        }
        if not isinstance(given.allowed_targets, UnsetType):
            leaves["allowedTargets"] = list(given.allowed_targets)
            for one in given.allowed_targets:
                if not is_entry(one):
                    message = f"{one!r} is no name, address or network such as 10.1.0.0/16"
                    self.problems.add(("tenant", "allowedTargets"), message)
        return leaves | self._notifications(given.notifications)

    def _notifications(self, given: forms.NotificationsForm | UnsetType) -> dict[str, object]:
        if isinstance(given, UnsetType):
            return {}
        at = ("tenant", notifications.SECTION)
        leaves = {
            f"{notifications.SECTION}.{path}": list(cast("tuple[object, ...]", value))
            if isinstance(value, tuple)
            else value
            for path, value in _said(given).items()
        }
        notifications.check(
            leaves, lambda path, message: self.problems.add((*at, *path.split(".")), message)
        )
        return leaves

    # applications

    def _application(self, name: str, form: forms.ApplicationForm, at: At) -> Item:
        self._check_name(name, at)
        template = self._template(name)
        if template not in self.around.templates:
            known = suggestion(template, self.around.templates)
            self.problems.add((*at, "template"), f"there is no template {template}; {known}")
        self._check_assignments(form, at)
        leaves = _said(form, leaves_out=("source", "target", "renamed_from"))
        for key in ("assignments", "owners"):
            if key in leaves:
                leaves[key] = self._keys(leaves[key], (*at, key), are_objects=key != "owners")
        for side, given in ((SOURCE, form.source), (TARGET, form.target)):
            leaves.update(self._connection(name, side, given, at))
        if template != defaults.TEMPLATE:
            leaves["template"] = template
        usual = defaults.application_defaults(name)
        return Item(defaults.unusual(leaves, usual), _text(form.renamed_from))

    def _check_assignments(self, form: forms.ApplicationForm, at: At) -> None:
        if form.assignments and form.sync_all is UNSET:
            self.problems.add(
                (*at, "assignments"),
                "says who is assigned, but not whether all others are provisioned too; add "
                "syncAll: false, so that only these are",
            )
        if form.sync_all is False and not form.assignments:
            self._warn((*at, "syncAll"), "nobody is assigned, so that nobody is provisioned")

    def _connection(
        self, application: str, side: str, given: str | forms.ConnectionForm, at: At
    ) -> dict[str, object]:
        """Return the leaves of one side, and remember what is known of it."""
        path: At = (*at, side)
        if isinstance(given, str):
            named = self.form.connections.get(given)
            if named is None:
                known = suggestion(given, self.form.connections)
                self.problems.add(path, f"there is no connection {given}; {known}")
                return {}
            given, path = named, ("connections", given)
        if not given.connector:
            return {}  # that it is missing was noted
        checked = check_connection(
            given, side, path, self.problems, self.around.environment, self.tenant
        )
        if checked is None:
            return {}
        self.checked[application, side] = checked
        for inner, reason in checked.unresolved:
            self._warn((*path, "settings", *inner.split(".")), reason)
        for inner, secret in checked.secrets.items():
            self.secrets[application, f"{side}.{inner}"] = secret
            self._warn(
                (*path, "settings", *inner.split(".")),
                "is a secret in plain text; it is stored encrypted, but stands in this file: "
                "env:NAME or file:PATH keep it out",
            )
        settings = flatten(checked.settings, f"{side}.settings.")
        return {f"{side}.connector": given.connector, **settings}

    # jobs

    def _check_inline(self, name: str, form: forms.JobForm) -> None:
        at = ("jobs", name)
        if name in self.form.applications:
            self.problems.add(
                at,
                f"says what the application {name} is, which `applications:` says too; keep "
                f"source, target and the like there, and put application: {name} here",
            )
        for key in (SOURCE, TARGET):
            if getattr(form, key) is UNSET:
                self.problems.add(at, f"the key {key} is missing")

    def _job(self, name: str, form: forms.JobForm) -> Item:
        at = ("jobs", name)
        self._check_name(name, at)
        application = name if _is_inline(form) else self._named_application(name, form)
        if form.tests is not UNSET:
            self.tests[name] = read_examples(form.tests, self.problems, (*at, TESTS))
        leaves = _said(form, leaves_out=(*forms.OF_THE_APPLICATION, *NOT_IN_FORCE))
        self._check_numbers(leaves, at)
        leaves["application"] = application
        leaves.update(flatten(self._settings(form, at), "settings."))
        if "canaries" in leaves:
            leaves["canaries"] = self._keys(leaves["canaries"], (*at, "canaries"))
        for key, low in (("schedule", defaults.SCHEDULE_MIN), ("deleteAfter", None)):
            if key in leaves:
                leaves[key] = self._duration(str(leaves[key]), (*at, key), low)
        for key, words in WORDS.items():
            if leaves.get(key, words[0]) not in words:
                self.problems.add((*at, key), f"is to be one of {', '.join(words)}")
        if "schema" in leaves:
            leaves["schema"] = self._schema(str(leaves["schema"]), application, at)
            if leaves["schema"] == self.around.template_schema(self._template(application)):
                del leaves["schema"]
        return Item(
            defaults.unusual(leaves, defaults.JOB),
            _text(form.renamed_from),
            has_schedule=form.schedule is not UNSET,
        )

    def _named_application(self, name: str, form: forms.JobForm) -> str:
        at, application = ("jobs", name), _text(form.application)
        for key in forms.OF_THE_APPLICATION:
            if application and getattr(form, key) is not UNSET:
                message = f"belongs to the application; say it at applications.{application}"
                self.problems.add((*at, _key(key)), message)
        if not application:
            self.problems.add(
                at, "names neither an application nor the source and target of one of its own"
            )
        elif application not in self.form.applications:
            known = suggestion(application, self.form.applications)
            self.problems.add((*at, "application"), f"there is no such application; {known}")
        return application

    def _template(self, application: str) -> str:
        """Return the template that is named, else the one for what the target is."""
        form = self.form.applications.get(application) or self.form.jobs.get(application)
        if form is None:
            return defaults.TEMPLATE
        target = form.target
        known = self.form.connections.get(target) if isinstance(target, str) else target
        connector = known.connector if isinstance(known, forms.ConnectionForm) else ""
        return defaults.template_for(_text(form.template), connector, self.around.templates)

    def _settings(self, form: forms.JobForm, at: At) -> dict[str, object]:
        """Return the job's settings as Graph has them: always text."""
        texts: dict[str, str] = {}
        for name, value in form.settings.items():
            if isinstance(value, bool):
                texts[name] = "True" if value else "False"
            elif isinstance(value, str | int):
                texts[name] = str(value)
            else:
                self.problems.add((*at, "settings", name), "is to be a text")
        for name, message in self.around.check_settings(texts).items():
            self.problems.add((*at, "settings", name), message)
        return dict[str, object](texts)

    def _schema(self, name: str, application: str, at: At) -> str:
        file = self.problems.file.parent / name
        self.files.append(name)
        try:
            content = file.read_bytes()
        except OSError as failure:
            message = f"the schema {file} cannot be read: {failure.strerror}"
            self.problems.add((*at, "schema"), message)
            return ""
        source = self.checked.get((application, SOURCE))
        checked = self.around.check_schema(content, source.definitions if source else {})
        self.problems.found += [Problem(str(file), 0, "", error) for error in checked.errors]
        self.warnings += [Problem(str(file), 0, "", warning) for warning in checked.warnings]
        return checked.text

    def _check_pairs(self, applications: Mapping[str, Item], jobs: Mapping[str, Item]) -> None:
        """One job for each application: it has one template (settled 27)."""
        first: dict[object, str] = {}
        for name, job in jobs.items():
            application = job.leaves.get("application")
            if application in applications and first.setdefault(application, name) != name:
                self.problems.add(
                    ("jobs", name, "application"),
                    f"the job {first[application]} provisions this application already; give "
                    "this job an application of its own",
                )

    # small things

    def _check_name(self, name: str, at: At) -> None:
        if not NAME.fullmatch(name):
            self.problems.add(
                at, "a name has up to 64 letters, digits, dots, hyphens and underscores"
            )

    def _check_numbers(self, leaves: Mapping[str, object], at: At) -> None:
        for path, value in leaves.items():
            limits = LIMITS.get(path.split(".")[-1])
            if limits and isinstance(value, int | float) and not limits[0] <= value <= limits[1]:
                message = f"is to lie between {limits[0]:g} and {limits[1]:g}"
                self.problems.add((*at, *path.split(".")), message)

    def _duration(self, text: str, at: At, low: object) -> object:
        if low is None and text.lower() == defaults.NEVER:
            return defaults.NEVER
        duration = parse_duration(text)
        if duration is None:
            example = "PT5M (five minutes)" if low else "P30D (thirty days), or never"
            self.problems.add(at, f"is to be a duration such as {example}")
            return text
        if low is not None and duration < defaults.SCHEDULE_MIN:
            self.problems.add(at, "cannot be shorter than PT1M")
        return duration_text(duration)

    def _keys(self, names: object, at: At, *, are_objects: bool = True) -> list[object]:
        given = list(cast("Sequence[object]", names)) if isinstance(names, tuple | list) else []
        if not are_objects:
            return given
        return [defaults.text_of(defaults.assignment_of(str(name))) for name in given]

    def _warn(self, path: At, message: str) -> None:
        line = self.problems.line(path)
        self.warnings.append(Problem(str(self.problems.file), line, ".".join(path), message))


def _is_inline(form: forms.JobForm) -> bool:
    said = (getattr(form, key) for key in forms.OF_THE_APPLICATION)
    return form.application is UNSET and any(value is not UNSET for value in said)


def _inner(form: forms.JobForm) -> forms.ApplicationForm:
    """Return the application that a job says about itself; what is missing was noted."""
    nothing = forms.ConnectionForm(connector="")
    return forms.ApplicationForm(
        source=nothing if isinstance(form.source, UnsetType) else form.source,
        target=nothing if isinstance(form.target, UnsetType) else form.target,
        display_name=form.display_name,
        template=form.template,
        sync_all=form.sync_all,
        assignments=form.assignments,
        owners=form.owners,
        renamed_from=form.renamed_from,
    )


def _said(form: Struct, leaves_out: Collection[str] = ()) -> dict[str, object]:
    """Return the leaves of what a form says."""
    return flatten(_tree(form, leaves_out))


def _tree(form: Struct, leaves_out: Collection[str] = ()) -> dict[str, object]:
    tree: dict[str, object] = {}
    names = {field.name: field.encode_name for field in fields(form)}
    for name, value in asdict(form).items():
        if value is not UNSET and name not in leaves_out:
            tree[names[name]] = _tree(value) if isinstance(value, Struct) else value
    return tree


def _key(name: str) -> str:
    """Return how a field of a job is spelled in the file."""
    return next(field.encode_name for field in fields(forms.JobForm) if field.name == name)


def _text(value: str | UnsetType) -> str:
    return "" if isinstance(value, UnsetType) else value
