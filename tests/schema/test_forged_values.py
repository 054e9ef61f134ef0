"""Forged values: both databases give the same answers, and none is a fault of the server."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from tests.api import Api

PAGE = """query ($filter: PipelineFilter, $order: OrderDirection = DESC, $field: PipelineOrderField = CREATED_AT,
                 $after: String, $before: String, $first: Int, $last: Int) {
  pipelines(filter: $filter, orderBy: {field: $field, direction: $order}, after: $after, before: $before,
            first: $first, last: $last) {
    nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
NOW = "2026-11-23T10:00:00.000000Z"


def cursor(value: Any) -> str:
    """Encode a cursor of any value."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@pytest.mark.parametrize("argument", ["after", "before"])
@pytest.mark.parametrize(
    ("field", "forged"),
    [
        ("CREATED_AT", ""),
        ("CREATED_AT", " "),
        ("CREATED_AT", "é"),
        ("CREATED_AT", "a"),
        ("CREATED_AT", "===="),
        ("CREATED_AT", "MQ=="),
        ("CREATED_AT", "x" * 100_000),
        ("CREATED_AT", base64.urlsafe_b64encode(b"[" * 5000).decode()),
        ("CREATED_AT", base64.urlsafe_b64encode(b'["CREATED_AT","DESC","\xff","x"]').decode()),
        ("CREATED_AT", cursor(None)),
        ("CREATED_AT", cursor([])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", NOW])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", NOW, 5])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", NOW, None])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", NOW, "x\0"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", 1, "x"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", "2026-11-23", "x"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", "2026-11-23T10:00:00", "x"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", "0001-01-01T00:00:00+23:59", "x"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", "9999-12-31T23:59:59-23:59", "x"])),
        ("CREATED_AT", cursor(["CREATED_AT", "DESC", "2026-13-01T00:00:00.000000Z", "x"])),
        ("CREATED_AT", cursor(["CREATED_AT", "ASC", NOW, "x"])),
        ("UPDATED_AT", cursor(["CREATED_AT", "DESC", NOW, "x"])),
        ("NAME", cursor(["NAME", "DESC", None, "x"])),
        ("NAME", cursor(["NAME", "DESC", ["a"], "x"])),
        ("NAME", cursor(["NAME", "DESC", "a\0", "x"])),
        ("STATUS", cursor(["STATUS", "DESC", "DONE", "x"])),
        ("STATUS", cursor(["STATUS", "DESC", "__class__", "x"])),
        ("STATUS", cursor(["STATUS", "DESC", [], "x"])),
        ("STATUS", cursor(["STATUS", "DESC", {}, "x"])),
    ],
)
async def test_a_broken_cursor_is_bad_input(shared: Api, field: str, forged: str, argument: str) -> None:
    answer = await shared.post(PAGE, field=field, **{argument: forged})
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "cursor" in error["message"]
    assert len(error["message"]) < 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("CREATED_AT", "0001-01-01T00:00:00.000000Z"),
        ("CREATED_AT", "9999-12-31T23:59:59.999999Z"),
        ("NAME", ""),
        ("NAME", "x" * 100_000),
        ("NAME", "'; DROP TABLE pipeline; --"),
        ("NAME", "\U0010ffff"),
        ("STATUS", "PENDING"),
    ],
)
@pytest.mark.parametrize("id", ["", "x", "\U0010ffff" * 1000])
async def test_a_place_where_nothing_stands_is_a_place(shared: Api, field: str, value: str, id: str) -> None:
    place = cursor([field, "DESC", value, id])
    empty = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    for argument in ("after", "before"):
        page = (await shared.data(PAGE, field=field, **{argument: place}))["pipelines"]
        assert page == {"nodes": [], "totalCount": 0, "pageInfo": empty}


@pytest.mark.parametrize("field", ["createdAfter", "createdBefore", "updatedAfter", "updatedBefore"])
@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00Z",
        "0999-06-01T00:00:00.1Z",
        "1969-12-31T23:59:59.999999Z",
        "2038-01-19T03:14:08Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59.999999+23:59",
    ],
)
async def test_any_time_that_there_is_can_bound(shared: Api, field: str, time: str) -> None:
    assert (await shared.data(PAGE, filter={field: time}))["pipelines"]["totalCount"] == 0


@pytest.mark.parametrize("field", ["createdAfter", "updatedBefore"])
@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "٢٠٢٦-01-01T00:00:00Z",
        "infinity",
        "",
        "x" * 100_000,
        0,
        1e308,
        True,
        [],
        {},
    ],
    ids=lambda time: str(time)[:40],
)
async def test_a_time_that_there_is_not_is_bad_input(shared: Api, field: str, time: Any) -> None:
    answer = await shared.post(PAGE, filter={field: time})
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert len(error["message"]) < 300


@pytest.mark.parametrize(
    ("field", "value"), [("statuses", "PENDING"), ("errorCodes", "MODEL_ERROR"), ("elementTypes", "DATA_FIT")]
)
async def test_a_value_may_come_250_times_and_no_more(shared: Api, field: str, value: str) -> None:
    assert (await shared.data(PAGE, filter={field: [value] * 250}))["pipelines"]["totalCount"] == 0
    [error] = (await shared.post(PAGE, filter={field: [value] * 40_000}))["errors"]
    assert f"filter.{field} has more than 250 items" in error["message"]


@pytest.mark.parametrize("field", ["projectId", "createdByEmail", "nameContains"])
@pytest.mark.parametrize("text", ["", "%", "\\", "'", "\U0010ffff", "x" * 1_000_000, "%_" * 2499, "\u0130" * 3000])
async def test_a_text_that_is_nowhere_finds_nothing(shared: Api, field: str, text: str) -> None:
    assert (await shared.data(PAGE, filter={field: text}))["pipelines"]["totalCount"] == 0


@pytest.mark.parametrize(
    "sizes", [{"first": 0}, {"first": 101}, {"last": -1}, {"last": 2**31 - 1}, {"first": 1, "last": 1}]
)
async def test_a_size_that_no_page_has_is_bad_input(shared: Api, sizes: dict[str, int]) -> None:
    [error] = (await shared.post(PAGE, **sizes))["errors"]
    assert (error["path"], error["extensions"]) == (["pipelines"], {"code": "BAD_USER_INPUT"})


@pytest.mark.parametrize("id", ["", "x", "x" * 1_000_000, "\U0010ffff", "' OR 1=1 --", "../x", 7, 2**63 - 1])
async def test_an_id_of_nothing_is_nothing(shared: Api, id: Any) -> None:
    found = await shared.data("query ($id: ID!) { pipeline(id: $id) { id } node(id: $id) { id } }", id=id)
    assert found == {"pipeline": None, "node": None}
    for name in ("DeletePipeline", "DuplicatePipeline"):
        assert [error["code"] for error in (await shared.run(name, id=id))["userErrors"]] == ["NOT_FOUND"]
