"""Directories: LDAP, and Active Directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.connectors.catalog.connector import (
    CHECKED,
    Complaint,
    Settings,
    Surroundings,
    required,
    written,
)
from provisor.ports import Ears, Prober, Source, Target, TargetReader

if TYPE_CHECKING:
    from provisor.connectors.activedirectory.settings import AdSettings
    from provisor.connectors.ldap.settings import LdapSettings


def check_ldap(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.ldap.settings import Invalid, parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def missing_in_ldap(settings: Settings) -> str:
    return next((name for name in ("url", "base") if not settings.get(name)), "")


def ldap_settings(settings: Settings, base: Path) -> LdapSettings:
    from provisor.connectors.ldap.settings import LdapSettings, parse

    parsed = parse(settings, base)
    assert isinstance(parsed, LdapSettings), CHECKED
    return parsed


def open_ldap(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.ldap.source import LdapSource

    parsed = ldap_settings(settings, around.base)
    return LdapSource(parsed, around.clock, required(around.rules))


def open_ldap_ears(settings: Settings, around: Surroundings) -> Ears:
    from provisor.connectors.ldap.listening import LdapEars

    return LdapEars(ldap_settings(settings, around.base))


def open_ldap_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.ldap.reader import LdapReader

    parsed = ldap_settings(settings, around.base)
    return LdapReader(parsed, written(around.rules), around.clock)


def open_ldap_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.ldap.target import LdapTarget

    parsed = ldap_settings(settings, around.base)
    return LdapTarget(parsed, written(around.rules), around.clock).overheard(around.trace)


def probe_ldap_target(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.ldap.target_probe import LdapTargetProber

    parsed = ldap_settings(settings, around.base)
    return LdapTargetProber(parsed, written(around.rules), around.clock)


def probe_ldap(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.ldap.probe import LdapProber

    return LdapProber(ldap_settings(settings, around.base), required(around.rules))


def check_ad(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.activedirectory.settings import Invalid, parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def missing_in_ad(settings: Settings) -> str:
    needed = ("url", "base") if settings.get("sasl") else ("url", "base", "bindDn", "password")
    return next((name for name in needed if not settings.get(name)), "")


def ad_settings(settings: Settings, base: Path) -> AdSettings:
    from provisor.connectors.activedirectory.settings import AdSettings, parse

    parsed = parse(settings, base)
    assert isinstance(parsed, AdSettings), CHECKED
    return parsed


def open_ad(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.activedirectory.source import AdSource

    return AdSource(ad_settings(settings, around.base), around.clock, required(around.rules))


def probe_ad(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.activedirectory.probe import AdProber

    return AdProber(ad_settings(settings, around.base), around.clock, required(around.rules))


def open_ad_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.activedirectory.reader import AdReader

    return AdReader(ad_settings(settings, around.base), written(around.rules), around.clock)


def open_ad_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.activedirectory.target import AdTarget

    parsed = ad_settings(settings, around.base)
    target = AdTarget(parsed, written(around.rules), around.clock, around.entropy)
    return target.overheard(around.trace)


def probe_ad_target(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.activedirectory.target_probe import AdTargetProber

    parsed = ad_settings(settings, around.base)
    return AdTargetProber(parsed, written(around.rules), around.clock)
