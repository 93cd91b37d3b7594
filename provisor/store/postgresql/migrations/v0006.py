"""Version 6: who works on the store says which tables he knows, and the database itself refuses him
once they have become others.

What the earliest processes wrote, before images had prints and references' attributes numbers, is
mended: such a store may still say that it is of version 1 or 2.
"""

from __future__ import annotations

SILENT = 5
"""Whoever says nothing knows tables of this version at most."""
TOO_NEW = "PV001"
"""The SQLSTATE of a write by somebody who does not know these tables."""
GUARDED = (
    "INSERT OR DELETE OR UPDATE OF epoch, definition, status, asked ON job",
    "INSERT OR DELETE OR UPDATE ON application",
    "INSERT OR DELETE OR UPDATE ON document",
    "INSERT OR DELETE OR UPDATE ON secret",
)
"""What nobody can write past: each cycle begins with another epoch of its job."""


def _guard(events: str) -> str:
    return (
        f"CREATE TRIGGER provisor_guard BEFORE {events}"
        " FOR EACH STATEMENT EXECUTE FUNCTION provisor_guard()"
    )


STATEMENTS = (
    # The number of a list of names is that of its packed form (`sql/codec.py`): a list of two, an
    # empty text and a list of one text, in MessagePack.
    """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'image'::regclass
                   AND attname = 'print' AND NOT attisdropped) THEN
            RETURN;
        END IF;
        ALTER TABLE image ADD COLUMN print BIGINT;
        CREATE TEMPORARY TABLE numbered ON COMMIT DROP AS
            SELECT attribute, '\\x92a091'::bytea
                || CASE WHEN octet_length(attribute) < 32
                   THEN set_byte('\\x00', 0, 160 + octet_length(attribute))
                   ELSE set_byte('\\xd900', 1, octet_length(attribute)) END
                || convert_to(attribute, 'UTF8') AS content
            FROM (SELECT DISTINCT attribute FROM span) names;
        INSERT INTO shape (content) SELECT content FROM numbered ON CONFLICT DO NOTHING;
        UPDATE span SET attribute = shape.number::text
        FROM numbered JOIN shape ON shape.content = numbered.content
        WHERE span.attribute = numbered.attribute;
    END $$
    """,
    f"""
    CREATE FUNCTION provisor_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        known integer := coalesce(nullif(current_setting('provisor.tables', true), ''), '{SILENT}');
        needed integer := (SELECT value FROM meta WHERE name = 'needs');
    BEGIN
        IF known < needed THEN
            RAISE EXCEPTION USING ERRCODE = '{TOO_NEW}', MESSAGE =
                'the store was brought up to date by a newer Provisor, whose tables this one does'
                || ' not know (it knows version ' || known || ', and ' || needed
                || ' is needed); nothing was written. Upgrade this Provisor, and start it again';
        END IF;
        RETURN NULL;
    END $$
    """,  # noqa: S608
    *map(_guard, GUARDED),
)
