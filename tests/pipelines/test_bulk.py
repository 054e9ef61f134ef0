"""Bulk mutations: each entry is changed or refused alone, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from app.main import create_app
from app.models.enums import PipelineStatus
from app.pipelines import lifecycle
from app.settings import Settings
from tests.api import Api

ELEMENTS = [{"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a": 1}}}]
READ = "query($id: ID!) { pipeline(id: $id) { id name status startedAt elements { status job { id } } } }"
RESULTS = "results { pipeline { id status elements { name job { status } } } userErrors { code message field } }"


@pytest.fixture(params=[True, False], ids=["plans", "executor"])
async def api(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Api]:
    app = create_app(Settings(database_url=database_url, workers=0, max_queued=3, plans=request.param))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        yield Api(http, app.state.services.database)


def given(**fields: Any) -> dict[str, Any]:
    return {"projectId": "p", "elements": ELEMENTS, **fields}


async def created(api: Api, number: int) -> list[str]:
    return [(await api.create())["id"] for _ in range(number)]


async def bulk(api: Api, field: str, ids: list[str]) -> list[Any]:
    [payload] = (await api.data(f"mutation($ids: [ID!]!) {{ {field}(ids: $ids) {{ {RESULTS} }} }}", ids=ids)).values()
    return list(payload["results"])


def codes(results: list[Any]) -> list[str | None]:
    return [each["userErrors"][0]["code"] if each["userErrors"] else None for each in results]


async def test_each_input_is_created_or_refused_alone(api: Api) -> None:
    inputs = [given(name="first"), given(name="n" * 300, elements=[]), given(name="last", start=True)]
    results = (await api.run("CreatePipelines", inputs=inputs))["results"]
    assert codes(results) == [None, "INVALID", None]
    assert [each["pipeline"] and each["pipeline"]["status"] for each in results] == ["PENDING", None, "RUNNING"]
    assert results[1]["userErrors"][0]["field"] == ["inputs", "1", "name"]
    assert (await api.run("Pipelines"))["totalCount"] == 2


async def test_a_wrong_element_is_named_by_its_place(api: Api) -> None:
    wrong = [{**ELEMENTS[0], "name": ""}]
    [result] = (await api.run("CreatePipelines", inputs=[given(elements=wrong)]))["results"]
    assert result["userErrors"][0]["field"] == ["inputs", "0", "elements", "0", "name"]


async def test_a_key_that_is_repeated_within_a_list_answers_the_first(api: Api) -> None:
    inputs = [given(idempotencyKey="k"), given(idempotencyKey="k"), given(idempotencyKey="k", name="other")]
    results = (await api.run("CreatePipelines", inputs=inputs))["results"]
    assert codes(results) == [None, None, "CONFLICT"]
    assert results[0] == results[1]
    assert results[2]["userErrors"][0]["field"] == ["inputs", "2", "idempotencyKey"]


async def test_equal_lists_at_once_create_once(api: Api) -> None:
    inputs = [given(idempotencyKey=f"k{i}") for i in range(5)]
    both = await asyncio.gather(*(api.run("CreatePipelines", inputs=inputs) for _ in range(4)))
    assert all(each == both[0] for each in both)
    assert (await api.run("Pipelines"))["totalCount"] == 5


async def test_starts_say_what_became_of_each(api: Api) -> None:
    ids = await created(api, 2)
    done = (await api.create())["id"]
    await api.set_status(done, PipelineStatus.COMPLETED)
    results = await bulk(api, "startPipelines", [ids[1], "none", done, ids[0], ids[1]])
    assert codes(results) == [None, "NOT_FOUND", "INVALID_STATE", None, None]
    assert [each["userErrors"][0]["field"] for each in results[1:3]] == [["ids", "1"], ["ids", "2"]]
    assert results[0]["pipeline"]["id"] == results[4]["pipeline"]["id"] == ids[1]
    assert results[3]["pipeline"]["elements"] == [{"name": "known", "job": {"status": "PENDING"}}]
    states = [(await api.data(READ, id=id))["pipeline"] for id in ids]
    assert [each["status"] for each in states] == ["RUNNING", "RUNNING"]
    assert states[1]["startedAt"] < states[0]["startedAt"]  # the order of the list is that of the queue


async def test_a_full_queue_takes_as_many_as_it_can(api: Api) -> None:
    ids = await created(api, 5)
    results = await bulk(api, "startPipelines", ids)
    assert codes(results) == [None, None, None, "QUEUE_FULL", "QUEUE_FULL"]
    assert codes(await bulk(api, "startPipelines", ids)) == [None, None, None, "QUEUE_FULL", "QUEUE_FULL"]
    inputs = [given(start=True), given()]
    refused = (await api.run("CreatePipelines", inputs=inputs))["results"]
    assert codes(refused) == ["QUEUE_FULL", None]
    assert refused[0]["userErrors"][0]["field"] == ["inputs", "0", "start"]
    assert (await api.run("Pipelines"))["totalCount"] == 6


async def test_a_queue_with_places_is_not_counted_again(
    api: Api, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[Any] = []
    count: Any = lifecycle._Queue.count_queued

    def note(queue: Any) -> Any:
        counted.append(queue)
        return count.fget(queue)

    monkeypatch.setattr(lifecycle._Queue, "count_queued", property(note))
    ids = await created(api, 6)
    assert codes([await api.run("StartPipeline", id=id) for id in ids[:2]]) == [None, None]
    assert len(counted) == (1 if database_url.startswith("sqlite") else 2)
    await api.run("CancelPipeline", id=ids[0])
    results = await bulk(api, "startPipelines", ids[2:])  # counts when no place is known to be left
    assert codes(results) == [None, None, "QUEUE_FULL", "QUEUE_FULL"]
    await api.run("CancelPipeline", id=ids[1])
    assert codes([await api.run("StartPipeline", id=id) for id in ids[4:]]) == [None, "QUEUE_FULL"]


async def test_cancellations_and_deletions(api: Api) -> None:
    ids = await created(api, 3)
    await bulk(api, "startPipelines", ids[:1])
    deleted = (await api.run("DeletePipelines", ids=[ids[0], ids[1], ids[1]]))["results"]
    assert codes(deleted) == ["INVALID_STATE", None, "NOT_FOUND"]
    assert [each["deletedPipelineId"] for each in deleted] == [None, ids[1], None]
    canceled = await bulk(api, "cancelPipelines", ids)
    assert codes(canceled) == [None, "NOT_FOUND", None]
    assert canceled[0]["pipeline"]["elements"] == [{"name": "known", "job": {"status": "CANCELED"}}]
    assert codes((await api.run("DeletePipelines", ids=ids))["results"]) == [None, "NOT_FOUND", None]
    assert (await api.run("Pipelines"))["totalCount"] == 0


@pytest.mark.parametrize("field", ["startPipelines", "cancelPipelines"])
@pytest.mark.parametrize("number", [0, 101])
async def test_too_few_and_too_many_are_refused(api: Api, field: str, number: int) -> None:
    answer = await api.post(f"mutation($ids: [ID!]!) {{ {field}(ids: $ids) {{ {RESULTS} }} }}", ids=["x"] * number)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert f"1 to 100 entries, not {number}" in error["message"]


async def test_create_and_start_are_one(api: Api) -> None:
    for _ in range(2):
        payload = await api.run("CreatePipeline", input=given(start=True, idempotencyKey="k"))
        assert payload["pipeline"]["status"] == "RUNNING"
    [error] = (await api.run("CreatePipeline", input=given(idempotencyKey="k")))["userErrors"]
    assert error["code"] == "CONFLICT"
    for _ in range(2):
        await api.run("CreatePipeline", input=given(start=True))
    payload = await api.run("CreatePipeline", input=given(start=True, idempotencyKey="full"))
    assert payload["pipeline"] is None
    assert (payload["userErrors"][0]["code"], payload["userErrors"][0]["field"]) == ("QUEUE_FULL", ["input", "start"])
    assert (await api.run("Pipelines"))["totalCount"] == 3
    again = await api.run("CreatePipeline", input=given(start=True, idempotencyKey="k"))  # although the queue is full
    assert again["userErrors"] == []


async def test_rest_answers_for_each_id(api: Api) -> None:
    ids = await created(api, 2)
    started = (await api.http.post("/pipelines/bulk/start", json={"ids": [*ids, "none"]})).json()["results"]
    assert [each["id"] for each in started] == [*ids, "none"]
    assert [each["pipeline"] and each["pipeline"]["status"] for each in started] == ["running", "running", None]
    missing = {"error_code": "NOT_FOUND", "message": "The pipeline does not exist.", "loc": ["body", "ids", 2]}
    assert started[2]["errors"] == [missing]
    refused = (await api.http.post("/pipelines/bulk/delete", json={"ids": ids[:1]})).json()["results"]
    assert refused[0]["errors"][0]["error_code"] == "INVALID_STATE"
    canceled = (await api.http.post("/pipelines/bulk/cancel", json={"ids": ids})).json()["results"]
    assert [each["pipeline"]["status"] for each in canceled] == ["canceled", "canceled"]
    deleted = (await api.http.post("/pipelines/bulk/delete", json={"ids": ids})).json()["results"]
    assert deleted == [{"id": id, "pipeline": None, "errors": []} for id in ids]
    for wrong in ([], ["x"] * 101, "x", [1]):
        assert (await api.http.post("/pipelines/bulk/start", json={"ids": wrong})).status_code == 422
    answer = await api.http.post("/pipelines/bulk/delete", json={"ids": ids, "dry_run": True})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "dry_run"])


ENTRY = {"project_id": "p", "elements": {"known": {"element_type": "entry", "values": {"a": 1}}}}


async def post_all(api: Api, *pipelines: Any) -> list[tuple[str | None, list[tuple[str, list[Any]]]]]:
    """Create pipelines over REST; return the status, and the code and place of each error, of each entry."""
    answer = await api.http.post("/pipelines/bulk/create", json={"pipelines": pipelines})
    assert answer.status_code == 200, answer.text
    return [
        (each["pipeline"] and each["pipeline"]["status"], [(it["error_code"], it["loc"]) for it in each["errors"]])
        for each in answer.json()["results"]
    ]


async def test_rest_creates_or_refuses_each_alone(api: Api) -> None:
    wrong = {"name": "n" * 300, "elements": {"e": 1}, "option": {}, "options": {"live": True}, "start": "yes"}
    places = (["project_id"], ["option"], ["options", "live"], ["start"], ["name"], ["elements", "e"])
    done = await post_all(api, {**ENTRY, "start": True}, wrong, 3, ENTRY)
    assert [status for status, _ in done] == ["running", None, None, "pending"]
    found = [place for _, place in done[1][1]]
    assert sorted(map(str, found)) == sorted(str(["body", "pipelines", 1, *place]) for place in places)
    assert done[2][1] == [("INVALID", ["body", "pipelines", 2])]
    assert (await api.run("Pipelines"))["totalCount"] == 2


async def test_rest_and_graphql_share_idempotency_keys_of_creates(api: Api) -> None:
    keyed = {**ENTRY, "idempotency_key": "k"}
    done = await post_all(api, keyed, keyed, {**keyed, "name": "other"}, {**ENTRY, "idempotency_key": " "})
    assert [status for status, _ in done] == ["pending", "pending", None, None]
    assert done[2][1] == [("CONFLICT", ["body", "pipelines", 2, "idempotency_key"])]
    assert done[3][1] == [("INVALID", ["body", "pipelines", 3, "idempotency_key"])]
    same = {"projectId": "p", "elementsByName": ENTRY["elements"], "idempotencyKey": "k"}
    [again] = (await api.run("CreatePipelines", inputs=[same]))["results"]
    assert (again["userErrors"], (await api.run("Pipelines"))["totalCount"]) == ([], 1)


async def test_rest_starts_as_many_as_the_queue_takes(api: Api) -> None:
    done = await post_all(api, *[{**ENTRY, "start": True}] * 4)
    assert [status for status, _ in done] == ["running"] * 3 + [None]
    assert done[3][1] == [("QUEUE_FULL", ["body", "pipelines", 3, "start"])]
    for number in (0, 101):
        answer = await api.http.post("/pipelines/bulk/create", json={"pipelines": [ENTRY] * number})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "pipelines"])


BATCH = (
    "mutation($i: [CreatePipelineInput!]!) "
    "{ createPipelines(inputs: $i) { results { pipeline { id } userErrors { code } } } }"
)


async def test_others_and_narrowed_and_reading_keys_change_nothing(database_url: str) -> None:
    async with open_keys(parsed(database_url)) as store:
        mine, other = await store.create("o"), await store.create("x")
        narrowed, reading = await store.create("o", projects=["q"]), await store.create("o", read_only=True)
    app = create_app(Settings(database_url=database_url, workers=0))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:

        async def send(key: str, field: str, **variables: Any) -> list[str | None]:
            document = (
                f"mutation($ids: [ID!]!) {{ {field}(ids: $ids) {{ results {{ userErrors {{ code field }} }} }} }}"
            )
            answer = await Api(http).send({"query": document, "variables": variables}, authorization=f"Bearer {key}")
            return codes(answer["data"][field]["results"])

        body = {"query": BATCH, "variables": {"i": [given(), given(projectId="q")]}}
        made = (await Api(http).send(body, authorization=f"Bearer {mine}"))["data"]["createPipelines"]["results"]
        ids = [each["pipeline"]["id"] for each in made]
        for field in ("startPipelines", "cancelPipelines", "deletePipelines"):
            assert await send(other, field, ids=ids) == ["NOT_FOUND", "NOT_FOUND"]
            assert await send(reading, field, ids=ids) == ["FORBIDDEN", "FORBIDDEN"]
        assert await send(narrowed, "startPipelines", ids=ids) == ["NOT_FOUND", None]
        for key, expected in ((narrowed, ["FORBIDDEN", None]), (reading, ["FORBIDDEN", "FORBIDDEN"])):
            answer = await Api(http).send(body, authorization=f"Bearer {key}")
            assert codes(answer["data"]["createPipelines"]["results"]) == expected
