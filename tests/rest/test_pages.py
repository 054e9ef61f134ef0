"""Pages of GET /pipelines, in any order."""

from __future__ import annotations

from typing import Any

import pytest

from app.models.enums import PipelineStatus
from tests.api import Api
from tests.rest.requests import created, get

Rows = list[dict[str, Any]]
TEXTS = [("b", None), ("a", "é"), ("Z", "z"), ("é", ""), ("a", None), ("10", "Z"), ("9", "z"), ("\U0001d6fc", "b")]
STATUSES = ["pending", "running", "failed", "pending", "completed", "canceled", "running", "pending"]


@pytest.fixture(scope="module")
async def rows(shared: Api) -> Rows:
    """Create eight pipelines; return their ids in the order of creation."""
    made = [await created(shared, name=name, description=description) for name, description in TEXTS]
    for row, status in zip(made, STATUSES, strict=True):
        await shared.set_status(row["id"], PipelineStatus[status.upper()])
    return [await get(shared, f"/pipelines/{row['id']}") for row in made]


def ordered(rows: Rows, column: str, *, descending: bool) -> list[str]:
    """Return the ids sorted by a column, then by id, nulls last."""
    without = sorted((row["id"] for row in rows if row[column] is None), reverse=descending)
    having = sorted(((row[column], row["id"]) for row in rows if row[column] is not None), reverse=descending)
    return [id for _, id in having] + without


def ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["pipelines"]]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "column", ["id", "name", "description", "status", "created_at", "updated_at", "created_by_email"]
)
async def test_every_order_is_binary_and_breaks_ties_by_id(shared: Api, rows: Rows, column: str, order: str) -> None:
    page = await get(shared, "/pipelines", order_by=column, order=order)
    assert ids(page) == ordered(rows, column, descending=order == "desc")


async def test_the_newest_come_first_if_not_told(shared: Api, rows: Rows) -> None:
    page = await get(shared, "/pipelines")
    assert page == {"pipelines": rows[::-1], "count": 8, "total": 8}


@pytest.mark.parametrize(("skip", "limit"), [(0, 1), (0, 8), (3, 3), (6, 100), (7, 1), (8, 5), (2**31 - 1, 1)])
async def test_a_page_is_a_part_of_the_whole(shared: Api, rows: Rows, skip: int, limit: int) -> None:
    page = await get(shared, "/pipelines", order="asc", skip=skip, limit=limit)
    assert page["pipelines"] == rows[skip : skip + limit]
    assert (page["count"], page["total"]) == (len(page["pipelines"]), 8)


async def test_ten_come_if_not_told(shared: Api, rows: Rows) -> None:
    assert len(rows) == 8
    more = [await created(shared, project_id="more") for _ in range(11)]
    page = await get(shared, "/pipelines", project_id="more")
    assert ids(page) == [row["id"] for row in more[:0:-1]]
    assert (page["count"], page["total"]) == (10, 11)
    for row in more:
        await shared.http.delete(f"/pipelines/{row['id']}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "1.5"},
        {"limit": ""},
        {"limit": "9" * 5000},
        {"skip": "-1"},
        {"skip": str(2**31)},
        {"skip": "1e9"},
        {"order_by": "secret"},
        {"order_by": "name; --"},
        {"order": "up"},
    ],
    ids=lambda wrong: str(wrong)[:30],
)
async def test_a_wrong_page_is_invalid_at_its_place(shared: Api, wrong: dict[str, str]) -> None:
    answer = await shared.http.get("/pipelines", params=wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    [fault] = answer.json()["detail"]
    assert fault["loc"] == ["query", *wrong]
    assert len(fault["input"]) <= 201
