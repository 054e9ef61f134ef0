"""Pagination: pages contain each pipeline once, in order, in both directions and during concurrent changes."""

import asyncio
from typing import Any

import pytest

from app.models.enums import PipelineStatus
from tests.api import Api

PAGE = """query ($order: PipelineOrder!, $first: Int, $after: String, $last: Int, $before: String) {
  pipelines(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
    nodes { id name createdAt status }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}"""
NEWEST = {"field": "CREATED_AT", "direction": "DESC"}


async def page(api: Api, order: Any = NEWEST, **arguments: Any) -> Any:
    return (await api.data(PAGE, order=order, **arguments))["pipelines"]


async def forward(api: Api, size: int, order: Any = NEWEST) -> list[str]:
    found, after, more = [], None, True
    while more:
        got = await page(api, order, first=size, after=after)
        found += [node["id"] for node in got["nodes"]]
        after, more = got["pageInfo"]["endCursor"], got["pageInfo"]["hasNextPage"]
    return found


async def backward(api: Api, size: int, order: Any = NEWEST) -> list[str]:
    found: list[str] = []
    before, more = None, True
    while more:
        got = await page(api, order, last=size, before=before)
        found = [node["id"] for node in got["nodes"]] + found
        before, more = got["pageInfo"]["startCursor"], got["pageInfo"]["hasPreviousPage"]
    return found


async def make(api: Api, count: int, **fields: Any) -> list[str]:
    created = await asyncio.gather(*(api.create(elements=[], **fields) for _ in range(count)))
    return [pipeline["id"] for pipeline in created]


async def test_1000_are_found_once_each_while_others_come_and_go(api: Api) -> None:
    kept = set(await make(api, 1000))
    rounds = 0

    async def come_and_go() -> None:
        nonlocal rounds
        while True:
            for id in await make(api, 3):
                await api.run("DeletePipeline", id=id)
            rounds += 1

    traffic = asyncio.create_task(come_and_go())
    walked: list[list[str]] = []
    while rounds < 3:
        walked += [await forward(api, 100), await backward(api, 100)]
        await asyncio.sleep(0.001)  # a page is read without a suspension in which other tasks could run
    traffic.cancel()
    await asyncio.gather(traffic, return_exceptions=True)
    for found in [*walked, await forward(api, 100), await backward(api, 100)]:
        assert len(found) == len(set(found))
        assert kept <= set(found)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT", "NAME", "STATUS"])
async def test_every_order_walks_alike_both_ways(api: Api, field: str, direction: str) -> None:
    names = ["b", "a", "Z", "é", "a", "ß", "", "a b", "A", "10", "9"]
    ids = [(await api.create(name=name or None, elements=[]))["id"] for name in names]
    for id, status in zip(ids, ["RUNNING", "FAILED", "CANCELED", "RUNNING"], strict=False):
        await api.set_status(id, PipelineStatus[status])
    order = {"field": field, "direction": direction}
    whole = (await page(api, order, first=100))["nodes"]
    column = {"CREATED_AT": "createdAt", "NAME": "name", "STATUS": "status"}.get(field)
    if column:
        keys = [(node[column].encode(), node["id"]) for node in whole]
        assert keys == sorted(keys, reverse=direction == "DESC")
    expected = [node["id"] for node in whole]
    assert sorted(expected) == sorted(ids)
    for size in (1, 2, 3, 11):
        assert await forward(api, size, order) == expected
        assert await backward(api, size, order) == expected


async def test_page_info_tells_the_truth_on_both_sides(api: Api) -> None:
    await make(api, 3)
    whole = await page(api)
    first, middle, last = (edge["cursor"] for edge in whole["edges"])

    async def sides(**arguments: Any) -> tuple[bool, bool]:
        info = (await page(api, **arguments))["pageInfo"]
        return info["hasPreviousPage"], info["hasNextPage"]

    assert await sides() == (False, False)
    assert await sides(first=1) == (False, True)
    assert await sides(first=1, after=first) == (True, True)
    assert await sides(first=1, after=middle) == (True, False)
    assert await sides(first=1, after=last) == (True, False)
    assert await sides(last=1) == (True, False)
    assert await sides(last=1, before=middle) == (False, True)
    assert await sides(last=1, before=first) == (False, True)
    assert await sides(first=5, after=first, before=last) == (True, True)
    assert whole["totalCount"] == 3


async def test_without_a_size_it_is_the_first_20_or_the_20_before_a_cursor(api: Api) -> None:
    await make(api, 25)
    whole = await page(api, first=100)
    assert (await page(api))["nodes"] == whole["nodes"][:20]
    assert (await page(api, before=whole["edges"][23]["cursor"]))["nodes"] == whole["nodes"][3:23]


async def test_an_empty_list_has_no_cursors(api: Api) -> None:
    info = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert await page(api) == {"nodes": [], "edges": [], "pageInfo": info, "totalCount": 0}


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 0},
        {"first": -1},
        {"first": 101},
        {"last": 0},
        {"last": 101},
        {"first": 1, "last": 1},
        {"after": ""},
        {"after": "!"},
        {"after": "W10"},
        {"after": "bnVsbA"},
        {"before": "WyJDUkVBVEVEX0FUIiwiREVTQyIsIm5vdCBhIHRpbWUiLCJpZCJd"},
        {"before": "WyJDUkVBVEVEX0FUIiwiREVTQyIsMSwyXQ"},
        {"after": "x" * 10_000},
    ],
)
async def test_a_wrong_page_is_an_error(api: Api, arguments: Any) -> None:
    answer = await api.post(PAGE, order=NEWEST, **arguments)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["path"] == ["pipelines"]


async def test_a_cursor_of_another_order_is_an_error(api: Api) -> None:
    await make(api, 2)
    cursor = (await page(api))["pageInfo"]["startCursor"]
    for order in ({"field": "NAME", "direction": "DESC"}, {"field": "CREATED_AT", "direction": "ASC"}):
        [error] = (await api.post(PAGE, order=order, after=cursor))["errors"]
        assert "another order" in error["message"]
