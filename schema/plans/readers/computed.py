"""Computed fields: a plan reads the rows, their resolvers compute the values, and the plan encodes these."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from inspect import isawaitable, signature
from types import SimpleNamespace
from typing import Any

from graphql import ExecutionResult, GraphQLError, is_non_null_type, located_error

from app.database.interface import Steps
from app.errors import RequestError
from app.pipelines.budget import AWAITED
from schema.plans.readers.projections import completer
from schema.plans.row_builder import CompileContext, FieldReader, RowBuilder
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import Run
from schema.strawberry_internals import resolver_of
from schema.types.account.system import System
from schema.types.context import Context


class ResolverInfo:
    """Stand-in for `strawberry.Info`: these resolvers use `info.context` only."""

    def __init__(self, context: Context) -> None:
        self.context = context


class Computed:
    """Place of a value in an answer, until its resolver has computed it."""

    __slots__ = ("_resolve", "field", "value")

    def __init__(self, field: ComputedField, resolve: Callable[[Context], Awaitable[Any]]) -> None:
        self.field, self._resolve = field, resolve
        self.value: Any = None

    async def compute(self, context: Context) -> None:
        self.value = await self._resolve(context)


class ComputedField:
    """Field whose resolver computes its value from a row, or from nothing."""

    def __init__(self, compiling: CompileContext, type_name: str, details: FieldDetailsList) -> None:
        definition = compiling.selections.definition(type_name, details)
        resolve = resolver_of(definition)
        assert resolve is not None
        self._resolve = resolve
        self._has_info = "info" in signature(resolve).parameters
        self._arguments = compiling.selections.converted_arguments(type_name, details)
        self._complete = completer(compiling.selections, definition.type, details)
        self._nodes, self.is_required = [each.node for each in details], is_non_null_type(definition.type)
        compiling.computes = True

    def of(self, run: Run, parent: Any) -> Computed:
        """Return the place of the value of a parent."""
        run.budget.take_work(AWAITED)
        made = Computed(self, partial(self._value, run, parent))
        run.computed.append(made)
        return made

    def located(self, data: dict[str, Any], place: Computed, error: RequestError) -> GraphQLError:
        """Return the error of one value with its place in the data."""
        return located_error(error, self._nodes, next(paths(data, place)))

    async def _value(self, run: Run, parent: Any, context: Context) -> Any:
        info = {"info": ResolverInfo(context)} if self._has_info else {}
        value = self._resolve(parent, **info, **self._arguments(run.values))
        return self._complete(await value if isawaitable(value) else value, run.budget)


async def compute(run: Run, context: Context) -> None:
    """Compute the values of a run. Raises the first error."""
    for _, error in await failures(run, context):
        raise error


async def failures(run: Run, context: Context) -> list[tuple[Computed, BaseException]]:
    """Compute the values of a run at the same time, so that loaders batch their reads; return the errors."""
    pending, run.computed = run.computed, []
    ended = await asyncio.gather(*(each.compute(context) for each in pending), return_exceptions=True)
    return [(each, error) for each, error in zip(pending, ended, strict=True) if error is not None]


class FieldsFailed(Exception):
    """Values could not be computed: `result` is the answer, so that costly work is not done again."""

    def __init__(self, result: ExecutionResult) -> None:
        super().__init__()
        self.result = result


async def complete(data: dict[str, Any], run: Run, context: Context) -> dict[str, Any]:
    """Compute the values of the data of a query. Raises FieldsFailed if some of them are refused, and an error of
    another kind, which the executor reports."""
    failed, refused = await failures(run, context), []
    for place, error in failed:
        if not isinstance(error, RequestError) or run.budget.refusal is not None:
            raise error
        refused.append((place, error))
    if refused:
        raise FieldsFailed(_result(data, refused))
    return data


def _result(data: dict[str, Any], refused: list[tuple[Computed, RequestError]]) -> ExecutionResult:
    """Return the result with the errors of values, as the executor does. Null stands in their places; or in place of
    all data, with one error, because fields that cannot be null are those of Query and `system`."""
    for place, error in refused:
        if place.field.is_required:
            return ExecutionResult(None, [place.field.located(data, place, error)])
    return ExecutionResult(data, [place.field.located(data, place, error) for place, error in refused])


def paths(value: Any, place: Computed) -> Iterator[list[str | int]]:
    """Find the path of a place in the data of an answer."""
    if value is place:
        yield []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in steps:
        for path in paths(below, place):
            yield [step, *path]


def computed(type_name: str, *columns: Any) -> FieldReader:
    """Plan a field whose resolver needs these columns of its row."""

    def read(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
        parent = rows.call(_parents(rows, columns), *map(rows.stored, columns))
        field = ComputedField(rows.compiling, type_name, details)
        return ast.Call(rows.value(lambda run: partial(field.of, run)), [parent], [])

    return read


def _parents(rows: RowBuilder, columns: tuple[Any, ...]) -> Callable[..., SimpleNamespace]:
    """Return the function that makes the parent of a field from the stored values of its columns."""
    dialect = rows.compiling.dialect
    readers = [each.type.dialect_impl(dialect).result_processor(dialect, None) or _same for each in columns]
    names = [each.name for each in columns]

    def made(*values: Any) -> SimpleNamespace:
        return SimpleNamespace(**{name: read(value) for name, read, value in zip(names, readers, values, strict=True)})

    return made


def _same(value: Any) -> Any:
    return value


def computed_root(compiling: CompileContext, details: FieldDetailsList) -> Callable[[Run], Steps[Any]]:
    """Plan a root field that its resolver computes."""
    field = ComputedField(compiling, "Query", details)

    def steps(run: Run) -> Steps[Any]:
        return field.of(run, None)
        yield

    return steps


def system(compiling: CompileContext, details: FieldDetailsList) -> Callable[[Run], Steps[Any]]:
    """Plan `system`: its fields are computed, each by itself."""
    fields = compiling.selections.fields("System", details)
    parts = {
        key: None if name_of(each) == "__typename" else ComputedField(compiling, "System", each)
        for key, each in fields.items()
    }

    def steps(run: Run) -> Steps[Any]:
        return {key: "System" if part is None else part.of(run, System()) for key, part in parts.items()}
        yield

    return steps
