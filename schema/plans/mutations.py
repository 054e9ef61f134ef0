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

from app.database.interface import ReadBudget, Steps, unread
from app.errors import AnswerTooLarge
from app.models.tables import Pipeline
from schema import graphql_schema
from schema.plans.child_rows import read_children
from schema.plans.fields import PIPELINE
from schema.plans.readers.computed import ResolverInfo, compute
from schema.plans.root_fields import root
from schema.plans.row_builder import CompileContext, RowBuilder, Run
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.strawberry_internals import resolver_of
from schema.types.context import Context

PayloadPart = Callable[[Any, Context, Run], Awaitable[Any]]
"""Builder of a field of a payload."""


class MutationPlan:
    """Fields of one operation, in order."""

    def __init__(self, compiling: CompileContext, fields: dict[str, FieldDetailsList]) -> None:
        self._fields = [
            (key, details, _typename if name_of(details) == "__typename" else MutationField(compiling, key, details))
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


class MutationField:
    """One field: its resolver and the selection of its payload."""

    def __init__(self, compiling: CompileContext, key: str, details: FieldDetailsList) -> None:
        self._key, self._details = key, details
        selections = compiling.selections
        self._definition = selections.definition("Mutation", details)
        if not is_non_null_type(self._definition.type):
            raise Unplanned
        self._arguments = selections.converted_arguments("Mutation", details)
        resolve = resolver_of(self._definition)
        assert resolve is not None
        self._resolve = resolve
        payload = get_named_type(self._definition.type).name
        fields = selections.fields(payload, details)
        self._parts = [(key, part(payload, name_of(each))(compiling, each)) for key, each in fields.items()]

    async def __call__(
        self, context: Context, run: Run, executor: Callable[[], Executor[Any]], errors: list[GraphQLError]
    ) -> dict[str, Any]:
        payload = await self._resolve(None, ResolverInfo(context), **self._arguments(run.values))
        try:
            made = {key: await part(payload, context, run) for key, part in self._parts}
            if run.computed:
                await compute(run, context)
            return made
        except AnswerTooLarge as error:
            run.budget.refusal = error
            raise
        except Exception:  # the mutation is done; the executor reports the error in its payload
            run.computed = []
            return await self._complete(payload, executor(), errors)

    async def _complete(self, payload: Any, executor: Executor[Any], errors: list[GraphQLError]) -> dict[str, Any]:
        path = Path(None, self._key, "Mutation")
        parent = graphql_schema.mutation_type
        assert parent is not None
        info = executor.build_resolve_info(self._definition, [each.node for each in self._details], parent, path)
        completed = executor.complete_value(self._definition.type, self._details, info, path, payload, None)
        data: dict[str, Any] = await completed if isawaitable(completed) else completed
        errors += executor.collected_errors.errors
        return data


class MutationResult:
    """Selection of the pipelines that a mutation returns. Their own columns are in memory; all others are read, for all
    pipelines together."""

    def __init__(self, compiling: CompileContext, details: FieldDetailsList, *, one: bool = True) -> None:
        before = compiling.statements
        self._rows = RowBuilder(compiling, one=one, is_at_hand=True)
        self._build = self._rows.builder(self._rows.object("Pipeline", details))
        self._stored = [stored(column, compiling.dialect) for column in self._rows.columns]
        self._pace = ReadBudget(is_single=compiling.statements - before <= 1, longest=compiling.longest)

    async def __call__(self, payload: Any, context: Context, run: Run) -> Any:
        if payload.pipeline is None:
            return None
        return (await self.all([payload.pipeline], context, run))[0]

    async def all(self, pipelines: list[Pipeline], context: Context, run: Run) -> list[Any]:
        """Return the objects of pipelines, in their order."""
        rows = [tuple(value(pipeline) for value in self._stored) for pipeline in pipelines]
        if not self._rows.children:
            return self._build(run)(rows)
        made, used = await context.database.run(lambda: self._read(rows, run.copy()), self._pace)
        run.settle(used)
        return made

    def _read(self, rows: list[Any], run: Run) -> Steps[tuple[list[Any], Run]]:
        yield from read_children(self._rows, rows, run)
        return self._build(run)(rows), run


class BulkResults:
    """Selection of the entries of a payload with several pipelines."""

    def __init__(self, compiling: CompileContext, details: FieldDetailsList, entry: str) -> None:
        fields = compiling.selections.fields(entry, details)
        self._parts: list[tuple[str, Any]] = [
            (key, MutationResult(compiling, each, one=False))
            if name_of(each) == "pipeline"
            else (key, part(entry, name_of(each))(compiling, each))
            for key, each in fields.items()
        ]

    async def __call__(self, payload: Any, context: Context, run: Run) -> Any:
        made: list[dict[str, Any]] = [{} for _ in payload.results]
        for key, part in self._parts:
            if isinstance(part, MutationResult):
                values = await _pipelines(part, payload.results, context, run)
            else:
                values = [await part(entry, context, run) for entry in payload.results]
            for entry, value in zip(made, values, strict=True):
                entry[key] = value
        return made


async def _pipelines(part: MutationResult, entries: list[Any], context: Context, run: Run) -> list[Any]:
    """Return the object of each entry's pipeline; null for a refusal."""
    built = iter(await part.all([each.pipeline for each in entries if each.pipeline is not None], context, run))
    return [None if each.pipeline is None else next(built) for each in entries]


class QueryPart:
    """Queries after a mutation."""

    def __init__(self, compiling: CompileContext, details: FieldDetailsList) -> None:
        before = compiling.statements
        fields = compiling.selections.fields("Query", details)
        self._roots = [(key, root(compiling, each)) for key, each in fields.items()]
        added = compiling.statements - before
        self._pace = ReadBudget(is_single=added <= 1, longest=compiling.longest)
        self._reads = added > 0

    async def __call__(self, payload: Any, context: Context, run: Run) -> Any:
        if not self._reads:
            return unread(self._read(run))[0]
        data, used = await context.database.run(lambda: self._read(run.copy()), self._pace)
        run.settle(used)
        return data

    def _read(self, run: Run) -> Steps[tuple[dict[str, Any], Run]]:
        data = {}
        for key, read in self._roots:
            data[key] = yield from read(run)
        return data, run


def stored(column: Any, dialect: Dialect) -> Callable[[Pipeline], Any]:
    """Return a function that converts an attribute of a pipeline to its stored form."""
    if column.name not in PIPELINE:
        return lambda pipeline: None  # a statement without columns
    name, process = column.name, column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return lambda pipeline: vars(pipeline)[name]
    return lambda pipeline: process(vars(pipeline)[name])


def user_errors(compiling: CompileContext, details: FieldDetailsList) -> PayloadPart:
    fields = compiling.selections.fields("UserError", details)
    values = [(key, USER_ERROR[name_of(each)]) for key, each in fields.items()]

    async def part(payload: Any, context: Context, run: Run) -> Any:
        return [{key: value(error) for key, value in values} for error in payload.user_errors]

    return part


def plain(value: Callable[[Any], Any]) -> Callable[[CompileContext, FieldDetailsList], PayloadPart]:
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
PAYLOADS: dict[str, dict[str, Callable[[CompileContext, FieldDetailsList], PayloadPart]]] = {
    "PipelinePayload": {
        "pipeline": MutationResult,
        "userErrors": user_errors,
        "query": QueryPart,
        "__typename": plain(lambda payload: "PipelinePayload"),
    },
    "PipelinesPayload": {
        "results": lambda compiling, details: BulkResults(compiling, details, "PipelinePayload"),
        "__typename": plain(lambda payload: "PipelinesPayload"),
    },
    "DeletePipelinesPayload": {
        "results": lambda compiling, details: BulkResults(compiling, details, "DeletePipelinePayload"),
        "__typename": plain(lambda payload: "DeletePipelinesPayload"),
    },
    "DeletePipelinePayload": {
        "deletedPipelineId": plain(lambda payload: payload.deleted_pipeline_id),
        "userErrors": user_errors,
        "query": QueryPart,
        "__typename": plain(lambda payload: "DeletePipelinePayload"),
    },
}


def part(payload: str, name: str) -> Callable[[CompileContext, FieldDetailsList], PayloadPart]:
    """Return the plan of a field of a payload. Raises Unplanned."""
    found = PAYLOADS.get(payload, {}).get(name)
    if found is None:
        raise Unplanned
    return found
