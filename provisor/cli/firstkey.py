"""How the first person gets in: a key that `serve` makes where nobody has one yet.

It is printed to a terminal, where somebody sits who may do everything to the workspace anyway; into
a log it is never written.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from provisor.cli.render import tell
from provisor.cli.session import administrator
from provisor.cli.workspace import Workspace
from provisor.model.audit import Altered
from provisor.runtime.lease import lease
from provisor.settings.tokens import TOKENS, load_tokens, make, put_tokens

NAME = "first"
SCOPE = "Directory.ReadWrite.All"
LASTS = timedelta(days=7)
"""Long enough to begin with; a key of one's own is made by then."""
NOBODY = (
    "provisor: nobody can sign in yet: `provisor token create NAME --scope Directory.ReadWrite.All`"
    " makes a key"
)


async def welcome(workspace: Workspace) -> None:
    """Where there is no key yet, make one and say it, or say how one is made."""
    parts = workspace.parts
    with lease(parts.leases, TOKENS):
        known = await load_tokens(parts.registry)
        if known:
            return
        if not sys.stderr.isatty():
            tell(NOBODY)
            return
        now = parts.clock.now()
        made, text = make(NAME, [SCOPE], now, now + LASTS, parts.entropy)
        await put_tokens(parts.registry, [made])
    told = (Altered("scopes", "", SCOPE), Altered("expires", "", (now + LASTS).isoformat()))
    about = f"{NAME} {made.id}"
    await parts.registry.audit(now, administrator(), "Create API key", about, altered=told)
    tell(
        "provisor: nobody had a key yet. Sign in with this one; it may do everything, lasts seven "
        "days and is not shown again:"
    )
    tell(f"\n    {text}\n")
