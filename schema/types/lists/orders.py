"""Input type of orders of pipelines."""

from functools import cache

import strawberry

from app.pipelines.lists import pagination
from schema.types.lists.fields import about
from schema.types.values.input_factory import quick


@quick
@strawberry.input(description="An order of pipelines. Ties are broken by `id`.")
class PipelineOrder:
    field: pagination.OrderField = strawberry.field(description="The sort key.")
    direction: pagination.Direction = about("The sort direction.", default=pagination.Direction.DESC)

    def plain(self) -> pagination.Order:
        return _order(self.field, self.direction)


@cache
def _order(field: pagination.OrderField, direction: pagination.Direction) -> pagination.Order:
    return pagination.Order(field.value, direction)
