"""Filters of GET /pipelines: plain values and operators, with the same results on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.models.enums import PipelineStatus
from tests.api import Api
from tests.rest.requests import created, get

Rows = dict[str, dict[str, Any]]
ROWS = {
    "alpha": ("first fit", "pending"),
    "Beta": ("second FIT", "running"),
    "straße": (None, "completed"),
    "100% a_b": ("50% done_", "failed"),
    "back\\slash, (x)": ("c:\\data", "canceled"),
}
ALL = list(ROWS)


@pytest.fixture(scope="module")
async def rows(shared: Api) -> Rows:
    """Create five pipelines; return their ids by name, in the order of their creation."""
    made = {}
    for name, (description, status) in ROWS.items():
        made[name] = await created(shared, name=name, description=description, project_id=f"of {name}")
        await shared.set_status(made[name]["id"], PipelineStatus[status.upper()])
    return made


async def found(api: Api, **query: str) -> list[str]:
    page = await get(api, "/pipelines", order="asc", **query)
    assert page["total"] == page["count"] == len(page["pipelines"])
    return [row["name"] for row in page["pipelines"]]


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({}, ALL),
        ({"name": "alpha"}, ["alpha"]),
        ({"name": "ALPHA"}, []),
        ({"name": "eq.alpha"}, ["alpha"]),
        ({"name": "eq.eq.alpha"}, []),
        ({"name": "neq.alpha"}, ALL[1:]),
        ({"name": "in.(alpha,Beta,none)"}, ["alpha", "Beta"]),
        ({"name": 'in.( "alpha" , "back\\slash, (x)")'}, ["alpha", "back\\slash, (x)"]),
        ({"name": "in.()"}, []),
        ({"name": "gt.alpha"}, ["straße", "back\\slash, (x)"]),
        ({"name": "gte.alpha"}, ["alpha", "straße", "back\\slash, (x)"]),
        ({"name": "lt.Beta"}, ["100% a_b"]),
        ({"name": "lte.Beta"}, ["Beta", "100% a_b"]),
        ({"name": "ilike.ALPHA"}, ["alpha"]),
        ({"name": "ilike.%BET%"}, ["Beta"]),
        ({"name": "ilike.STRASSE"}, ["straße"]),
        ({"name": "ilike.b%"}, ["Beta", "back\\slash, (x)"]),
        ({"name": "ilike._____"}, ["alpha"]),
        ({"name": "ilike.%\\%"}, ["back\\slash, (x)"]),
        ({"name": "ilike.%' OR 1=1 --%"}, []),
        ({"name": "ilike."}, []),
        ({"name": "none.of these"}, []),
        ({"description": "second FIT"}, ["Beta"]),
        ({"description": "ilike.%fit"}, ["alpha", "Beta"]),
        ({"description": "ilike.c:\\%"}, ["back\\slash, (x)"]),
        ({"description": "neq.first fit"}, ALL[1:]),  # as `not` of GraphQL, it keeps pipelines without a value
        ({"error_code": "neq.SOLVER_ERROR"}, ALL),
        ({"project_id": "of alpha"}, ["alpha"]),
        ({"project_id": "ilike.OF%A"}, ["alpha", "Beta"]),
        ({"created_by_email": "ilike.%"}, []),
        ({"status": "pending"}, ["alpha"]),
        ({"status": "eq.completed"}, ["straße"]),
        ({"status": "neq.pending"}, ALL[1:]),
        ({"status": "in.(failed,canceled)"}, ALL[3:]),
        ({"status": "in.(failed)", "name": "ilike.%a%"}, ["100% a_b"]),
        ({"status": "failed", "name": "alpha"}, []),
        ({"anything": "else"}, ALL),
    ],
    ids=str,
)
async def test_texts_and_statuses(shared: Api, rows: Rows, filter: dict[str, str], expected: list[str]) -> None:
    assert await found(shared, **filter) == [name for name in rows if name in expected]


async def test_an_id_finds_its_pipeline(shared: Api, rows: Rows) -> None:
    [first, second, *_] = [row["id"] for row in rows.values()]
    assert await found(shared, id=first) == ALL[:1]
    assert await found(shared, id=f"eq.{first}") == ALL[:1]
    assert await found(shared, id=f"in.({second},{first})") == ALL[:2]
    assert await found(shared, id=f"gt.{second}") == ALL[2:]


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (lambda column, t: {column: t}, ALL[2:3]),
        (lambda column, t: {column: f"eq.{t}"}, ALL[2:3]),
        (lambda column, t: {column: f"neq.{t}"}, ALL[:2] + ALL[3:]),
        (lambda column, t: {column: f"gt.{t}"}, ALL[3:]),
        (lambda column, t: {column: f"gte.{t}"}, ALL[2:]),
        (lambda column, t: {column: f"lt.{t}"}, ALL[:2]),
        (lambda column, t: {column: f"lte.{t}"}, ALL[:3]),
        (lambda column, t: {column: f"in.({t},2000-01-01)"}, ALL[2:3]),
        (lambda column, t: {f"{column}_gt": t}, ALL[2:]),
        (lambda column, t: {f"{column}_lt": t}, ALL[:3]),
        (lambda column, t: {f"{column}_gt": t, f"{column}_lt": t}, ALL[2:3]),
        (lambda column, t: {column: t.replace("Z", "")}, ALL[2:3]),
        (lambda column, t: {column: f"gte.{t.replace('Z', '+00:00')}"}, ALL[2:]),
        (lambda column, t: {f"{column}_gt": "0001-01-01", f"{column}_lt": "9999-12-31T23:59:59.999999Z"}, ALL),
    ],
)
async def test_times(
    shared: Api, rows: Rows, column: str, filter: Callable[[str, str], dict[str, str]], expected: list[str]
) -> None:
    assert await found(shared, **filter(column, rows["straße"][column])) == expected


@pytest.mark.parametrize(
    "filter",
    [
        {"status": "done"},
        {"status": "PENDING"},
        {"status": "eq."},
        {"status": "gt.pending"},
        {"status": "ilike.%"},
        {"status": "in.pending"},
        {"status": "in.(pending,done)"},
        {"name": "in.a,b"},
        {"created_at": "yesterday"},
        {"created_at": "ilike.2026%"},
        {"created_at": "gte.0001-01-01T00:00:00+23:59"},
        {"updated_at": "lte.9999-12-31T23:59:59-23:59"},
        {"created_at_gt": "gte.2026-01-01"},
        {"updated_at_lt": "2026-13-01"},
        {"name": "x" * 1001},
    ],
    ids=str,
)
async def test_a_wrong_filter_is_invalid_at_its_place(shared: Api, filter: dict[str, str]) -> None:
    answer = await shared.http.get("/pipelines", params=filter)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["detail"]] == [["query", *filter]]


async def test_all_wrong_filters_are_named_at_once(shared: Api) -> None:
    wrong = {"status": "done", "created_at": "soon", "updated_at_lt": "later"}
    answer = await shared.http.get("/pipelines", params=wrong)
    assert {fault["loc"][1] for fault in answer.json()["detail"]} == wrong.keys()


@pytest.mark.parametrize("path", ["/pipelines", "/cell_specifications"])
async def test_a_parameter_of_one_value_is_given_once(shared: Api, path: str) -> None:
    name = "status" if path == "/pipelines" else "name"
    answer = await shared.http.get(path, params=[(name, "pending"), (name, "failed"), ("limit", "1")])
    assert answer.status_code == 422
    assert [(fault["loc"], fault["msg"]) for fault in answer.json()["detail"]] == [
        (["query", name], f"`{name}` is given 2 times; give it once.")
    ]
