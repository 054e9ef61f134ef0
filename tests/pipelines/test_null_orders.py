"""Orders by columns with nulls: nulls come last in both directions, and cursors lead through both parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.auth.caller import LOCAL
from app.models.enums import PipelineStatus
from app.models.tables import Pipeline
from tests.api import Api

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
PAGE = """query ($order: PipelineOrder!, $first: Int, $after: String, $last: Int, $before: String, $f: PipelineFilter) {
  pipelines(orderBy: $order, first: $first, after: $after, last: $last, before: $before, filter: $f) {
    nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
VALUES = [None, 2, 1, None, 2, 3, None]
"""Seconds after the start, by pipeline; ties and nulls."""


@pytest.fixture
async def rows(api: Api) -> Api:
    def row(number: int, seconds: int | None) -> Pipeline:
        at = None if seconds is None else AT + timedelta(seconds=seconds)
        return Pipeline(
            id=f"{number}",
            organization_id=LOCAL.organization_id,
            project_id="p",
            name="n",
            folded_name="n",
            status=PipelineStatus.PENDING,
            created_at=AT,
            updated_at=AT,
            started_at=at,
            finished_at=at,
            duration=seconds,
        )

    async def store(session: Any) -> None:
        session.add_all([row(number, seconds) for number, seconds in enumerate(VALUES)])

    await api.write(store)
    return api


EXPECTED = {"ASC": ["2", "1", "4", "5", "0", "3", "6"], "DESC": ["5", "4", "1", "2", "6", "3", "0"]}


@pytest.mark.parametrize("field", ["STARTED_AT", "FINISHED_AT", "DURATION"])
@pytest.mark.parametrize("direction", EXPECTED)
async def test_pages_lead_through_all_in_both_directions(rows: Api, field: str, direction: str) -> None:
    order, expected = {"field": field, "direction": direction}, EXPECTED[direction]
    whole = (await rows.data(PAGE, order=order))["pipelines"]
    assert [node["id"] for node in whole["nodes"]] == expected
    for size in (1, 2, 3, 4, 7):
        seen, after = [], None
        while True:
            page = (await rows.data(PAGE, order=order, first=size, after=after))["pipelines"]
            seen += [node["id"] for node in page["nodes"]]
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == expected
        seen, before = [], None
        while True:
            page = (await rows.data(PAGE, order=order, last=size, before=before))["pipelines"]
            seen = [node["id"] for node in page["nodes"]] + seen
            before = page["pageInfo"]["startCursor"]
            if not page["pageInfo"]["hasPreviousPage"]:
                break
        assert seen == expected
    cursors = [edge["cursor"] for edge in whole["edges"]]
    for first, start in enumerate(cursors):
        for last, end in enumerate(cursors):
            page = (await rows.data(PAGE, order=order, after=start, before=end))["pipelines"]
            assert [node["id"] for node in page["nodes"]] == expected[first + 1 : max(last, first + 1)]


async def test_a_cursor_of_another_order_or_a_forged_one_is_refused(rows: Api) -> None:
    order = {"field": "DURATION", "direction": "ASC"}
    other = (await rows.data(PAGE, order={"field": "STARTED_AT", "direction": "ASC"}))["pipelines"]["pageInfo"]
    for cursor in (
        other["endCursor"],
        "WyJEVVJBVElPTiIsIkFTQyIsIngiLCIxIl0",
        "WyJDUkVBVEVEX0FUIiwiREVTQyIsbnVsbCwiMSJd",
    ):
        answer = await rows.post(PAGE, order=order, after=cursor)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
