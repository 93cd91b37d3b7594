"""What both databases speak is spelt as PostgreSQL wants it, lest it take the long way."""

from __future__ import annotations

from provisor.ports import RecordQuery
from provisor.store.postgresql.spelling import spelt
from provisor.store.sql.records import select


def test_the_records_of_one_object_are_found_out_before_all_others_are_gone_through() -> None:
    statement, bound = select(RecordQuery(id="ada", job="people"))

    told = spelt(statement)

    assert "r.position = ANY(ARRAY(SELECT position FROM record WHERE anchor = %s" in told
    assert told.count("%s") == len(bound)
