"""Pages of any table: their arguments, their rows, and their position."""

from typing import Any

import strawberry
from strawberry import UNSET

from app.pipelines.lists import pagination
from app.pipelines.lists.pagination import Filter, Order, Page, Window
from schema.types.context import Info
from schema.types.lists.fields import given

Asked = tuple[Any, Order, Window]
"""Filter, order and window of a page."""


def asked(
    filter: Filter,
    order: Order,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> Asked:
    """Validate the window of a page. Raises BAD_USER_INPUT."""
    return filter, order, pagination.window(order, given(first), given(after), given(last), given(before))


async def load(info: Info, asked: Asked) -> Page:
    """Load the rows of a page."""
    return await Page(info.context.database, info.context.caller, *asked).load()


@strawberry.type(description="Position of a page in the whole list.")
class PageInfo:
    page: strawberry.Private[Page]

    @strawberry.field(description="Whether more items follow `endCursor`.")
    async def has_next_page(self) -> bool:
        return await self.page.has_next()

    @strawberry.field(description="Whether more items precede `startCursor`.")
    async def has_previous_page(self) -> bool:
        return await self.page.has_previous()

    @strawberry.field(description="The cursor of the first item of the page, for `before`. Null on an empty page.")
    def start_cursor(self) -> str | None:
        return self.page.order.cursor(self.page.rows[0]) if self.page.rows else None

    @strawberry.field(description="The cursor of the last item of the page, for `after`. Null on an empty page.")
    def end_cursor(self) -> str | None:
        return self.page.order.cursor(self.page.rows[-1]) if self.page.rows else None
