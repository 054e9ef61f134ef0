"""Probes: whether a condition matches few rows, which are then read by their numbers, not in the order of the list.

SQLite has no statistics of values. It would read a list in its order until the page is full, which reads all rows if
few match, or it would sort all matches, which are many. A probe reads the first FEW matches of one condition from an
index, and so decides between the two. PostgreSQL decides by its statistics; `server_probes` has the conditions that
they do not cover.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import col

from app.models.columns import Binary, without_index
from app.models.enums import ElementType, PipelineElementStatus
from app.models.tables import Pipeline, PipelineLabel
from app.pipelines.lists.predicates import OF_ELEMENT, TRIGRAM, UNINDEXED, Condition, Group, Predicate, column_of

FEW = 1000
"""Maximum number of rows that are read by their numbers."""
FEW_TEXTS = 4
"""Multiple of FEW for searches of texts, whose index gives numbers faster; their matches often lie close together."""
MOST_PROBES = 16
"""Maximum number of probes of one filter."""
MOST_TRIGRAMS = 32
"""Maximum number of trigrams of a text that are searched; the rest of the text is compared row by row."""
START, END = "\x02", "\x01"
"""Characters before and after each text in the index: one, and two. They make trigrams of the first letters, and of the
last one or two."""
LAST = "\U0010ffff"
ROW_NUMBER: Any = sa.literal_column("pipeline.rowid", type_=sa.Integer)
SEARCHES = {"folded_name": "pipeline_search", "description": "pipeline_search_description"}
"""Tables of trigrams by the column that they hold; with `_terms`, those of the trigrams of each row."""
COMPARED = {"gt", "gte", "lt", "lte"}
INDEXED = {"created_at", "updated_at", "started_at", "finished_at", "duration"}
LISTED = {"project_id", "error_code", "id"}


class Probe(NamedTuple):
    """Query for the numbers of the first rows that match a condition, and its parameters."""

    query: Any
    parameters: dict[str, Any]
    is_search: bool = False

    @property
    def few(self) -> int:
        return FEW * FEW_TEXTS if self.is_search else FEW


class Found(NamedTuple):
    """Conditions in the form that is read fast, and the keys of the rows of which each match is one, if few."""

    conditions: tuple[Condition, ...]
    numbers: list[Any] | None = None


class Prober(NamedTuple):
    """Probes of one kind of database, and the key of the rows that they find."""

    key: Any
    probe: Callable[[Condition, str], Probe | None]
    """Returns the probe of a condition for the column of an order, if there is one."""
    widen: Callable[[Predicate, str], Predicate]
    """Returns the form of a condition that many rows match."""
    walks_first: bool = False
    """Whether the first rows of an order are read before a probe, which takes longer."""
    materializes: bool = False
    """Whether a query for some matches is planned as one for all of them. For a part of them a server with statistics
    would read the table until enough match."""
    most_names: int = 0
    """Number of distinct names of elements that are searched, over their statuses and types, if more than FEW."""
    settings: Probe | None = None
    """Query that sets how the rest of a transaction is planned; it finds nothing."""


Probing = Generator[Probe, list[Any], Found]
"""Yields probes, and receives the keys that each found; null alone if they are many."""


def find_few(conditions: Sequence[Condition], order_column: str, prober: Prober, least: int = 0) -> Probing:
    """Probe which of the conditions match few rows: at most `least`, or the number of the probe if that is more. A
    range of the column of the order needs no probe."""
    left, found = _Left(prober, least), list(conditions)
    for place, each in enumerate(conditions):
        numbers = yield from _numbers(each, order_column, left)
        if numbers is not None:
            return Found(tuple(conditions), sorted(numbers))
        if isinstance(each, Predicate):
            found[place] = prober.widen(each, order_column)
    return Found(tuple(found))


class _Left:
    """Probes that one filter may still make."""

    def __init__(self, prober: Prober, least: int) -> None:
        self.probe, self.probes, self.least = prober.probe, MOST_PROBES, least
        self.settings, self.most_names = prober.settings, prober.most_names


def _numbers(condition: Condition, order_column: str, left: _Left) -> Generator[Probe, list[Any], set[Any] | None]:
    """Return the keys of the rows that a condition matches, and perhaps others; None if they are many or unknown."""
    if isinstance(condition, Group) and condition.operator in ("and", "or"):
        every: set[Any] = set()
        for each in condition.conditions:
            numbers = yield from _numbers(each, order_column, left)
            if condition.operator == "and":
                if numbers is not None:
                    return numbers
            elif numbers is None or len(every := every | numbers) > max(FEW * FEW_TEXTS, left.least):
                return None
        return every if condition.operator == "or" else None
    probe = left.probe(condition, order_column) if left.probes > 0 else None
    if probe is None:
        return None
    if left.settings is not None:
        yield left.settings
        left.settings = None
    left.probes -= 1
    few = max(probe.few, left.least)
    limits = {"most": few + 1, "most_names": max(few, left.most_names) + 2}
    rows = yield probe._replace(parameters=limits | probe.parameters)
    return set(rows) if len(rows) <= few and rows[:1] != [None] else None


def _unindexed(predicate: Predicate, order_column: str) -> Predicate:
    """Return a condition that many rows match in a form that no index serves, so that the index of the order does."""
    if _is_listed(predicate, order_column) and (predicate.operator in COMPARED or predicate.field == "status"):
        return predicate._replace(field=UNINDEXED + predicate.field)
    return predicate


def _probe(condition: Condition, order_column: str) -> Probe | None:
    """Return the probe of a condition, if an index serves one."""
    if isinstance(condition, Group):
        return _element_probe(condition.conditions) if condition.operator == "element" else None
    field, operator, operand = condition
    if field in SEARCHES and (text := _searched(operator, operand)):
        return _search(SEARCHES[field], text)
    if operator == "has_any":
        return _element_probe([condition._replace(field=OF_ELEMENT + "element_type", operator="in")])
    if _is_listed(condition, order_column):
        length = len(operand) if isinstance(operand, tuple) else None
        operands = {"operand": operand} if length is None else {f"operand_{i}": each for i, each in enumerate(operand)}
        return Probe(_listed(field, operator, length), operands)
    return None


def _is_listed(predicate: Predicate, order_column: str) -> bool:
    field, operator, _ = predicate
    if operator in COMPARED:
        return field in INDEXED and field != order_column
    if field == "status":
        return operator == "in" and order_column not in ("created_at", "status")
    return field == "labels" or (operator == "in" and field in LISTED)


def _searched(operator: str, operand: str) -> str:
    """Return the part that the index holds of each text that matches; empty if there is none."""
    if operator == "starts_with":
        return START + operand if operand else ""
    return operand if operator.startswith("contains") else ""


def _search(table: str, text: str) -> Probe:
    if len(text) < TRIGRAM:
        return Probe(_short_search(table), {"low": text, "high": text + LAST * TRIGRAM}, is_search=True)
    return Probe(_long_search(table), {"operand": match_expression(text)}, is_search=True)


@lru_cache(8)
def _long_search(table: str) -> Any:
    matching = sa.literal_column(table).op("MATCH")(bindparam("operand", type_=sa.String))
    found: Any = sa.select(sa.literal_column("rowid").label("number")).select_from(sa.table(table))
    return _with_fresh(found.where(matching))


@lru_cache(8)
def _short_search(table: str) -> Any:
    """Return the query for the rows with a trigram that begins with a shorter text."""
    term: Any = sa.literal_column("term")
    found: Any = sa.select(sa.literal_column("doc").label("number")).select_from(sa.table(f"{table}_terms"))
    bounds = [bindparam(name, type_=sa.String) for name in ("low", "high")]
    return _with_fresh(found.where(term >= bounds[0], term <= bounds[1]).distinct())


def _with_fresh(found: Any) -> Any:
    """Return a query for the numbers found, and those of new rows, which are not in the index yet: they are compared
    one by one."""
    fresh: Any = sa.select(sa.literal_column("number")).select_from(sa.table("pipeline_search_new"))
    return _first(sa.select(sa.union_all(fresh, found).subquery().c.number))


def _first(query: Any) -> Any:
    return query.limit(bindparam("most", type_=sa.Integer))


@lru_cache(256)
def _listed(field: str, operator: str, length: int | None) -> Any:
    kind = column_of(field).type
    names = ["operand"] if length is None else [f"operand_{number}" for number in range(length)]
    binds = [bindparam(name, type_=kind) for name in names]
    condition = Predicate(field, "in" if field == "labels" else operator, binds[0] if length is None else binds)
    query: Any = sa.select(ROW_NUMBER).select_from(Pipeline)
    if field == "labels":
        query = query.join(PipelineLabel, col(PipelineLabel.pipeline_id) == col(Pipeline.id))
    organization: Any = col(Pipeline.organization_id)
    if field in ("labels", "id"):  # by their own index
        organization = without_index(organization)
    return _first(query.where(organization == bindparam("organization_id", type_=Binary), condition.clause()))


NAMES = """WITH RECURSIVE kind (status, element_type, name) AS (
    SELECT s.value, t.value, (SELECT min(name) FROM pipeline_element WHERE organization_id = :organization_id
        AND status = s.value AND element_type = t.value)
    FROM json_each(:statuses) AS s, json_each(:types) AS t
    UNION ALL
    SELECT status, element_type, (SELECT min(e.name) FROM pipeline_element AS e
        WHERE e.organization_id = :organization_id AND e.status = kind.status AND e.element_type = kind.element_type
        AND e.name > kind.name)
    FROM kind WHERE name IS NOT NULL LIMIT :most_names)"""
"""Distinct names of elements by their status and type, each found by one search of the index."""
OF_NAMES = """SELECT * FROM (SELECT DISTINCT pipeline.rowid AS number
    FROM kind CROSS JOIN pipeline_element AS e CROSS JOIN pipeline
    WHERE e.organization_id = :organization_id AND e.status = kind.status AND e.element_type = kind.element_type
    AND e.name = kind.name AND {condition} AND pipeline.id = e.pipeline_id LIMIT :most)
    UNION ALL SELECT NULL FROM kind WHERE (SELECT count(*) FROM kind) = :most_names"""
OF_NAME = """SELECT DISTINCT pipeline.rowid AS number FROM pipeline_element AS e CROSS JOIN pipeline
    WHERE e.organization_id = :organization_id AND e.status IN (SELECT value FROM json_each(:statuses))
    AND e.element_type IN (SELECT value FROM json_each(:types)) {condition} AND pipeline.id = e.pipeline_id
    LIMIT :most"""
TEXTS = {
    "eq": "e.name = :name_{}",
    "contains_ascii": "instr(lower(kind.name), :name_{}) > 0",
    "contains_ascii_short": "instr(lower(kind.name), :name_{}) > 0",
}


def _element_probe(conditions: Sequence[Condition]) -> Probe:
    """Return the probe for pipelines with an element that meets conditions. Without a status or a type all of them are
    searched, as the index has them before the name."""
    statuses, types, texts = kinds_and_texts(conditions)
    parameters = {f"name_{place}": each.operand for place, each in enumerate(texts)}
    parameters |= {"statuses": _json(statuses), "types": _json(types)}
    return Probe(_of_element(tuple(each.operator for each in texts)), parameters)


def kinds_and_texts(conditions: Sequence[Condition]) -> tuple[set[str], set[str], list[Predicate]]:
    """Return the statuses and types of the elements that conditions allow, and the conditions on their names."""
    statuses, types = ({each.name for each in kind} for kind in (PipelineElementStatus, ElementType))
    texts = []
    for each in conditions:
        assert isinstance(each, Predicate)
        if each.operator == "in":
            names = {operand.name for operand in each.operand}
            statuses, types = (statuses & names, types) if "status" in each.field else (statuses, types & names)
        else:
            texts.append(each)
    return statuses, types, texts


def _json(names: set[str]) -> str:
    return orjson.dumps(sorted(names)).decode()


@lru_cache(16)
def _of_element(operators: tuple[str, ...]) -> Any:
    """Return the query for a combination of conditions on the name. More distinct names than are searched count as many
    rows."""
    wanted = " AND ".join(TEXTS[operator].format(place) for place, operator in enumerate(operators))
    if "eq" in operators or not operators:
        exact = wanted.replace("kind.name", "e.name")
        query = OF_NAME.format(condition=f"AND {exact}" if exact else "")
    else:
        query = f"{NAMES} {OF_NAMES}".format(condition=wanted)
    return sa.text(query)


def match_expression(text: str) -> str:
    """Return the expression of FTS5 for rows that hold all trigrams of a text."""
    trigrams = dict.fromkeys(text[start : start + TRIGRAM] for start in range(len(text) - TRIGRAM + 1))
    quoted = ['"' + each.replace('"', '""') + '"' for each in trigrams]
    return " AND ".join(quoted[:MOST_TRIGRAMS])


NUMBERED = Prober(ROW_NUMBER, _probe, _unindexed)
"""Prober of a database that numbers its rows and has no statistics of values."""
