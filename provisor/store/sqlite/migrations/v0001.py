"""Version 1. What is written here is never changed: a later version changes it."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

TABLES = MetaData()


def number() -> Column[int]:
    return Column("number", Integer, primary_key=True)


def needed(name: str, default: str | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=default)


def of_standing() -> Column[int]:
    return Column("standing", Integer, primary_key=True)


Table("meta", TABLES, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

# What administrators and the API see: JSON, read and written whole.

Table(
    "application",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
)
Table(
    "document",
    TABLES,
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("owner", "name"),
)
Table(
    "audit",
    TABLES,
    number(),
    needed("at"),
    Column("by", Text, nullable=False),
    Column("activity", Text, nullable=False),
    Column("about", Text, nullable=False),
)
Table(
    "secret",
    TABLES,
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("owner", "name"),
)

# A job's frame. Its open cycle is part of it: what it has read is counted with what is read.

Table(
    "job",
    TABLES,
    number(),
    Column("id", Text, nullable=False, unique=True),
    Column("definition", Text, nullable=False),
    Column("status", Text, nullable=False),
    needed("epoch", "0"),
    Column("holder", Text, nullable=False, server_default=""),
    Column("asked", Text),
    Column("systems", Text, nullable=False, server_default="{}"),
    Column("adopted", Text),
    Column("policy_hash", Text),
    Column("watermark", Text),
    needed("is_initial", "1"),
    needed("generation", "0"),
    Column("faults", LargeBinary),
    needed("faults_count", "0"),
    Column("held", Text),
    Column("listed_kinds", Text, nullable=False, server_default="[]"),
    Column("cycle", Integer),
    Column("cycle_kind", Text),
    needed("cycle_read", "0"),
    needed("cycle_deltas", "0"),
    needed("cycle_reference_deltas", "0"),
    Column("progress", Text),
)
Table(
    "mapping",
    TABLES,
    number(),
    Column("job", Integer, ForeignKey("job.number"), nullable=False),
    Column("name", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("hash", Text),
    needed("is_enabled"),
    Column("pointing_at_many", Text, nullable=False),
    UniqueConstraint("job", "name"),
)

# One source object within one mapping. What is asked for lies here, narrow: it is rewritten with
# every change. What is large lies beside it.

Table("shape", TABLES, number(), Column("content", LargeBinary, nullable=False, unique=True))
standing = Table(
    "standing",
    TABLES,
    number(),
    Column("mapping", Integer, ForeignKey("mapping.number"), nullable=False),
    Column("anchor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("print", LargeBinary, nullable=False),
    Column("absence", Text),
    Column("absent_since", Integer),
    needed("is_assigned", "1"),
    needed("seen"),
    needed("settled", "0"),
    Column("due_at", Integer),
    Column("target", Text),
    Column("state", Text),
    needed("is_created_by_us", "0"),
    Column("attempt", LargeBinary),
    Column("escrow", LargeBinary),
    Column("staged_at", Integer),
    Column("staged_seen", Integer),
    Column("staged_approved", Integer),
    needed("references_seen", "1"),
    needed("references_settled", "0"),
    Column("references_due_at", Integer),
    needed("has_references"),
    needed("spans", "0"),
    Column("references_escrow", LargeBinary),
    Column("references_staged_at", Integer),
    Column("references_staged_seen", Integer),
    Column("references_staged_approved", Integer),
    UniqueConstraint("mapping", "anchor"),
)


def _where(name: str, *columns: str, condition: str, is_unique: bool = False) -> None:
    chosen = [standing.c[column] for column in columns]
    Index(name, *chosen, unique=is_unique, sqlite_where=text(condition))


_where("standing_due", "mapping", "due_at", condition="due_at IS NOT NULL")
_where(
    "standing_references_due",
    "mapping",
    "references_due_at",
    condition="references_due_at IS NOT NULL",
)
# Two source objects of a mapping never govern one target object.
_where("standing_target", "mapping", "target", condition="target IS NOT NULL", is_unique=True)
_where("standing_staged", "mapping", condition="staged_at IS NOT NULL")
_where("standing_references_staged", "mapping", condition="references_staged_at IS NOT NULL")
_where("standing_absent", "mapping", "absent_since", condition="absence = 'absent'")

Table("mark", TABLES, of_standing(), needed("generation"))
for name in ("source", "image"):
    Table(
        name,
        TABLES,
        of_standing(),
        needed("shape"),
        Column("content", LargeBinary, nullable=False),
        Column("version", Text),
    )
Table(
    "span",
    TABLES,
    Column("standing", Integer, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    needed("possible"),
    PrimaryKeyConstraint("standing", "attribute"),
    sqlite_with_rowid=False,
)
Table(
    "reference",
    TABLES,
    Column("standing", Integer, nullable=False),
    Column("attribute", Text, nullable=False),
    needed("is_single"),
    Column("kind", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("job", Integer, nullable=False),
    PrimaryKeyConstraint("standing", "attribute", "is_single", "kind", "anchor"),
    Index("reference_referred", "job", "kind", "anchor", "standing"),
    sqlite_with_rowid=False,
)
# What would find the object that an unanswered create may have made: nobody else may make it.
Table(
    "claim",
    TABLES,
    Column("job", Integer, nullable=False),
    Column("query", Text, nullable=False),
    Column("standing", Integer, nullable=False),
    PrimaryKeyConstraint("job", "query"),
    sqlite_with_rowid=False,
)
# Outlives the standing: the guard counts those who are gone.
Table(
    "departure",
    TABLES,
    Column("job", Integer, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    needed("at"),
    PrimaryKeyConstraint("job", "mapping", "anchor"),
    sqlite_with_rowid=False,
)
Table(
    "listed",
    TABLES,
    number(),
    Column("job", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    needed("shape"),
    Column("content", LargeBinary, nullable=False),
    Column("version", Text),
    UniqueConstraint("job", "kind", "anchor"),
)
Table(
    "listed_answer",
    TABLES,
    Column("job", Integer, nullable=False),
    Column("query", Text, nullable=False),
    Column("listed", Integer, nullable=False),
    PrimaryKeyConstraint("job", "query", "listed"),
    sqlite_with_rowid=False,
)

# The ledger.

Table(
    "cycle",
    TABLES,
    number(),
    Column("job", Integer, ForeignKey("job.number"), nullable=False),
    Column("id", Text, nullable=False),
    Column("began", Integer),
    Column("content", Text),
    # No record of this cycle lies before it. An index would cost each record more than it saves.
    needed("records_after", "0"),
    UniqueConstraint("job", "id"),
)
Table(
    "record",
    TABLES,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("cycle", Integer, ForeignKey("cycle.number"), nullable=False),
    Column("mapping", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    needed("at"),
    Column("change", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("code", Text, nullable=False),
    needed("is_export_due"),
    needed("is_exported"),
    needed("is_entitled"),
    needed("is_effectively_entitled"),
    Column("target", Text),
    Column("source_name", Text, nullable=False),
    Column("target_name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)


def upgrade(operations: Operations) -> None:
    TABLES.create_all(operations.get_bind(), checkfirst=False)
