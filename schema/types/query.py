"""GraphQL queries."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.measurements import repository as measurements
from app.models import measurements as tables_of_cells
from app.models import tables
from app.pipelines import repository
from app.pipelines.budget import LOADED
from app.pipelines.lists import filters, pagination
from schema.types.account.projects import StatusCount, status_counts
from schema.types.account.query import AccountQueries
from schema.types.context import Context, Info
from schema.types.keys.audit import AuditQueries
from schema.types.keys.operations import KeyQueries
from schema.types.lists.connection import Connection
from schema.types.lists.filters import PipelineFilter
from schema.types.lists.orders import PipelineOrder
from schema.types.lists.pages import Asked, asked, load
from schema.types.measurements.query import MeasurementQueries
from schema.types.pipelines import ID, Job, Node, Pipeline
from schema.types.results.checks import CheckQueries

Filter = Annotated[PipelineFilter | None, strawberry.argument(description="The filter; by default all pipelines.")]

NEWEST_FIRST = PipelineOrder(field=pagination.OrderField.CREATED_AT)


def plain(caller: Caller, filter: PipelineFilter | None = UNSET) -> filters.PipelineFilter:
    return filter.plain(caller) if filter else filters.PipelineFilter()


def pipelines_page(
    caller: Caller,
    filter: PipelineFilter | None = UNSET,
    order_by: PipelineOrder = NEWEST_FIRST,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> Asked:
    """Validate the arguments of a page. Raises BAD_USER_INPUT."""
    return asked(plain(caller, filter), order_by.plain(), first, after, last, before)


MOST_IDS = 100


def checked_ids(ids: list[ID]) -> list[ID]:
    """Validate the ids of nodes. Raises BAD_USER_INPUT for too many or none."""
    if not 1 <= len(ids) <= MOST_IDS:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`ids` takes 1 to {MOST_IDS} ids, not {len(ids)}.")
    return ids


async def find_nodes(context: Context, ids: Sequence[str]) -> dict[str, Any]:
    """Load objects by id from one table after the other; missing ones are left out."""
    database, caller = context.database, context.caller
    found: dict[str, Any] = {}
    for read in (
        repository.pipelines,
        repository.elements,
        _jobs,
        measurements.measurements,
        partial(_cells, tables_of_cells.CellSpecification),
        partial(_cells, tables_of_cells.CellInstance),
    ):
        if missing := [id for id in dict.fromkeys(ids) if id not in found]:
            found |= await read(database, caller, missing)
    return found


async def _jobs(database: Database, caller: Caller, ids: Sequence[str]) -> dict[str, Any]:
    return {id: Job.of(row) for id, row in (await repository.elements_of_jobs(database, caller, ids)).items()}


async def _cells(model: Any, database: Database, caller: Caller, ids: Sequence[str]) -> dict[str, Any]:
    return await measurements.cells(database, caller, model, ids)


@strawberry.type(description="Operations that read data.")
class Query(AccountQueries, CheckQueries, MeasurementQueries, KeyQueries, AuditQueries):
    @strawberry.field(
        description="An object by its id. Null if it does not exist or the caller may not see it.",
        graphql_type=Node | None,
    )
    async def node(self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]) -> Any:
        return (await find_nodes(info.context, [id])).get(id)

    @strawberry.field(
        description="Objects by their ids, in the same order, each null if it does not exist or the caller may not see "
        "it.",
        graphql_type=list[Node | None],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[ID], strawberry.argument(description=f"Their ids: 1 to {MOST_IDS}.")],
    ) -> Any:
        found = await find_nodes(info.context, checked_ids(ids))
        info.context.budget.take_work(LOADED * len(found))
        return [found.get(id) for id in ids]

    @strawberry.field(
        description="A pipeline by its id. Null if it does not exist or the caller may not see it.",
        graphql_type=Pipeline | None,
    )
    async def pipeline(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]
    ) -> tables.Pipeline | None:
        return await repository.pipeline(info.context.database, info.context.caller, id)

    @strawberry.field(
        description="A page of pipelines. `first` and `last` take 1 to 100; without them it is the first 20, or the "
        "last 20 when only `before` is given."
    )
    async def pipelines(
        self,
        info: Info,
        filter: Filter = UNSET,
        order_by: Annotated[
            PipelineOrder, strawberry.argument(description="The order; by default newest first.")
        ] = NEWEST_FIRST,
        first: Annotated[
            int | None, strawberry.argument(description="Number of pipelines from the start of the list.")
        ] = UNSET,
        after: Annotated[str | None, strawberry.argument(description="Only pipelines after this cursor.")] = UNSET,
        last: Annotated[
            int | None, strawberry.argument(description="Number of pipelines from the end of the list.")
        ] = UNSET,
        before: Annotated[str | None, strawberry.argument(description="Only pipelines before this cursor.")] = UNSET,
    ) -> Connection[Pipeline]:
        wanted = pipelines_page(info.context.caller, filter, order_by, first, after, last, before)
        return Connection(page=await load(info, wanted))

    @strawberry.field(description="Number of matches per status, including zeros.")
    async def pipeline_counts(self, info: Info, filter: Filter = UNSET) -> list[StatusCount]:
        caller = info.context.caller
        return status_counts(await pagination.counts(info.context.database, caller, plain(caller, filter)))
