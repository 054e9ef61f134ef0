"""Connections (Relay's cursor connections)."""

from typing import Any, Generic, TypeVar

import strawberry

from app.pipelines.lists.pagination import Page
from schema.types.lists.pages import PageInfo

Row = TypeVar("Row")


@strawberry.type(description="An item with its cursor.")
class Edge(Generic[Row]):
    cursor: str = strawberry.field(description="Its cursor, for `after` and `before` in the same order.")
    node: Row = strawberry.field(description="The item.")


@strawberry.type(description="A page of items.")
class Connection(Generic[Row]):
    page: strawberry.Private[Page]

    @strawberry.field(description="The items of this page, each with its cursor.")
    def edges(self) -> list[Edge[Row]]:
        return [Edge(cursor=self.page.order.cursor(each), node=each) for each in self.page.rows]

    @strawberry.field(description="The items of this page.")
    def nodes(self) -> list[Row]:
        rows: Any = self.page.rows
        return rows  # type: ignore[no-any-return]

    @strawberry.field(description="Position of this page in the whole list.")
    def page_info(self) -> PageInfo:
        return PageInfo(page=self.page)

    @strawberry.field(description="All matches, before paging. Counted only when selected.")
    async def total_count(self) -> int:
        return await self.page.total()
