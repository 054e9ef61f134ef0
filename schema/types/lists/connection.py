"""Connection of pipelines (Relay's cursor connections)."""

from typing import Any

import strawberry

from app.models import tables
from app.pipelines.lists.pagination import Page
from schema.types.lists.pages import PageInfo
from schema.types.pipelines import Pipeline


@strawberry.type(description="A pipeline with its cursor.")
class PipelineEdge:
    cursor: str = strawberry.field(description="Its cursor, for `after` and `before` in the same order.")
    pipeline: strawberry.Private[tables.Pipeline]

    @strawberry.field(description="The pipeline.", graphql_type=Pipeline)
    def node(self) -> tables.Pipeline:
        return self.pipeline


@strawberry.type(description="A page of pipelines.")
class PipelineConnection:
    page: strawberry.Private[Page]

    @strawberry.field(description="The pipelines of this page, each with its cursor.")
    def edges(self) -> list[PipelineEdge]:
        return [PipelineEdge(cursor=self.page.order.cursor(each), pipeline=each) for each in self.page.rows]

    @strawberry.field(description="The pipelines of this page.", graphql_type=list[Pipeline])
    def nodes(self) -> Any:
        return self.page.rows

    @strawberry.field(description="Position of this page in the whole list.")
    def page_info(self) -> PageInfo:
        return PageInfo(page=self.page)

    @strawberry.field(description="All matches, before paging. Counted only when selected.")
    async def total_count(self) -> int:
        return await self.page.total()
