"""Projections: selected fields of objects in memory, such as the parts of a parsed result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type, get_nullable_type, is_leaf_type, is_list_type

from app.pipelines.budget import ROW, VALUE, Budget
from schema import graphql_schema
from schema.plans.selections import FieldDetailsList, Selections, Unplanned, name_of
from schema.strawberry_internals import field_definition

Reader = Callable[[Any, Budget], Any]
"""Reads a field of an object as the answer shows it. Raises AnswerTooLarge."""
PROJECTED = frozenset(
    {
        *("OptimizationResult", "ValidationResult", "EntryResult", "CalculationResult"),
        *("ParameterValue", "ResultWarning", "ObjectiveSummary", "Statistic"),
        *("ElementObjective", "ObjectiveSource", "ConfigurationProblem"),
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
    if is_leaf_type(kind):
        return lambda value, budget: read(value)
    below = Projection(selections, kind.name, details)
    assert is_list_type(get_nullable_type(field.type))
    return lambda value, budget: below.all(read(value), budget)
