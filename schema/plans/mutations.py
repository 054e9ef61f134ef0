"""Plans of mutations: the resolvers run in order as in the executor; plans read and build the objects of their
payloads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from operator import attrgetter
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, get_named_type, is_non_null_type, located_error
from graphql.execution import Executor
from graphql.pyutils import Path
from sqlalchemy.engine import Dialect

from app.database.interface import ReadBudget, Steps, unread
from app.errors import AnswerTooLarge
from schema import graphql_schema
from schema.plans.child_rows import read_children
from schema.plans.fields import TABLES
from schema.plans.readers.computed import ResolverInfo, compute
from schema.plans.readers.projections import completer
from schema.plans.root_fields import root
from schema.plans.row_builder import CompileContext, RowBuilder
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.plans.statements import Run
from schema.strawberry_internals import field_definition, resolver_of
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
    """Selection of the rows of a type that a mutation returns. Their own columns are in memory; all others are read,
    for all rows together."""

    def __init__(
        self, type_name: str, attribute: str, compiling: CompileContext, details: FieldDetailsList, *, one: bool = True
    ) -> None:
        """Create the selection; `attribute` of a payload is the row."""
        before = compiling.statements
        self._attribute = attribute
        self._rows = RowBuilder(compiling, one=one, is_at_hand=True)
        self._build = self._rows.builder(self._rows.object(type_name, details))
        self._stored = [stored(column, TABLES[type_name], compiling.dialect) for column in self._rows.columns]
        self._pace = ReadBudget(is_single=compiling.statements - before <= 1, longest=compiling.longest)

    async def __call__(self, payload: Any, context: Context, run: Run) -> Any:
        found = getattr(payload, self._attribute)
        return None if found is None else (await self.all([found], context, run))[0]

    async def all(self, found: list[Any], context: Context, run: Run) -> list[Any]:
        """Return the objects of rows, in their order."""
        rows = [tuple(value(each) for value in self._stored) for each in found]
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
            (key, pipeline_result(compiling, each, one=False))
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


pipeline_result = partial(MutationResult, "Pipeline", "pipeline")


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


def stored(column: Any, table: Any, dialect: Dialect) -> Callable[[Any], Any]:
    """Return a function that converts an attribute of a row to its stored form."""
    if column.name not in table.c:
        return lambda row: None  # a statement without columns
    name, process = column.name, column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return lambda row: vars(row)[name]
    return lambda row: process(vars(row)[name])


def constant(name: str) -> Callable[[CompileContext, FieldDetailsList], PayloadPart]:
    """Plan `__typename` of a payload."""

    async def part(payload: Any, context: Context, run: Run) -> Any:
        return name

    return lambda compiling, details: part


def attribute(name: str) -> Callable[[CompileContext, FieldDetailsList], PayloadPart]:
    """Plan a field of a payload that needs only the payload: a leaf, or an object in memory."""

    def plan(compiling: CompileContext, details: FieldDetailsList) -> PayloadPart:
        definition = compiling.selections.definition(name, details)
        complete = completer(compiling.selections, definition.type, details)
        read = attrgetter(field_definition(definition).python_name)

        async def part(payload: Any, context: Context, run: Run) -> Any:
            return complete(read(payload), run.budget)

        return part

    return plan


def parts_of(name: str) -> dict[str, Callable[[CompileContext, FieldDetailsList], PayloadPart]]:
    """Plan the fields of a payload by their types: rows of a table, or values of the payload."""
    payload = graphql_schema.type_map[name]
    assert isinstance(payload, GraphQLObjectType)
    parts: dict[str, Any] = {"__typename": constant(name)}
    for key, field in payload.fields.items():
        kind = get_named_type(field.type).name
        is_row = kind in TABLES
        parts[key] = partial(MutationResult, kind, field_definition(field).python_name) if is_row else attribute(name)
    return parts


PAYLOADS: dict[str, dict[str, Callable[[CompileContext, FieldDetailsList], PayloadPart]]] = {
    "PipelinePayload": parts_of("PipelinePayload") | {"query": QueryPart},
    "DeletePipelinePayload": parts_of("DeletePipelinePayload") | {"query": QueryPart},
    "PipelinesPayload": {
        "results": lambda compiling, details: BulkResults(compiling, details, "PipelinePayload"),
        "__typename": constant("PipelinesPayload"),
    },
    "DeletePipelinesPayload": {
        "results": lambda compiling, details: BulkResults(compiling, details, "DeletePipelinePayload"),
        "__typename": constant("DeletePipelinesPayload"),
    },
    **{
        name: parts_of(name)
        for name in (
            *("CreateMeasurementPayload", "MeasurementPayload", "DeleteMeasurementPayload"),
            *("CellSpecificationPayload", "DeleteCellSpecificationPayload"),
            *("CellInstancePayload", "DeleteCellInstancePayload"),
            *("CreateApiKeyPayload", "RevokeApiKeyPayload"),
        )
    },
}


def part(payload: str, name: str) -> Callable[[CompileContext, FieldDetailsList], PayloadPart]:
    """Return the plan of a field of a payload. Raises Unplanned."""
    found = PAYLOADS.get(payload, {}).get(name)
    if found is None:
        raise Unplanned
    return found
