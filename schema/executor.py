"""GraphQL executor that counts its work against the budget of the answer."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
)
from graphql.execution import Executor

from app.pipelines.budget import AWAITED, OBJECT, RESOLVED
from schema.strawberry_internals import resolver_of

INTROSPECTED = 8
"""Number of introspected objects that count as much work as one loaded object."""


class BudgetedExecutor(Executor[Any]):
    """Executor that counts the objects of a list against the budget of the answer before it completes them. Raises
    AnswerTooLarge at the first list that exceeds the budget, which ends the execution."""

    def execute_fields(self, *arguments: Any) -> Any:
        self.context_value.budget.check()  # otherwise lists would be made only to be refused one by one
        return super().execute_fields(*arguments)

    def handle_field_error(self, *arguments: Any) -> None:
        if self.context_value.budget.refusal is None:  # otherwise hundreds of fields would make an error of their own
            super().handle_field_error(*arguments)

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, *more: Any
    ) -> Any:
        kind = get_named_type(return_type)
        if is_object_type(kind) and hasattr(result, "__len__"):
            work = len(result) * self._work(kind, field_details_list)
            # Introspection reads the schema in memory.
            self.context_value.budget.take_work(work // INTROSPECTED if kind.name.startswith("__") else work)
        return super().complete_list_value(return_type, field_details_list, info, path, result, *more)

    def _work(self, kind: GraphQLObjectType, field_details_list: Any) -> int:
        """Return the work of one object, without the lists in it."""
        known: dict[Any, int] = self.__dict__.setdefault("_works", {})
        key = kind.name, id(field_details_list)
        if key not in known:
            fields = self.collect_subfields(kind, field_details_list).grouped_field_set.values()
            known[key] = OBJECT + sum(self._work_of_field(kind, details) for details in fields)
        return known[key]

    def _work_of_field(self, parent: GraphQLObjectType, field_details_list: Any) -> int:
        definition = self.schema.get_field(parent, field_details_list[0].node.name.value)
        if definition is None:
            return 0
        work = AWAITED if _is_awaited(definition) else RESOLVED
        kind = get_nullable_type(definition.type)
        if is_object_type(kind) and not is_list_type(kind):
            work += self._work(kind, field_details_list)
        return work


def _is_awaited(definition: GraphQLField) -> bool:
    """Return whether a field has an asynchronous resolver, which waits for the database and takes a task."""
    return iscoroutinefunction(resolver_of(definition))
