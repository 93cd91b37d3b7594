"""A small schema to change: users and groups of a source to an application."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

from provisor.graph.problems import Problem
from provisor.graph.schema.document import schema_of
from provisor.graph.schema.rules import to_rules
from provisor.model.rules import Rules

Json: TypeAlias = dict[str, Any]

USER_SOURCE: list[Json] = [
    {"name": "objectId", "anchor": True},
    {"name": "userPrincipalName"},
    {"name": "displayName"},
    {"name": "department"},
    {"name": "level", "type": "Integer"},
    {"name": "accountEnabled", "type": "Boolean"},
    {"name": "hired", "type": "DateTime"},
    {"name": "otherMails", "multivalued": True},
    {
        "name": "manager",
        "type": "Reference",
        "referencedObjects": [{"referencedObjectName": "User"}],
    },
]
USER_TARGET: list[Json] = [
    {"name": "id", "anchor": True, "mutability": "ReadOnly"},
    {"name": "userName", "required": True},
    {"name": "displayName"},
    {"name": "active", "type": "Boolean"},
    {"name": "nickName", "flowNullValues": True},
    {"name": "score", "type": "Integer"},
    {"name": "created", "mutability": "ReadOnly"},
    {"name": "password", "mutability": "WriteOnly"},
    {"name": "roles", "multivalued": True, "flowNullValues": True},
    {
        "name": "manager",
        "type": "Reference",
        "referencedObjects": [{"referencedObjectName": "User"}],
    },
]
USERS: Json = {
    "sourceObjectName": "User",
    "targetObjectName": "User",
    "attributeMappings": [
        {
            "targetAttributeName": "userName",
            "source": {"expression": "[userPrincipalName]"},
            "matchingPriority": 1,
        },
        {"targetAttributeName": "displayName", "source": {"name": "displayName"}},
        {"targetAttributeName": "active", "source": {"expression": "Not([IsSoftDeleted])"}},
    ],
}
SCHEMA: Json = {
    "directories": [
        {"name": "HR", "objects": [{"name": "User", "attributes": USER_SOURCE}]},
        {"name": "App", "objects": [{"name": "User", "attributes": USER_TARGET}]},
    ],
    "synchronizationRules": [
        {
            "id": "r1",
            "name": "USERS",
            "sourceDirectoryName": "HR",
            "targetDirectoryName": "App",
            "objectMappings": [USERS],
        }
    ],
}


def schema() -> Json:
    """Return a schema that is fine, to be changed."""
    return copy.deepcopy(SCHEMA)


def users(document: Json) -> Json:
    return document["synchronizationRules"][0]["objectMappings"][0]


def with_mapping(**mapping: object) -> Json:
    """Return the schema with one attribute mapping more: number 3."""
    document = schema()
    users(document)["attributeMappings"].append(mapping)
    return document


def with_clause(**clause: object) -> Json:
    """Return the schema with a scoping filter of one clause."""
    document = schema()
    users(document)["scope"] = {"groups": [{"name": "some", "clauses": [clause]}]}
    return document


def check(document: object) -> tuple[Rules, tuple[Problem, ...]]:
    """Read a document and make rules of it; what is wrong with either is returned."""
    read, problems = schema_of(document)
    if read is None:
        return {}, problems
    rules, found = to_rules(read)
    return rules, problems + found
