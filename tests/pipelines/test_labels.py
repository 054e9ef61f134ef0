"""Labels of pipelines, over both APIs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import col, select

from app.models.enums import PipelineStatus
from app.models.tables import PipelineLabel
from app.pipelines.lists.labels import MAX_LABEL, MAX_LABELS
from tests.api import Api
from tests.rest.requests import get


async def names(api: Api, **filter: Any) -> list[str]:
    found = await api.data(
        "query ($f: PipelineFilter) { pipelines(filter: $f, first: 100) { totalCount nodes { name } } }", f=filter
    )
    assert found["pipelines"]["totalCount"] == len(found["pipelines"]["nodes"])
    return sorted(node["name"] for node in found["pipelines"]["nodes"])


async def labels_of(api: Api, id: str) -> list[str]:
    found: list[str] = (await api.data("query ($i: ID!) { pipeline(id: $i) { labels } }", i=id))["pipeline"]["labels"]
    rows = await get(api, f"/pipelines/{id}")
    assert rows["labels"] == found
    return found


async def test_are_created_changed_cleared_and_copied(api: Api) -> None:
    id = (await api.create(name="a", labels=[" b ", "Straße", "STRASSE", "B"]))["id"]
    assert await labels_of(api, id) == ["b", "Straße"]
    copy = (await api.run("DuplicatePipeline", id=id))["pipeline"]["id"]
    assert await labels_of(api, copy) == ["b", "Straße"]
    assert await names(api, labelsAll=["strasse", "B"]) == ["a", "a (copy)"]
    await api.run("UpdatePipeline", id=id, input={"name": "a"})
    assert await labels_of(api, id) == ["b", "Straße"]
    await api.run("UpdatePipeline", id=id, input={"labels": ["c"]})
    assert await labels_of(api, id) == ["c"]
    assert await names(api, labelsAny=["b", "none"]) == ["a (copy)"]
    await api.run("UpdatePipeline", id=id, input={"labels": None})
    assert await labels_of(api, id) == []
    await api.run("DeletePipeline", id=copy)
    assert await names(api, labelsAny=["b"]) == []
    left: list[Any] = []

    async def read(session: Any) -> None:
        left.extend(await session.exec(select(PipelineLabel).where(col(PipelineLabel.pipeline_id) == copy)))

    await api.write(read)
    assert left == []


async def test_rest_creates_changes_and_filters(api: Api) -> None:
    body = {"project_id": "p", "name": "r", "labels": ["x", "y"], "elements": {}}
    made = (await api.http.post("/pipelines", json=body)).json()
    assert made["labels"] == ["x", "y"]
    assert (made["started_at"], made["finished_at"], made["duration"]) == (None, None, None)
    plain = (await api.http.post("/pipelines", json={"project_id": "p", "elements": {}})).json()
    assert plain["labels"] == []
    page = await get(api, "/pipelines", labels_all=["X", "y"])
    assert [row["id"] for row in page["pipelines"]] == [made["id"]]
    assert (await get(api, "/pipelines", labels_any=["none", "Y"]))["total"] == 1
    changed = (await api.http.patch(f"/pipelines/{made['id']}", json={"labels": ["z"]})).json()
    assert (changed["name"], changed["labels"]) == ("r", ["z"])


@pytest.mark.parametrize(
    ("labels", "fault", "place"),
    [
        (["a", " "], "A label must not be empty.", ["1"]),
        (
            [str(number) for number in range(MAX_LABELS + 1)],
            f"A pipeline takes at most {MAX_LABELS} labels, not 51.",
            [],
        ),
        (["x" * (MAX_LABEL + 1)], f"A label takes at most {MAX_LABEL} characters", ["0"]),
    ],
)
async def test_wrong_ones_are_refused_at_their_place(api: Api, labels: list[str], fault: str, place: list[str]) -> None:
    made = await api.run("CreatePipeline", input={"projectId": "p", "elements": [], "labels": labels})
    assert [error["message"][: len(fault)] for error in made["userErrors"]] == [fault]
    assert made["userErrors"][0]["field"] == ["input", "labels", *place]
    answer = await api.http.post("/pipelines", json={"project_id": "p", "elements": {}, "labels": labels})
    assert answer.status_code == 422
    assert fault in answer.text
    assert answer.json()["detail"][0]["loc"] == ["body", "labels", *map(int, place)]


async def test_a_create_is_repeated_with_equal_labels_only(api: Api) -> None:
    input = {"projectId": "p", "elements": [], "idempotencyKey": "k", "labels": ["a"]}
    first = await api.run("CreatePipeline", input=input)
    assert (await api.run("CreatePipeline", input=input))["pipeline"]["id"] == first["pipeline"]["id"]
    other = await api.run("CreatePipeline", input=input | {"labels": ["b"]})
    assert [error["code"] for error in other["userErrors"]] == ["CONFLICT"]


async def test_the_duration_is_the_time_from_start_to_end(api: Api) -> None:
    id = (await api.create())["id"]
    query = "query ($i: ID!) { pipeline(id: $i) { startedAt finishedAt duration } }"
    assert (await api.data(query, i=id))["pipeline"] == {"startedAt": None, "finishedAt": None, "duration": None}
    await api.run("CancelPipeline", id=id)
    never = (await api.data(query, i=id))["pipeline"]
    assert (never["finishedAt"] is None, never["duration"]) == (False, None)
    id = (await api.create())["id"]
    await api.run("StartPipeline", id=id)
    await api.run("CancelPipeline", id=id)
    assert (await api.data(query, i=id))["pipeline"]["duration"] > 0
    row = await get(api, f"/pipelines/{id}")
    assert row["status"] == PipelineStatus.CANCELED.value
    assert row["duration"] > 0
