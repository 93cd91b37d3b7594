"""Version 8: attributes of references are known by numbers, as lists of attributes are; and an
image knows the listed representation that last said the same, once one did."""

from __future__ import annotations

import msgpack
from alembic.operations import Operations
from sqlalchemy import text


def upgrade(operations: Operations) -> None:
    operations.execute("ALTER TABLE image ADD COLUMN print INTEGER")
    run = operations.get_bind().execute
    for (name,) in run(text("SELECT DISTINCT attribute FROM span")).fetchall():
        content = {"content": msgpack.packb(("", (name,)), unicode_errors="surrogatepass")}
        run(text("INSERT INTO shape (content) VALUES (:content) ON CONFLICT DO NOTHING"), content)
        run(
            text(
                "UPDATE span SET attribute ="
                " (SELECT CAST(number AS TEXT) FROM shape WHERE content = :content)"
                " WHERE attribute = :name"
            ),
            {**content, "name": name},
        )
