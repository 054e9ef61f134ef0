"""Query planner: compiles an operation to a query plan on its first run and caches the plan.

A validated operation becomes a cached plan: statements that read only the selected columns, and code that builds the
answer from their rows. The executor answers operations without a plan, and those in which a plan meets an irregularity,
so that every error is the executor's own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, Undefined
from graphql.execution import Executor
from graphql.execution.values import VariableValues
from sqlalchemy.engine import Dialect

from app.auth.caller import Caller
from app.database.interface import ReadBudget, Steps, TooLong, unread
from app.errors import AnswerTooLarge, VoltgraphError
from app.pipelines.budget import Budget
from app.server.services import Services
from schema import graphql_schema
from schema.documents.documents import Document
from schema.executor import BudgetedExecutor
from schema.plans.fields import field_of
from schema.plans.inputs.arguments import Variables
from schema.plans.mutations import MutationPlan
from schema.plans.readers.computed import FieldsFailed, complete
from schema.plans.root_fields import root
from schema.plans.row_builder import MOST_BYTES, CompileContext
from schema.plans.selections import FieldDetailsList, Selections, Unplanned
from schema.plans.statements import Run
from schema.types.context import Charge, Context

log = logging.getLogger("voltgraph.plans")

CACHED = 512
"""Number of cached operations and plans."""
Flags = tuple[Any, ...]


@dataclass(slots=True)
class Tally:
    """Counters of operations by the way they were answered."""

    plan: int = 0
    executor: int = 0
    compiled: int = 0

    def __call__(self) -> dict[str, int]:
        return asdict(self)


class Plan:
    """Plan of a query, for any caller and any variables."""

    __slots__ = ("_roots", "computes", "pace", "reads")

    def __init__(self, compiling: CompileContext, fields: dict[str, FieldDetailsList]) -> None:
        self._roots = [(key, root(compiling, details)) for key, details in fields.items()]
        self.pace = ReadBudget(is_single=compiling.statements <= 1, longest=compiling.longest)
        self.reads = compiling.statements > 0
        self.computes = compiling.computes

    def __call__(self, run: Run) -> Steps[dict[str, Any]]:
        data = {}
        for key, read in self._roots:
            data[key] = yield from read(run)
        return data


class Planner:
    """Planner with its cache of recent plans, over one database."""

    def __init__(self, services: Services, most_bytes: int) -> None:
        """Create a planner. `most_bytes` is the maximum size of an answer."""
        self.tally = Tally()
        self._services, self._database, self._most_bytes = services, services.database, most_bytes
        self._variables = lru_cache(CACHED)(Variables)
        self._plan = lru_cache(CACHED)(self._compile)

    async def data(
        self,
        document: Document,
        name: str | None,
        variables: dict[str, Any] | None,
        caller: Caller,
        charge: Charge | None = None,
    ) -> dict[str, Any] | None:
        """Return the data of a query. Returns None if it has no plan, or if the executor must report an error. Raises
        AnswerTooLarge and FieldsFailed."""
        try:
            plan, values = self.find(document, name, variables)
            try:
                data = await self._run(plan, caller, values, charge)
            except TooLong:
                plan, values = self.find(document, name, variables, has_texts=False)
                data = await self._run(plan, caller, values, charge)
        except TooLong:
            raise AnswerTooLarge.than(self._most_bytes) from None
        except AnswerTooLarge:
            raise
        except FieldsFailed:
            self.tally.plan += 1
            raise
        except Exception as error:
            self._give_up(error)
            return None
        self.tally.plan += 1
        return data

    def _run(
        self, plan: Plan, caller: Caller, values: VariableValues, charge: Charge | None
    ) -> Awaitable[dict[str, Any]]:
        if plan.computes:
            # Resolvers use asyncio's timeouts, which need a Task.
            return asyncio.create_task(self._compute(plan, caller, values, charge))

        def begin() -> Steps[dict[str, Any]]:  # a copy per run, because a run may be restarted
            return plan(Run(caller, values, Budget(self._most_bytes), charge))

        return self._database.run(begin, plan.pace) if plan.reads else _immediate(unread(begin()))

    async def _compute(
        self, plan: Plan, caller: Caller, values: VariableValues, charge: Charge | None
    ) -> dict[str, Any]:
        """Run a plan, then the resolvers of its computed fields."""

        def begin() -> Steps[tuple[dict[str, Any], Run]]:
            run = Run(caller, values, Budget(self._most_bytes), charge)
            return (yield from plan(run)), run

        data, run = await self._database.run(begin, plan.pace) if plan.reads else unread(begin())
        return await complete(data, run, Context(self._services, caller, run.budget, charge=charge))

    async def changed(
        self, document: Document, name: str | None, variables: dict[str, Any] | None, context: Context
    ) -> ExecutionResult | None:
        """Run a mutation and return its data. None, with nothing done, if the executor must run it."""
        try:
            plan, values = self.find(document, name, variables)
        except Exception as error:
            self._give_up(error)
            return None
        self.tally.plan += 1
        run = Run(context.caller, values, context.budget, context.charge)
        result: ExecutionResult = await plan(context, run, lambda: executor(document, name, variables, context))
        return result

    def _give_up(self, error: Exception) -> None:
        """Fall back to the executor, which meets the same error and reports it as GraphQL does."""
        self.tally.executor += 1
        if not isinstance(error, Unplanned | GraphQLError | VoltgraphError):
            log.warning("a plan failed", exc_info=error)

    def find(
        self, document: Document, name: str | None, given: dict[str, Any] | None, *, has_texts: bool = True
    ) -> tuple[Any, VariableValues]:
        """Return the plan of an operation and its coerced variables. Raises Unplanned."""
        variables = self._variables(document, name)
        values = variables.coerced(given)
        plan = self._plan(document, name, variables.flags(values), has_texts)
        if plan is None:
            raise Unplanned
        return plan, values

    def _compile(
        self, document: Document, name: str | None, flags: Flags, has_texts: bool
    ) -> Plan | MutationPlan | None:
        self.tally.compiled += 1
        values = zip(self._variables(document, name).booleans, flags, strict=True)
        coerced = {variable: value for variable, value in values if value is not Undefined}
        try:
            longest = MOST_BYTES if has_texts else self._most_bytes
            return compiled(document, name, VariableValues({}, coerced), self._database.dialect, has_texts, longest)
        except (Unplanned, GraphQLError, RecursionError):
            return None


def compiled(
    document: Document,
    name: str | None,
    values: VariableValues,
    dialect: Dialect,
    has_texts: bool = True,
    longest: int = MOST_BYTES,
) -> Plan | MutationPlan:
    """Compile the plan of an operation. Only the values of its Boolean variables are known, including those in @include
    and @skip. `longest` is the maximum bytes of a value. Raises Unplanned if a part has no plan."""
    operation = document.operation(name).node
    selections = Selections(document.tree, operation, values)
    compiling = CompileContext(selections, dialect, field_of, longest, has_texts)
    if operation.directives or operation.operation is OperationType.SUBSCRIPTION:
        raise Unplanned
    if operation.operation is OperationType.MUTATION:
        return MutationPlan(compiling, selections.root())
    return Plan(compiling, selections.root())


def executor(document: Document, name: str | None, variables: dict[str, Any] | None, context: Context) -> Executor[Any]:
    """Build graphql-core's executor of an operation with valid variables."""
    built = BudgetedExecutor.build(
        graphql_schema,
        document.tree,
        context_value=context,
        raw_variable_values=variables,
        operation_name=name,
    )
    assert isinstance(built, Executor)
    return built


async def _immediate(data: dict[str, Any]) -> dict[str, Any]:
    """Return data that needs no database."""
    return data
