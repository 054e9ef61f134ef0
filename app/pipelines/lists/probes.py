"""Probes: whether a predicate matches few rows, which are then read by their numbers, not in the order of the list.

SQLite has no statistics of values. It would read a list in its order until the page is full, which reads all rows if
few match, or it would sort all matches, which are many. A probe reads the first FEW matches of one predicate from an
index, and so decides between the two. PostgreSQL decides by its statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import col

from app.models.columns import Binary, without_index
from app.models.tables import Pipeline, PipelineLabel
from app.pipelines.lists.predicates import TRIGRAM, UNINDEXED, Condition, Predicate, column_of

FEW = 1000
"""Maximum number of rows that are read by their numbers."""
MOST_TRIGRAMS = 32
"""Maximum number of trigrams of a text that are searched; the rest of the text is compared row by row."""
ROW_NUMBER: Any = sa.literal_column("pipeline.rowid", type_=sa.Integer)
SEARCHED = {"contains", "starts_with"}
COMPARED = {"gt", "gte", "lt", "lte"}
INDEXED = {"created_at", "updated_at", "started_at", "finished_at", "duration"}
LISTED = {"project_id", "error_code", "id"}


class Probe(NamedTuple):
    """Query for the numbers of the first rows that match a predicate, and its parameters."""

    query: Any
    parameters: dict[str, Any]


def probes(conditions: Sequence[Condition], order_column: str) -> Iterator[tuple[int, Probe]]:
    """Yield the probes of conditions, each with its position. A range of the column of the order needs none."""
    for place, each in enumerate(conditions):
        if isinstance(each, Predicate) and _has_probe(each, order_column):
            yield place, Probe(_query(each.field, each.operator, _length(each.operand)), _parameters(each))


def unindexed(condition: Condition) -> Condition:
    """Return a condition that many rows match in a form that no index serves, so that the index of the order does."""
    if isinstance(condition, Predicate) and (condition.operator in COMPARED or condition.field == "status"):
        return condition._replace(field=UNINDEXED + condition.field)
    return condition


def _has_probe(predicate: Predicate, order_column: str) -> bool:
    field, operator, operand = predicate
    if operator in SEARCHED:
        return field == "folded_name" and len(operand) >= TRIGRAM
    if operator in COMPARED:
        return field in INDEXED and field != order_column
    if field == "status":
        return operator == "in" and order_column not in ("created_at", "status")
    return field == "labels" or (operator == "in" and field in LISTED)


@lru_cache(256)
def _query(field: str, operator: str, length: int | None) -> Any:
    if operator in SEARCHED:
        matching = sa.literal_column("pipeline_search").op("MATCH")(bindparam("operand", type_=sa.String))
        found: Any = sa.select(sa.literal_column("rowid").label("number")).select_from(sa.table("pipeline_search"))
        # Newly named rows that are not in the index yet are compared one by one.
        fresh: Any = sa.select(sa.literal_column("number")).select_from(sa.table("pipeline_search_new"))
        both = sa.union_all(fresh, found.where(matching)).subquery()
        query: Any = sa.select(both.c.number)
    else:
        kind = column_of(field).type
        names = [f"operand_{number}" for number in range(length or 0)] if length is not None else ["operand"]
        binds = [bindparam(name, type_=kind) for name in names]
        condition = Predicate(field, "in" if field == "labels" else operator, binds[0] if length is None else binds)
        query = sa.select(ROW_NUMBER).select_from(Pipeline)
        if field == "labels":
            query = query.join(PipelineLabel, col(PipelineLabel.pipeline_id) == col(Pipeline.id))
        organization: Any = col(Pipeline.organization_id)
        if field in ("labels", "id"):  # by their own index
            organization = without_index(organization)
        query = query.where(organization == bindparam("organization_id", type_=Binary), condition.clause())
    return query.limit(sa.literal_column(str(FEW + 1)))


def _parameters(predicate: Predicate) -> dict[str, Any]:
    operand = predicate.operand
    if predicate.operator in SEARCHED:
        return {"operand": match_expression(operand)}
    if isinstance(operand, tuple):
        return {f"operand_{number}": value for number, value in enumerate(operand)}
    return {"operand": operand}


def _length(operand: Any) -> int | None:
    return len(operand) if isinstance(operand, tuple) else None


def match_expression(text: str) -> str:
    """Return the expression of FTS5 for rows that hold all trigrams of a text."""
    trigrams = dict.fromkeys(text[start : start + TRIGRAM] for start in range(len(text) - TRIGRAM + 1))
    quoted = ['"' + each.replace('"', '""') + '"' for each in trigrams]
    return " AND ".join(quoted[:MOST_TRIGRAMS])
