"""Pages of pipelines, in the shape that GraphQL clients know as a connection."""

from typing import Any

import strawberry

from app import models
from app.models import PipelineStatus
from app.paging import Page
from schema.types import Pipeline


@strawberry.type(description="Where a page stands in the whole list.")
class PageInfo:
    page: strawberry.Private[Page]

    @strawberry.field(description="Whether there is anything after `endCursor`.")
    async def has_next_page(self) -> bool:
        return await self.page.has_next()

    @strawberry.field(description="Whether there is anything before `startCursor`.")
    async def has_previous_page(self) -> bool:
        return await self.page.has_previous()

    @strawberry.field(description="The cursor of the first pipeline here: `before` takes it. Null on an empty page.")
    def start_cursor(self) -> str | None:
        return self.page.order.cursor(self.page.pipelines[0]) if self.page.pipelines else None

    @strawberry.field(description="The cursor of the last pipeline here: `after` takes it. Null on an empty page.")
    def end_cursor(self) -> str | None:
        return self.page.order.cursor(self.page.pipelines[-1]) if self.page.pipelines else None


@strawberry.type(description="A pipeline with its place in the list.")
class PipelineEdge:
    cursor: str = strawberry.field(description="Its place: `after` and `before` take it, in the same order.")
    pipeline: strawberry.Private[models.Pipeline]

    @strawberry.field(description="The pipeline.", graphql_type=Pipeline)
    def node(self) -> models.Pipeline:
        return self.pipeline


@strawberry.type(description="A page of pipelines.")
class PipelineConnection:
    page: strawberry.Private[Page]

    @strawberry.field(description="The pipelines of this page, each with its cursor.")
    def edges(self) -> list[PipelineEdge]:
        return [PipelineEdge(cursor=self.page.order.cursor(each), pipeline=each) for each in self.page.pipelines]

    @strawberry.field(description="The pipelines of this page.", graphql_type=list[Pipeline])
    def nodes(self) -> Any:
        return self.page.pipelines

    @strawberry.field(description="Where this page stands in the whole list.")
    def page_info(self) -> PageInfo:
        return PageInfo(page=self.page)

    @strawberry.field(description="All matches, before paging. Counted only when selected.")
    async def total_count(self) -> int:
        return await self.page.total()


@strawberry.type(description="How many pipelines have a status.")
class StatusCount:
    status: PipelineStatus = strawberry.field(description="The status.")
    count: int = strawberry.field(description="How many have it.")
