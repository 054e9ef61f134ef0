"""GraphQL's executor, with the work that it does counted."""

from __future__ import annotations

from typing import Any

from graphql.execution import Executor

from app.budget import RESOLVED


class BudgetedExecutor(Executor[Any]):
    """Executor that counts every field against the budget of the answer. AnswerTooLarge is raised in the place of the
    first field for which nothing is left."""

    def execute_fields(self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, *more: Any) -> Any:
        self.context_value.budget.take_work(RESOLVED * len(grouped_field_set))
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, *more)
