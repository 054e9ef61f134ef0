"""Probes of a database server, for conditions that neither its statistics nor its indexes serve: texts of one or two
characters, and parts of the names of elements.

The trigrams of pg_trgm serve two letters as the start of every trigram that they can begin: with a character of ASCII,
or with the end of the text. Texts with other characters have an index of their own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlmodel import col

from app.models.sql import sql_of
from app.models.tables import Pipeline
from app.pipelines.lists.predicates import Condition, Group, Predicate
from app.pipelines.lists.probes import NUMBERED, Probe, Prober, kinds_and_texts

PAIR = re.compile("[a-z0-9]{2}", re.ASCII)
"""Two characters that pg_trgm takes for letters of a word."""
TEXTS = {"folded_name": "folded_name", "description": "lower(description)"}
"""Searched texts by their columns."""
SHORT = ("contains_short", "contains_ascii_short")
FIRST = """WITH found AS MATERIALIZED ({found} LIMIT :most)
    SELECT id FROM found WHERE (SELECT count(*) FROM found) < :most
    UNION ALL SELECT NULL WHERE (SELECT count(*) FROM found) >= :most"""
"""Ids found, or null alone if they are many."""
OF_SHORT = "SELECT id FROM pipeline WHERE organization_id = :organization_id AND strpos({text}, :operand) > 0"
OF_PAIR = r"""SELECT id FROM (
    SELECT id, organization_id, {text} AS text FROM pipeline WHERE {text} ~ '{pair}[\x01-\x7f]'
    UNION ALL SELECT id, organization_id, {text} FROM pipeline WHERE {text} LIKE '%{pair}'
    UNION ALL SELECT id, organization_id, {text} FROM pipeline WHERE octet_length({column}) - char_length({column}) > 0
    ) AS candidate WHERE organization_id = :organization_id AND strpos(text, :operand) > 0"""
"""Rows of an organization with a pair of letters: before a character of ASCII, at the end, or among other characters.
The pair is part of the SQL, so that the plan of the prepared statement fits it."""
OF_NAMES = """WITH RECURSIVE kind (status, element_type, name) AS (
    SELECT s.value, t.value, (SELECT min(name) FROM pipeline_element WHERE organization_id = :organization_id
        AND status = s.value AND element_type = t.value)
    FROM unnest(string_to_array(CAST(:statuses AS text), ',')) AS s (value),
        unnest(string_to_array(CAST(:types AS text), ',')) AS t (value)
    UNION ALL
    SELECT status, element_type, (SELECT min(e.name) FROM pipeline_element AS e
        WHERE e.organization_id = :organization_id AND e.status = kind.status AND e.element_type = kind.element_type
        AND e.name > kind.name)
    FROM kind WHERE name IS NOT NULL),
    kinds AS MATERIALIZED (SELECT * FROM kind LIMIT :most_names),
    found AS MATERIALIZED (SELECT e.pipeline_id AS id FROM kinds CROSS JOIN LATERAL (
        SELECT pipeline_id FROM pipeline_element WHERE organization_id = :organization_id
        AND status = kinds.status AND element_type = kinds.element_type AND name = kinds.name LIMIT :most) AS e
        WHERE {condition} LIMIT :most),
    size AS MATERIALIZED (SELECT (SELECT count(*) FROM kinds) = :most_names OR (SELECT count(*) FROM found) = :most
        AS is_large)
    SELECT id FROM found WHERE NOT (SELECT is_large FROM size) UNION ALL SELECT NULL FROM size WHERE is_large"""
"""Pipelines by the distinct names of their elements, each name found by one search of the index of statuses and types.
More distinct names than are searched count as many rows."""


def prober_of(dialect: Dialect) -> Prober:
    """Return the probes of a dialect."""
    return NUMBERED if sql_of(dialect).numbers_rows else BY_ID


def _probe(condition: Condition, _order_column: str) -> Probe | None:
    """Return the probe of a condition, if it is one that needs it."""
    if isinstance(condition, Group):
        return _element_probe(condition) if condition.operator == "element" else None
    field, operator, operand = condition
    if operator not in SHORT or field not in TEXTS or not operand:
        return None
    pair = operand if PAIR.fullmatch(operand) else ""
    return Probe(_of_text(field, pair), {"operand": operand})


@lru_cache(2048)
def _of_text(column: str, pair: str) -> Any:
    found = (OF_PAIR if pair else OF_SHORT).format(column=column, text=TEXTS[column], pair=pair)
    return sa.text(FIRST.format(found=found))


def _element_probe(group: Group) -> Probe | None:
    statuses, types, texts = kinds_and_texts(group.conditions)
    if not texts or any(not each.operator.startswith("contains") for each in texts):
        return None  # statistics serve whole names
    parameters: dict[str, Any] = {f"name_{place}": each.operand for place, each in enumerate(texts)}
    parameters |= {"statuses": ",".join(sorted(statuses)), "types": ",".join(sorted(types))}
    return Probe(_of_names(len(texts)), parameters)


@lru_cache(16)
def _of_names(texts: int) -> Any:
    condition = " AND ".join(f"strpos(lower(kinds.name), :name_{place}) > 0" for place in range(texts))
    return sa.text(OF_NAMES.format(condition=condition))


def _same(predicate: Predicate, _order_column: str) -> Predicate:
    return predicate


BY_ID = Prober(col(Pipeline.id), _probe, _same)
"""Prober of a database with statistics of values."""
