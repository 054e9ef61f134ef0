"""Reruns: which elements run again, and what a rerun takes over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import col

from app.database.retention import purge_copies
from app.errors import Problem, ProblemCode, Rejected
from app.execution.executor import Progress
from app.models.columns import now
from app.models.enums import PipelineElementStatus, PipelineStatus
from app.models.tables import Pipeline, PipelineElement
from app.pipelines.rerun import service
from tests.api import Api
from tests.completed import database, series, take, write

RERUN = """mutation($id: ID!, $input: RerunPipelineInput) { rerunPipeline(id: $id, input: $input) {
  pipeline { id name description status startedAt rerunOf { id }
    elements { id name status isReused jobConfig result jobId jobStatus
      job { id status attempt startedAt finishedAt log { text } trace { iteration } } } }
  userErrors { code message field } } }"""
SERIES = """query($id: ID!) { pipeline(id: $id) { elements { series(objective: "1 C") history warnings { code } } } }"""
ORIGINAL = "query($id: ID!) { pipeline(id: $id) { elements { result job { id startedAt finishedAt } } } }"
STATUSES = "query($id: ID!) { pipeline(id: $id) { status elements { name status isReused jobId } } }"


def elements(count: int = 3) -> list[dict[str, Any]]:
    return [
        {"name": f"e{number}", "elementType": "DATA_FIT", "jobConfig": {"values": {"a": number}}}
        for number in range(count)
    ]


async def ended(api: Api, completed: int = 2, status: PipelineStatus = PipelineStatus.FAILED, **fields: Any) -> str:
    """Create a pipeline of three elements that ended after some of them, with all that a run leaves behind."""
    id: str = (await api.create(**{"elements": elements(), **fields}))["id"]
    await api.run("StartPipeline", id=id)
    hold = await take(database(api), id, "worker")
    for number, element in enumerate((await api.http.get(f"/pipelines/{id}/elements")).json()[:completed]):
        await hold.begin(element["id"])
        await hold.keep(element["id"], Progress(iteration=7))
        await write(hold, element["id"], series())
        await hold.complete_element(element["id"], {"parameter_values": {f"v{number}": number}})

    async def end(session: Any) -> None:
        await session.exec(update(Pipeline).where(col(Pipeline.id) == id).values(status=status))
        rest = col(PipelineElement.pipeline_id) == id, col(PipelineElement.element_order) > completed
        await session.exec(update(PipelineElement).where(*rest).values(status=PipelineElementStatus.SKIPPED))

    await api.write(end)
    return id


async def rerun(api: Api, id: str, **input: Any) -> dict[str, Any]:
    payload = (await api.data(RERUN, id=id, input=input))["rerunPipeline"]
    assert payload["userErrors"] == []
    pipeline: dict[str, Any] = payload["pipeline"]
    return pipeline


async def refused(api: Api, id: str, **input: Any) -> list[tuple[str, list[str] | None]]:
    payload = (await api.data(RERUN, id=id, input=input))["rerunPipeline"]
    assert payload["pipeline"] is None
    return [(each["code"], each["field"]) for each in payload["userErrors"]]


def reused(pipeline: dict[str, Any]) -> list[bool]:
    return [each["isReused"] for each in pipeline["elements"]]


@pytest.mark.parametrize("status", [PipelineStatus.FAILED, PipelineStatus.CANCELED])
async def test_completed_elements_are_taken_over_with_all_that_they_left(api: Api, status: PipelineStatus) -> None:
    id = await ended(api, status=status, name="fit", description="of a cell")
    made = await rerun(api, id, start=False)
    assert (made["name"], made["description"], made["status"]) == ("fit (rerun)", "of a cell", "PENDING")
    assert (made["rerunOf"], reused(made)) == ({"id": id}, [True, True, False])
    assert [each["status"] for each in made["elements"]] == ["COMPLETED", "COMPLETED", "PENDING"]
    assert [each["jobConfig"] for each in made["elements"]] == [each["jobConfig"] for each in elements()]
    original = (await api.data(ORIGINAL, id=id))["pipeline"]["elements"]
    for mine, its in zip(made["elements"][:2], original, strict=False):
        assert mine["result"] == its["result"]
        assert mine["job"]["id"] != its["job"]["id"]
        assert mine["job"] | {"id": ""} == {
            "id": "",
            "status": "COMPLETED",
            "attempt": 0,
            "log": [],
            "trace": [{"iteration": 7}],
            "startedAt": its["job"]["startedAt"],
            "finishedAt": its["job"]["finishedAt"],
        }
    assert made["elements"][2]["job"] is None
    [theirs, mine] = [(await api.data(SERIES, id=each))["pipeline"]["elements"] for each in (id, made["id"])]
    assert mine == theirs
    assert mine[0]["series"]


async def test_a_rerun_that_is_started_later_keeps_what_it_took_over(api: Api) -> None:
    made = await rerun(api, await ended(api), start=False)
    await api.run("StartPipeline", id=made["id"])
    started = (await api.data(STATUSES, id=made["id"]))["pipeline"]
    assert [each["status"] for each in started["elements"]] == ["COMPLETED", "COMPLETED", "PENDING"]
    assert [each["jobId"] for each in started["elements"][:2]] == [each["jobId"] for each in made["elements"][:2]]
    assert started["elements"][2]["jobId"] is not None


async def test_a_started_rerun_is_queued(api: Api) -> None:
    made = await rerun(api, await ended(api))
    assert made["status"] == "RUNNING"
    assert made["startedAt"] is not None
    assert [each["jobStatus"] for each in made["elements"]] == ["COMPLETED", "COMPLETED", "PENDING"]
    hold = await take(database(api), made["id"], "other")
    assert [each.is_reused for each in await hold.elements()] == [True, True, False]


@pytest.mark.parametrize(
    ("input", "kept"),
    [
        ({}, 2),
        ({"from": None, "elements": None}, 2),
        ({"from": "e2"}, 2),
        ({"from": "e1"}, 1),
        ({"from": "e0"}, 0),
        ({"elements": [{"name": "e1", "jobConfig": {"values": {"a": 10}}}]}, 1),
        ({"elements": [{"name": "e1", "jobConfig": {"values": {"a": 1}}}]}, 2),
        ({"elements": [{"name": "e2", "jobConfig": {"values": {"a": 1}}}]}, 2),
        ({"elements": [{"name": "e2", "jobConfig": {}}, {"name": "e0", "jobConfig": {}}]}, 0),
        ({"from": "e0", "elements": [{"name": "e2", "jobConfig": {"element_type": "data_fit"}}]}, 0),
    ],
)
async def test_what_is_changed_and_all_after_it_runs_again(api: Api, input: dict[str, Any], kept: int) -> None:
    made = await rerun(api, await ended(api), start=False, **input)
    assert reused(made) == [number < kept for number in range(3)]
    changes = {each["name"]: each["jobConfig"] for each in input.get("elements") or []}
    configs = {each["name"]: each["jobConfig"] for each in elements()}
    assert {each["name"]: each["jobConfig"] for each in made["elements"]} == configs | changes


async def test_a_completed_pipeline_needs_a_beginning_or_a_change(api: Api) -> None:
    id = await ended(api, 3, PipelineStatus.COMPLETED)
    same = [{"name": "e0", "jobConfig": {"values": {"a": 0}}}]
    assert await refused(api, id) == [("INVALID", ["input", "from"])]
    assert await refused(api, id, elements=same) == [("INVALID", ["input", "from"])]
    assert reused(await rerun(api, id, **{"from": "e1"})) == [True, False, False]
    changed = [{"name": "e2", "jobConfig": {"values": {"a": 0}}}]
    assert reused(await rerun(api, id, elements=changed)) == [True, True, False]


@pytest.mark.parametrize(
    ("input", "problems"),
    [
        ({"from": "e3"}, [("INVALID", ["input", "from"])]),
        ({"from": ""}, [("INVALID", ["input", "from"])]),
        ({"from": "e2", "elements": [{"name": "e1", "jobConfig": {}}]}, [("INVALID", ["input", "from"])]),
        ({"name": "x" * 256}, [("INVALID", ["input", "name"])]),
        (
            {"name": "x" * 256, "elements": [{"name": "e0", "jobConfig": 1}, {"name": "e0", "jobConfig": {}}]},
            [
                ("INVALID", ["input", "name"]),
                ("INVALID", ["input", "elements", "0", "jobConfig"]),
                ("DUPLICATE_NAME", ["input", "elements", "1", "name"]),
            ],
        ),
        (
            {
                "from": "none",
                "elements": [
                    {"name": "other", "jobConfig": {}},
                    {"name": "e1", "jobConfig": {"element_type": "entry"}},
                ],
            },
            [
                ("INVALID", ["input", "elements", "0", "name"]),
                ("INVALID", ["input", "elements", "1", "jobConfig", "element_type"]),
                ("INVALID", ["input", "from"]),
            ],
        ),
        (
            {"elements": [{"name": "e1", "jobConfig": {"element_type": "dance"}}]},
            [("INVALID", ["input", "elements", "0", "jobConfig", "element_type"])],
        ),
        (
            {"elements": [{"name": "e2", "jobConfig": {"data": {"x": ["db:none"]}}}]},
            [("INVALID", ["input", "elements", "0", "jobConfig", "data", "x", "0"])],
        ),
    ],
)
async def test_every_problem_has_its_place(
    api: Api, input: dict[str, Any], problems: list[tuple[str, list[str]]]
) -> None:
    id = await ended(api)
    assert await refused(api, id, **input) == problems
    assert (await api.data("{ pipelines { totalCount } }"))["pipelines"]["totalCount"] == 1


async def test_what_did_not_complete_cannot_be_skipped(api: Api) -> None:
    id = await ended(api, 1)
    payload = (await api.data(RERUN, id=id, input={"from": "e2"}))["rerunPipeline"]
    [error] = payload["userErrors"]
    assert error["message"] == "'e1' is SKIPPED, so that it must run again before 'e2'. Name it or an earlier one."


async def test_only_what_has_ended_runs_again(api: Api) -> None:
    id = (await api.create())["id"]
    assert await refused(api, id) == [("INVALID_STATE", ["id"])]
    await api.run("StartPipeline", id=id)
    assert await refused(api, id) == [("INVALID_STATE", ["id"])]
    assert await refused(api, "none") == [("NOT_FOUND", ["id"])]


async def test_the_original_and_its_rerun_are_deleted_without_each_other(api: Api) -> None:
    id = await ended(api)
    first, second = [await rerun(api, id, start=False) for _ in range(2)]
    await api.run("DeletePipeline", id=first["id"])
    assert (await api.data(SERIES, id=id))["pipeline"]["elements"][0]["series"]
    [before] = [(await api.data(SERIES, id=second["id"]))["pipeline"]["elements"]]
    await api.run("DeletePipeline", id=id)
    assert (await api.data(SERIES, id=second["id"]))["pipeline"]["elements"] == before
    found = (await api.data("query($id: ID!) { pipeline(id: $id) { rerunOf { id } } }", id=second["id"]))["pipeline"]
    assert found == {"rerunOf": None}


async def test_a_rerun_can_be_run_again_and_keeps_one_ending(api: Api) -> None:
    made = await rerun(api, await ended(api, name="fit"))
    await api.run("CancelPipeline", id=made["id"])
    again = await rerun(api, made["id"])
    assert (again["name"], again["rerunOf"], reused(again)) == ("fit (rerun)", {"id": made["id"]}, [True, True, False])


async def test_old_rows_are_no_reruns(api: Api) -> None:
    id = (await api.create())["id"]

    async def work(session: Any) -> None:
        [row] = await session.exec(text("SELECT count(*) FROM pipeline_element WHERE NOT is_reused"))
        assert row == (1,)

    await api.write(work)
    [element] = (await api.data(STATUSES, id=id))["pipeline"]["elements"]
    assert element["isReused"] is False


async def test_a_repeat_with_an_idempotency_key_answers_the_first_rerun(api: Api) -> None:
    id = await ended(api)
    input = {"elements": [{"name": "e2", "jobConfig": {"values": {"a": 9}}}], "idempotencyKey": "k"}
    both = await asyncio.gather(*(rerun(api, id, **input) for _ in range(5)))
    assert {each["id"] for each in both} == {both[0]["id"]}
    assert (await api.run("Pipelines"))["totalCount"] == 2
    headers = {"Idempotency-Key": "k"}
    body = {"elements": {"e2": {"values": {"a": 9}}}}
    answer = await api.http.post(f"/pipelines/{id}/rerun", json=body, headers=headers)
    assert answer.json()["id"] == both[0]["id"]
    await api.run("CancelPipeline", id=both[0]["id"])
    assert (await rerun(api, id, **input))["status"] == "CANCELED"
    for other in ({"from": "e0"}, {"start": False}, {"name": "n"}, {"elements": None}):
        assert await refused(api, id, **{**input, **other}) == [("CONFLICT", ["input", "idempotencyKey"])]
    assert await refused(api, await ended(api), **input) == [("CONFLICT", ["input", "idempotencyKey"])]
    created = {"projectId": "project", "elements": elements(), "idempotencyKey": "k"}
    [error] = (await api.run("CreatePipeline", input=created))["userErrors"]
    assert error["code"] == "CONFLICT"
    assert await refused(api, id, idempotencyKey=" ") == [("INVALID", ["input", "idempotencyKey"])]
    await api.run("DeletePipeline", id=both[0]["id"])
    assert await refused(api, id, **input) == [("CONFLICT", ["input", "idempotencyKey"])]


async def test_long_series_are_copied_in_rounds_and_nothing_is_seen_before_the_last(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_BYTES", 1)
    id = await ended(api)
    made = await rerun(api, id, idempotencyKey="k")
    assert reused(made) == [True, True, False]
    assert await rerun(api, id, idempotencyKey="k") == made
    both = [(await api.data(SERIES, id=each))["pipeline"]["elements"] for each in (id, made["id"])]
    assert both[0] == both[1]

    def fail(*_: object) -> None:
        raise Rejected(Problem(ProblemCode.QUEUE_FULL, "no", ("id",)))

    seen: list[int] = []
    whole = service._copy_channels

    def count(*given: Any) -> Any:
        seen.append(1)
        return whole(*given)

    monkeypatch.setattr(service, "_copy_channels", count)
    monkeypatch.setattr(service, "_reveal", fail)
    assert await refused(api, id) == [("QUEUE_FULL", ["id"])]
    assert len(seen) > 2
    assert (await api.run("Pipelines"))["totalCount"] == 2

    async def rows(session: Any) -> list[int]:
        connection, tables = await session.connection(), ("pipeline", "pipeline_element", "series_channel")
        return [(await connection.execute(text(f"SELECT count(*) FROM {each}"))).scalar_one() for each in tables]

    counts = await database(api).write(rows)
    monkeypatch.setattr(service, "purge", lambda *_: asyncio.sleep(0))  # a kill
    assert await refused(api, id) == [("QUEUE_FULL", ["id"])]
    assert await database(api).write(rows) != counts
    assert (await api.run("Pipelines"))["totalCount"] == 2
    await purge_copies(database(api), now())
    assert await database(api).write(rows) == counts
