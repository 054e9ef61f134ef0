"""GraphQL queries of measurements and cells."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from app.auth.caller import Caller
from app.errors import Rejected
from app.measurements import cells, orders, repository
from app.measurements.orders import MeasurementOrderField
from app.models import measurements as tables
from app.pipelines.lists.row_filters import RowFilter, row_filter
from schema.types.context import Info
from schema.types.lists.connection import Connection
from schema.types.lists.fields import given
from schema.types.lists.pages import Asked, asked, load
from schema.types.measurements.inputs import MeasurementFilter, MeasurementOrder
from schema.types.measurements.types import CellInstance, CellSpecification, Measurement
from schema.types.node import ID

NEWEST_FIRST = MeasurementOrder(field=MeasurementOrderField.CREATED_AT)
First = Annotated[int | None, strawberry.argument(description="Number of items from the start of the list: 1 to 100.")]
Last = Annotated[int | None, strawberry.argument(description="Number of items from the end of the list: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Only items after this cursor.")]
Before = Annotated[str | None, strawberry.argument(description="Only items before this cursor.")]
Id = Annotated[ID, strawberry.argument(description="Its id.")]
Project = Annotated[ID | None, strawberry.argument(description="Only those of this project.")]


def measurements_page(
    caller: Caller,
    filter: MeasurementFilter | None = UNSET,
    order_by: MeasurementOrder = NEWEST_FIRST,
    **window: Any,
) -> Asked:
    """Validate the arguments of a page. Raises BAD_USER_INPUT."""
    return asked(filter.plain() if filter else RowFilter(), order_by.plain(), **window)


def specifications_page(caller: Caller, project_id: str | None = UNSET, **window: Any) -> Asked:
    """Validate the arguments of a page. Raises BAD_USER_INPUT."""
    return asked(_equal(tables.CellSpecification, project_id=project_id), orders.CellSpecificationOrder(), **window)


def instances_page(
    caller: Caller, project_id: str | None = UNSET, cell_specification_id: str | None = UNSET, **window: Any
) -> Asked:
    """Validate the arguments of a page. Raises BAD_USER_INPUT."""
    filter = _equal(tables.CellInstance, project_id=project_id, cell_specification_id=cell_specification_id)
    return asked(filter, orders.CellInstanceOrder(), **window)


def _equal(model: Any, **values: Any) -> RowFilter:
    return row_filter(model, {name: (name, "eq") for name in values}, {n: given(value) for n, value in values.items()})


async def _cell(info: Info, model: Any, id: str) -> Any:
    try:
        return await cells.find(info.context.database, info.context.caller, model, id)
    except Rejected:
        return None


@strawberry.type
class MeasurementQueries:
    @strawberry.field(
        description="A measurement by its id. Null if it does not exist or the caller may not see it.",
        graphql_type=Measurement | None,
    )
    async def measurement(self, info: Info, id: Id) -> Any:
        return await repository.measurement(info.context.database, info.context.caller, id)

    @strawberry.field(description="A page of measurements; by default the first 20.")
    async def measurements(
        self,
        info: Info,
        filter: Annotated[
            MeasurementFilter | None, strawberry.argument(description="The filter; by default all measurements.")
        ] = UNSET,
        order_by: Annotated[
            MeasurementOrder, strawberry.argument(description="The order; by default newest first.")
        ] = NEWEST_FIRST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Measurement]:
        window = {"first": first, "after": after, "last": last, "before": before}
        wanted = measurements_page(info.context.caller, filter, order_by, **window)
        return Connection(page=await load(info, wanted))

    @strawberry.field(
        description="A cell specification by its id. Null if it does not exist or the caller may not see it.",
        graphql_type=CellSpecification | None,
    )
    async def cell_specification(self, info: Info, id: Id) -> Any:
        return await _cell(info, tables.CellSpecification, id)

    @strawberry.field(description="A page of cell specifications, newest first; by default the first 20.")
    async def cell_specifications(
        self,
        info: Info,
        project_id: Project = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[CellSpecification]:
        window = {"first": first, "after": after, "last": last, "before": before}
        wanted = specifications_page(info.context.caller, project_id, **window)
        return Connection(page=await load(info, wanted))

    @strawberry.field(
        description="A cell by its id. Null if it does not exist or the caller may not see it.",
        graphql_type=CellInstance | None,
    )
    async def cell_instance(self, info: Info, id: Id) -> Any:
        return await _cell(info, tables.CellInstance, id)

    @strawberry.field(description="A page of cells, newest first; by default the first 20.")
    async def cell_instances(
        self,
        info: Info,
        project_id: Project = UNSET,
        cell_specification_id: Annotated[
            ID | None, strawberry.argument(description="Only those of this specification.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[CellInstance]:
        window = {"first": first, "after": after, "last": last, "before": before}
        wanted = instances_page(info.context.caller, project_id, cell_specification_id, **window)
        return Connection(page=await load(info, wanted))
