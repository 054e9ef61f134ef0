"""Projections: selected fields of objects in memory, such as the parts of a parsed result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from app.models.columns import instant_text
from app.pipelines.budget import ROW, VALUE, Budget
from schema import graphql_schema
from schema.plans.encoding.codecs import integer
from schema.plans.selections import FieldDetailsList, Selections, Unplanned, name_of
from schema.strawberry_internals import field_definition

Reader = Callable[[Any, Budget], Any]
"""Reads a field of an object as the answer shows it. Raises AnswerTooLarge."""
PROJECTED = frozenset(
    {
        *("OptimizationResult", "ValidationResult", "EntryResult", "CalculationResult"),
        *("ParameterValue", "ResultWarning", "ObjectiveSummary", "Statistic"),
        *("ElementObjective", "ObjectiveSource", "ConfigurationProblem"),
        *("PipelineCheck", "UserError", "ParameterSet", "OmittedParameter", "ApiKey", "WorkerStatus"),
        "MeasurementUpload",
    }
)
"""Types whose objects have an attribute for each of their fields."""


class Projection:
    """Selected fields of the objects of one type, by response key."""

    def __init__(self, selections: Selections, type_name: str, details: FieldDetailsList) -> None:
        if type_name not in PROJECTED:
            raise Unplanned
        kind = graphql_schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        fields = selections.fields(type_name, details)
        self.names = {name_of(each) for each in fields.values()}
        self._fields = [(key, _reader(selections, kind, each)) for key, each in fields.items()]
        self._work = ROW + VALUE * len(self._fields)

    def one(self, value: Any, budget: Budget) -> dict[str, Any]:
        """Return the selected fields of an object. Raises AnswerTooLarge."""
        return {key: read(value, budget) for key, read in self._fields}

    def all(self, values: Sequence[Any], budget: Budget) -> list[dict[str, Any]]:
        """Return the selected fields of each object. Raises AnswerTooLarge before it reads any."""
        budget.take_work(self._work * len(values))
        return [self.one(each, budget) for each in values]


def _reader(selections: Selections, parent: GraphQLObjectType, details: FieldDetailsList) -> Reader:
    name = name_of(details)
    if name == "__typename":
        return lambda value, budget: parent.name
    field = parent.fields[name]
    read = attrgetter(field_definition(field).python_name)
    kind = get_named_type(field.type)
    if isinstance(kind, GraphQLEnumType):
        return lambda value, budget: read(value).name
    if kind.name == "JSON":
        return lambda value, budget: budget.encoded(read(value))
    if kind.name == "DateTime":
        return lambda value, budget: _instant(read(value))
    if kind.name == "Int":
        return lambda value, budget: _int(read(value))
    if is_leaf_type(kind):
        return lambda value, budget: read(value)
    below = completer(selections, field.type, details)
    return lambda value, budget: below(read(value), budget)


def _int(value: int | None) -> int | None:
    return None if value is None else integer(value)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)


def completer(selections: Selections, kind: GraphQLOutputType, details: FieldDetailsList) -> Reader:
    """Return the function that converts a value of a type to that of the answer: an object or a list of objects by
    their selection. Raises Unplanned for null in place of a value."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return _completer(kind, lambda value, budget: named.coerce_output_value(value))
    shown = Projection(selections, named.name, details)
    return _completer(kind, shown.all if is_list_type(get_nullable_type(kind)) else shown.one)


def _completer(kind: GraphQLOutputType, complete: Reader) -> Reader:
    def read(value: Any, budget: Budget) -> Any:
        if value is not None:
            return complete(value, budget)
        if is_non_null_type(kind):
            raise Unplanned
        return None

    return read
