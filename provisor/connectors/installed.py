"""All connectors that there are here: those of the catalog, and those that packages bring.

A package names each of its own as an entry point of the group `provisor.connectors`:
`jsonlines = "provisor_jsonlines:CONNECTOR"`, an object of type `catalog.Connector`. Nothing of a
package is imported before somebody asks for its connector. What is built in is never replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from provisor.connectors.catalog import CONNECTORS, Connector
from provisor.errors import AdapterError

GROUP: Final = "provisor.connectors"


class ConnectorUnusable(AdapterError):
    """There is no such connector, or the package that brings it is broken."""

    default_code = "ConnectorUnusable"


class ConnectorClash(ConnectorUnusable):
    """Several bring a connector of one name, and nobody can tell which was meant."""

    default_code = "ConnectorClash"


def connector_named(name: str) -> Connector:
    """Return the connector of this name. Raises ConnectorUnusable.

    What is built in is there whatever is installed.
    """
    built_in = CONNECTORS.get(name)
    if built_in is not None:
        return built_in
    refuse_clash(name)
    found = _offers(name)
    if not found:
        known = connector_names()
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ConnectorUnusable(f"there is no connector {name}; {hint}")
    return _loaded(found[0])


def refuse_clash(name: str) -> None:
    """Raise ConnectorClash where several bring this connector: for whoever sets one up.

    Jobs that run on one that is built in are not disturbed by what somebody installs.
    """
    offers = _offers(name)
    packages = " and ".join(sorted(_package(one) for one in offers))
    if name in CONNECTORS and offers:
        raise ConnectorClash(
            f"{packages} brings a connector {name}, and there is one built in, which is used; "
            "uninstall the package, or let its maker choose another name"
        )
    if len(offers) > 1:
        raise ConnectorClash(f"{packages} each bring a connector {name}; uninstall all but one")


def connector_names() -> tuple[str, ...]:
    """Return what can be named, in order; whether it works is seen when it is used."""
    return tuple(sorted({*CONNECTORS, *(one.name for one in entry_points(group=GROUP))}))


def connectors_that(can: Callable[[Connector], bool]) -> tuple[str, ...]:
    """Return the names of those that work here and can do something."""
    found: list[str] = []
    for name in connector_names():
        try:
            able = can(connector_named(name))
        except ConnectorUnusable:
            continue  # told with all that is wrong to whoever names it
        if able:
            found.append(name)
    return tuple(found)


def _offers(name: str) -> tuple[EntryPoint, ...]:
    """Return who offers this, each once: a folder may be on the path twice."""
    found = {(_package(one), one.value): one for one in entry_points(group=GROUP, name=name)}
    return tuple(found.values())


def _package(offer: EntryPoint) -> str:
    return f"the package {offer.dist.name}" if offer.dist else f"somebody ({offer.value})"


def _loaded(offer: EntryPoint) -> Connector:
    """Import what a package brings, and see whether it is a connector."""
    try:
        found: object = offer.load()
    except Exception as failure:
        # A stranger's module may fail in any way; of the failure only its kind is told, since its
        # text may say anything.
        raise _unusable(offer, f"importing it failed ({type(failure).__name__})") from failure
    if not isinstance(found, Connector):
        raise _unusable(offer, f"it is of type {type(found).__name__}, not a Connector")
    if found.open_source is None and found.open_target is None:
        raise _unusable(offer, "it can be neither source nor target")
    for side, opens, probes in (
        ("source", found.open_source, found.probe_source),
        ("target", found.open_target, found.probe_target),
    ):
        if (opens is None) != (probes is None):
            raise _unusable(offer, f"as a {side} it can be opened or probed, but not both")
    if (found.open_target is None) != (found.open_reader is None):
        raise _unusable(offer, "as a target it can be written to or read, but not both")
    return found


def _unusable(offer: EntryPoint, why: str) -> ConnectorUnusable:
    return ConnectorUnusable(
        f"the connector {offer.name} of {_package(offer)} ({offer.value}) cannot be used: {why}; "
        "update the package, or ask its maker"
    )
