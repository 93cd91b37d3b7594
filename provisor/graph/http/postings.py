"""Templates that were posted: kept beside the application that they were posted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from provisor.graph.templates import to_template
from provisor.graph.wire.coding import encode, plain
from provisor.graph.wire.templates import SynchronizationTemplate
from provisor.model.jobs import Application
from provisor.ports import Registry

TEMPLATES = "templates"


async def posted(
    registry: Registry, application: Application
) -> Mapping[str, SynchronizationTemplate]:
    """Return the templates of one application by id."""
    content = await registry.document(application.id, TEMPLATES)
    if not content:
        return {}
    documents = cast(dict[str, dict[str, object]], msgspec.json.decode(content))
    return {id: to_template(document, documents) for id, document in documents.items()}


async def put_posted(
    registry: Registry,
    application: Application,
    templates: Mapping[str, SynchronizationTemplate],
) -> None:
    content = encode({id: plain(template) for id, template in templates.items()})
    await registry.put_document(application.id, TEMPLATES, content)
