"""Version 2: the ledger lies in one table a month, so that old months go at once.

What a month has no table for lies in `record_rest`. Positions stay what they were.
"""

from __future__ import annotations

STATEMENTS = (
    "ALTER TABLE record RENAME TO record_before",
    "ALTER TABLE record_before ALTER COLUMN position DROP IDENTITY",
    "CREATE SEQUENCE record_position",
    """
    CREATE TABLE record (
        position BIGINT NOT NULL DEFAULT nextval('record_position'),
        cycle BIGINT NOT NULL, mapping TEXT NOT NULL, anchor TEXT NOT NULL, at BIGINT NOT NULL,
        change TEXT NOT NULL, action TEXT NOT NULL, verdict TEXT NOT NULL, code TEXT NOT NULL,
        is_export_due BOOLEAN NOT NULL, is_exported BOOLEAN NOT NULL,
        is_entitled BOOLEAN NOT NULL, is_effectively_entitled BOOLEAN NOT NULL, target TEXT,
        source_name TEXT NOT NULL, target_name TEXT NOT NULL, content BYTEA NOT NULL,
        PRIMARY KEY (position, at)) PARTITION BY RANGE (at)
    """,
    "ALTER SEQUENCE record_position OWNED BY record.position",
    "CREATE TABLE record_rest PARTITION OF record DEFAULT",
    "CREATE INDEX record_rest_at ON record_rest (at)",
    """
    INSERT INTO record (position, cycle, mapping, anchor, at, change, action, verdict, code,
        is_export_due, is_exported, is_entitled, is_effectively_entitled, target, source_name,
        target_name, content)
    SELECT position, cycle, mapping, anchor, at, change, action, verdict, code, is_export_due,
        is_exported, is_entitled, is_effectively_entitled, target, source_name, target_name, content
    FROM record_before
    """,
    """
    SELECT setval('record_position', greatest((SELECT max(position) FROM record_before), 1),
        EXISTS (SELECT 1 FROM record_before))
    """,
    "DROP TABLE record_before",
)
