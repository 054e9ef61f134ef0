"""Plans of mutations: the resolvers run in order as in the executor; plans read and build the pipelines of their
payloads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLError, get_named_type, is_non_null_type, located_error
from graphql.execution import Executor
from graphql.pyutils import Path
from sqlalchemy.engine import Dialect

from app.budget import Budget
from app.errors import AnswerTooLarge
from app.models import Pipeline
from app.readers import Pace, Steps
from schema import schema
from schema.context import Context
from schema.plans.children import read_children
from schema.plans.fields import PIPELINE
from schema.plans.rows import Compiling, Rows, Run
from schema.plans.selections import FieldDetailsList, Unplanned, name_of

Part = Callable[[Any, Context, Run], Awaitable[Any]]
"""Builder of a field of a payload."""


class Asking:
    """Stand-in for `strawberry.Info`: mutation resolvers use `info.context` only."""

    def __init__(self, context: Context) -> None:
        self.context = context


class Mutation:
    """Fields of one operation, in order."""

    def __init__(self, compiling: Compiling, fields: dict[str, FieldDetailsList]) -> None:
        self._fields = [
            (key, details, _typename if name_of(details) == "__typename" else Change(compiling, key, details))
            for key, details in fields.items()
        ]

    async def __call__(self, context: Context, run: Run, executor: Callable[[], Executor[Any]]) -> ExecutionResult:
        """Return data and errors. Nothing runs after a failed field, as all these fields are non-null. `executor`
        builds the executor of this operation."""
        data: dict[str, Any] = {}
        errors: list[GraphQLError] = []
        for key, details, change in self._fields:
            try:
                data[key] = await change(context, run, executor, errors)
            except Exception as error:
                nodes = [each.node for each in details]
                return ExecutionResult(None, [*errors, located_error(error, nodes, [key])])
        return ExecutionResult(data, errors or None)


async def _typename(*_: Any) -> str:
    return "Mutation"


class Change:
    """One field: its resolver and the selection of its payload."""

    def __init__(self, compiling: Compiling, key: str, details: FieldDetailsList) -> None:
        self._key, self._details = key, details
        selections = compiling.selections
        self._definition = selections.definition("Mutation", details)
        if not is_non_null_type(self._definition.type):
            raise Unplanned
        self._arguments = selections.converted_arguments("Mutation", details)
        self._resolve = self._definition.extensions["strawberry-definition"].base_resolver.wrapped_func
        payload = get_named_type(self._definition.type).name
        fields = selections.fields(payload, details)
        self._parts = [(key, part(payload, name_of(each))(compiling, each)) for key, each in fields.items()]

    async def __call__(
        self, context: Context, run: Run, executor: Callable[[], Executor[Any]], errors: list[GraphQLError]
    ) -> dict[str, Any]:
        payload = await self._resolve(None, Asking(context), **self._arguments(run.values))
        try:
            return {key: await part(payload, context, run) for key, part in self._parts}
        except AnswerTooLarge as error:
            run.budget.refusal = error
            raise
        except Exception:  # the mutation is done; the executor reports the error in its payload
            return await self._complete(payload, executor(), errors)

    async def _complete(self, payload: Any, executor: Executor[Any], errors: list[GraphQLError]) -> dict[str, Any]:
        path = Path(None, self._key, "Mutation")
        parent = schema._schema.mutation_type
        assert parent is not None
        info = executor.build_resolve_info(self._definition, [each.node for each in self._details], parent, path)
        completed = executor.complete_value(self._definition.type, self._details, info, path, payload, None)
        data: dict[str, Any] = await completed if isawaitable(completed) else completed
        errors += executor.collected_errors.errors
        return data


class Changed:
    """Selection of the pipeline that a mutation returns. Its own columns are in memory; all others are read."""

    def __init__(self, compiling: Compiling, details: FieldDetailsList) -> None:
        before = compiling.statements
        self._rows = Rows(compiling, one=True, is_at_hand=True)
        self._build = self._rows.builder(self._rows.object("Pipeline", details))
        self._stored = [stored(column, compiling.dialect) for column in self._rows.columns]
        self._pace = Pace(is_single=compiling.statements - before <= 1, longest=compiling.longest)

    async def __call__(self, payload: Any, context: Context, run: Run) -> Any:
        if payload.pipeline is None:
            return None
        rows = [tuple(value(payload.pipeline) for value in self._stored)]
        if not self._rows.children:
            return self._build(run)(rows)[0]
        made, used = await context.database.run(
            lambda: self._read(rows, Run(run.caller, run.values, run.budget.copy())), self._pace
        )
        run.budget.settle(used)
        return made

    def _read(self, rows: list[Any], run: Run) -> Steps[tuple[Any, Budget]]:
        yield from read_children(self._rows, rows, run)
        return self._build(run)(rows)[0], run.budget


def stored(column: Any, dialect: Dialect) -> Callable[[Pipeline], Any]:
    """Return a function that converts an attribute of a pipeline to its stored form."""
    if column.name not in PIPELINE:
        return lambda pipeline: None  # a statement without columns
    name, process = column.name, column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return lambda pipeline: vars(pipeline)[name]
    return lambda pipeline: process(vars(pipeline)[name])


def user_errors(compiling: Compiling, details: FieldDetailsList) -> Part:
    fields = compiling.selections.fields("UserError", details)
    values = [(key, USER_ERROR[name_of(each)]) for key, each in fields.items()]

    async def part(payload: Any, context: Context, run: Run) -> Any:
        return [{key: value(error) for key, value in values} for error in payload.user_errors]

    return part


def plain(value: Callable[[Any], Any]) -> Callable[[Compiling, FieldDetailsList], Part]:
    """Plan a field that needs only the payload."""

    async def part(payload: Any, context: Context, run: Run) -> Any:
        return value(payload)

    return lambda compiling, details: part


USER_ERROR: dict[str, Callable[[Any], Any]] = {
    "code": lambda error: error.code.name,
    "message": lambda error: error.message,
    "field": lambda error: error.field,
    "__typename": lambda error: "UserError",
}
PAYLOADS: dict[str, dict[str, Callable[[Compiling, FieldDetailsList], Part]]] = {
    "PipelinePayload": {
        "pipeline": Changed,
        "userErrors": user_errors,
        "__typename": plain(lambda payload: "PipelinePayload"),
    },
    "DeletePipelinePayload": {
        "deletedPipelineId": plain(lambda payload: payload.deleted_pipeline_id),
        "userErrors": user_errors,
        "__typename": plain(lambda payload: "DeletePipelinePayload"),
    },
}


def part(payload: str, name: str) -> Callable[[Compiling, FieldDetailsList], Part]:
    """Return the plan of a field of a payload. Raises Unplanned."""
    found = PAYLOADS.get(payload, {}).get(name)
    if found is None:
        raise Unplanned
    return found
