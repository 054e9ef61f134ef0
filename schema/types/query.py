"""GraphQL queries."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from app.auth.caller import Caller
from app.measurements import repository as measurements
from app.models import tables
from app.pipelines import repository
from app.pipelines.lists import filters, pagination
from app.pipelines.lists.pagination import Page
from schema.types.connection import PipelineConnection, StatusCount
from schema.types.context import Info
from schema.types.inputs import PipelineFilter, PipelineOrder, given
from schema.types.measurements.query import MeasurementQueries
from schema.types.pipelines import ID, Job, Node, Pipeline
from schema.types.results.checks import CheckQueries

Filter = Annotated[PipelineFilter | None, strawberry.argument(description="The filter; by default all pipelines.")]

NEWEST_FIRST = PipelineOrder(field=pagination.OrderField.CREATED_AT)


def plain(filter: PipelineFilter | None = UNSET) -> filters.PipelineFilter:
    return filter.plain() if filter else filters.PipelineFilter()


def page_asked(
    filter: PipelineFilter | None = UNSET,
    order_by: PipelineOrder = NEWEST_FIRST,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> tuple[filters.PipelineFilter, pagination.Order, pagination.Window]:
    """Validate the arguments of a page. Raises BAD_USER_INPUT."""
    order = order_by.plain()
    return plain(filter), order, pagination.window(order, given(first), given(after), given(last), given(before))


@strawberry.type(description="The caller.")
class Viewer:
    user_id: ID | None = strawberry.field(description="The user, if known.")
    email: str | None = strawberry.field(description="The user's email, if known.")
    organization_id: ID = strawberry.field(description="The organization whose pipelines the caller sees.")


@strawberry.type(description="Operations that read data.")
class Query(CheckQueries, MeasurementQueries):
    @strawberry.field(
        description="An object by its id. Null if it does not exist or the caller may not see it.",
        graphql_type=Node | None,
    )
    async def node(self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]) -> Any:
        database, caller = info.context.database, info.context.caller
        row = await repository.pipeline(database, caller, id) or await repository.element(database, caller, id)
        if row is None and (element := await repository.element_of_job(database, caller, id)):
            return Job.of(element)
        return row or await measurements.node(database, caller, id)

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
    ) -> PipelineConnection:
        asked = page_asked(filter, order_by, first, after, last, before)
        return PipelineConnection(page=await Page(info.context.database, info.context.caller, *asked).load())

    @strawberry.field(description="Number of matches per status, including zeros.")
    async def pipeline_counts(self, info: Info, filter: Filter = UNSET) -> list[StatusCount]:
        found = await pagination.counts(info.context.database, info.context.caller, plain(filter))
        return [StatusCount(status=status, count=count) for status, count in found.items()]

    @strawberry.field(description="The caller.", graphql_type=Viewer)
    def viewer(self, info: Info) -> Caller:
        return info.context.caller
