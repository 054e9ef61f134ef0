"""Probes of a database server, for conditions that neither its statistics nor its indexes serve: texts of one or two
characters, and parts of the names of elements.

The trigrams of pg_trgm serve one or two letters as the end of every trigram that they can end, in texts of ASCII. Texts
with other characters have an index of their own.
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

WORD = re.compile("[a-z0-9]", re.ASCII)
"""Character that pg_trgm takes for a part of a word."""
BEFORE = r"(^|[\u0001-\u007f])"
"""Character before a text, or the start: a pattern has 37 trigrams of it."""
CLASSES = ("a-f", "g-l", "m-r", "s-x", "yz0-3", "4-9")
"""Characters of words in classes, each with few enough trigrams for pg_trgm: at most 256."""
BETWEEN = r"(^|[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f])"
"""Character of ASCII before a word, or the start."""
TEXTS = {"folded_name": "folded_name", "description": "lower(description)"}
"""Searched texts by their columns."""
SHORT = ("contains_short", "contains_ascii_short")
FIRST = """WITH matching AS MATERIALIZED ({matching}),
    found AS MATERIALIZED (SELECT id FROM matching LIMIT :most)
    SELECT id FROM found WHERE (SELECT count(*) FROM found) < :most
    UNION ALL SELECT NULL WHERE (SELECT count(*) FROM found) >= :most"""
"""Ids found, or null alone if they are many. The rows are planned for all of them, and read until the limit: with a
limit of their own, the plan of the prepared statement would be for a tenth of them."""
OF_SHORT = "SELECT id FROM pipeline WHERE organization_id = :organization_id AND strpos({text}, :operand) > 0"
OF_CANDIDATES = "SELECT id FROM ({candidates}) AS candidate WHERE strpos(text, :operand) > 0"
OF_PATTERN = """SELECT id, {text} AS text FROM pipeline
    WHERE {text} ~ '{pattern}' AND coalesce(organization_id, '') = :organization_id"""
"""Rows with a text that matches a pattern, by no index of the organization. Patterns are parts of the SQL, so that the
plan of the prepared statement fits them."""
OF_OTHERS = """SELECT id, {text} AS text FROM pipeline
    WHERE octet_length({column}) - char_length({column}) > 0 AND organization_id = :organization_id"""
"""Rows with a text that has other characters than ASCII."""
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
    is_ascii = operand.isascii()
    patterns = _patterns(operand) if is_ascii else ()
    return Probe(_of_text(field, patterns, is_known=bool(patterns) or not is_ascii), {"operand": operand})


@lru_cache(2048)
def _patterns(text: str) -> tuple[str, ...]:
    """Return the patterns of texts of ASCII that contain one or two characters of ASCII; none if pg_trgm has no
    trigrams for them."""
    if not WORD.search(text):
        return ()
    escaped = "".join(f"\\u{ord(each):04x}" for each in text)
    if len(text) > 1:
        return (BEFORE + escaped,)
    return BETWEEN + escaped, *(f"{BEFORE}[{each}]{escaped}" for each in CLASSES)


@lru_cache(2048)
def _of_text(column: str, patterns: tuple[str, ...], is_known: bool) -> Any:
    """Return the query for rows that match patterns or have characters beyond ASCII, or for all rows."""
    text = TEXTS[column]
    parts = [OF_PATTERN.format(text=text, pattern=each) for each in patterns]
    candidates = " UNION ALL ".join([*parts, OF_OTHERS.format(text=text, column=column)])
    matching = OF_CANDIDATES.format(candidates=candidates) if is_known else OF_SHORT.format(text=text)
    return sa.text(FIRST.format(matching=matching))


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


BY_INDEXES = Probe(
    sa.text(
        "SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"
    ),
    {},
)
"""Query after which the transaction reads indexes, and starts no processes. The planner takes each of the many trigrams
of a pattern for one with rows, and would read the table several times instead."""
BY_ID = Prober(
    col(Pipeline.id), _probe, _same, walks_first=True, materializes=True, most_names=4000, settings=BY_INDEXES
)
"""Prober of a database with statistics of values."""
