"""What an administrator says about where a directory server is, whichever connector asks."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from provisor.connectors.ldapwire.endpoint import Endpoint, NotAnAddress, Security, parse_url
from provisor.connectors.ldapwire.form import Form


def endpoint_of(form: Form, folder: Path) -> Endpoint:
    url = form.text("url")
    scheme, host, port, path = "ldaps", "", 636, ""
    if not url:
        form.refuse(
            "url", "is missing: give the server's address, such as ldaps://ldap.example.com"
        )
    else:
        try:
            scheme, host, port, path = parse_url(url)
        except NotAnAddress as odd:
            form.refuse("url", str(odd))
    starts_tls = form.flag("startTls", default=False)
    if starts_tls and scheme != "ldap":
        form.refuse("startTls", "goes with ldap:// only; ldaps:// is TLS from the beginning")
    security = Security.NONE
    if scheme == "ldaps":
        security = Security.LDAPS
    elif starts_tls:
        security = Security.START_TLS
    elif not (path or is_here(host) or form.flag("allowInsecure", default=False)):
        form.refuse(
            "url",
            "would send the password in the clear: use ldaps://, or startTls: true "
            "(or allowInsecure: true, where everybody may read what passes)",
        )
    timeouts = form.below("timeouts", "connect", "answer")
    certificate, key = _file(form, "certificateFile", folder), _file(form, "keyFile", folder)
    if key and not certificate:
        form.refuse("keyFile", "needs certificateFile: the certificate it is the key of")
    return Endpoint(
        host=host,
        port=port,
        path=path,
        security=security,
        ca_file=_file(form, "caFile", folder),
        certificate_file=certificate,
        key_file=key,
        connect_timeout_s=timeouts.seconds("connect", 10, 0.1, 600) if timeouts else 10,
        answer_timeout_s=timeouts.seconds("answer", 60, 0.1, 3600) if timeouts else 60,
    )


def is_here(host: str) -> bool:
    """Tell whether a server is on this machine, so that nobody is in between."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _file(form: Form, key: str, folder: Path) -> str:
    name = form.text(key)
    if not name:
        return ""
    path = folder / name
    if not path.is_file():
        form.refuse(key, f"there is no file {path}")
    return str(path)
