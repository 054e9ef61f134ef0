"""Crashes of processes: no pipeline stays RUNNING forever, and no completed element runs again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.execution.conftest import FAKE, Runs
from tests.execution.processes import below, children, only_child
from tests.servers import Server, serving

KILLS = 20


@asynccontextmanager
async def serving_runs(url: str, **variables: str) -> AsyncIterator[tuple[Runs, Server]]:
    with serving(url, **{**FAKE, **variables}) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            yield Runs(http), server


async def test_a_job_that_is_killed_from_outside_is_begun_again(runs: Runs, running: Server) -> None:
    id = await runs.start({"seconds": 1}, {})
    await runs.at_work(id)
    os.kill(await only_child(running), signal.SIGKILL)
    pipeline = await runs.end(id)
    assert pipeline["status"] == "COMPLETED"
    assert [element["job"]["attempt"] for element in pipeline["elements"]] == [2, 1]


async def test_a_job_that_always_dies_is_an_internal_error(runs: Runs) -> None:
    pipeline = await runs.end(await runs.start({}, {"die": True}, {}))
    assert (pipeline["status"], pipeline["errorCode"]) == ("FAILED", "INTERNAL_ERROR")
    assert [element["status"] for element in pipeline["elements"]] == ["COMPLETED", "FAILED", "SKIPPED"]
    assert pipeline["elements"][1]["job"]["attempt"] == 2


async def test_the_process_that_children_are_forked_from_is_replaced(runs: Runs, running: Server) -> None:
    for zygote in below(running.process.pid):
        os.kill(int(zygote), signal.SIGKILL)
    assert (await runs.end(await runs.start({}, {})))["status"] == "COMPLETED"


async def test_a_job_over_its_time_is_ended(sqlite_url: str) -> None:
    async with serving_runs(sqlite_url, VOLTGRAPH_JOB_TIMEOUT="0.7") as (runs, server):
        pipeline = await runs.end(await runs.start({}, {"seconds": 600}, {}))
        assert pipeline["errorCode"] == "EXECUTION_TIMEOUT"
        assert [element["status"] for element in pipeline["elements"]] == ["COMPLETED", "FAILED", "SKIPPED"]
        assert children(server) == set()


async def test_a_job_that_never_stops_talking_is_ended_too(sqlite_url: str) -> None:
    async with serving_runs(sqlite_url, VOLTGRAPH_JOB_TIMEOUT="1.5") as (runs, server):
        talking = {"seconds": 600, "steps": 60_000}
        fit, entry = await runs.start(talking, kind="DATA_FIT"), await runs.start(talking)
        for id in (fit, entry):
            assert (await runs.end(id))["errorCode"] == "EXECUTION_TIMEOUT"
        canceled = await runs.start(talking)
        await runs.at_work(canceled)
        await runs.run("CancelPipeline", id=canceled)
        await asyncio.sleep(1.2)
        assert children(server) == set()


@pytest.mark.parametrize("result", [5, [], {"parameter_values": [1]}])
async def test_a_result_that_is_none_is_not_believed(runs: Runs, result: object) -> None:
    id = await runs.start({"result": result})
    pipeline = await runs.end(id)
    assert (pipeline["status"], pipeline["errorCode"]) == ("FAILED", "INTERNAL_ERROR")
    assert (await runs.http.get(f"/pipelines/{id}/result")).status_code == 200


async def test_ctrl_c_in_a_terminal_costs_no_job_its_attempt(sqlite_url: str) -> None:
    with serving(sqlite_url, **FAKE, VOLTGRAPH_JOB_RETRIES="0") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            id = await runs.start({"seconds": 1.5})
            await runs.at_work(id)
            os.killpg(server.process.pid, signal.SIGINT)  # a terminal signals the whole process group
            server.process.wait(15)
    async with serving_runs(sqlite_url) as (runs, _):
        assert (await runs.end(id))["status"] == "COMPLETED"


async def test_an_executor_that_cannot_be_had_is_said(sqlite_url: str) -> None:
    async with serving_runs(sqlite_url, VOLTGRAPH_EXECUTOR="no.such:Thing") as (runs, _):
        pipeline = await runs.end(await runs.start({}))
        assert pipeline["errorCode"] == "CONFIGURATION_ERROR"
        assert "cannot run elements" in pipeline["error"]


async def test_what_runs_when_the_server_is_stopped_goes_on_after_a_restart(sqlite_url: str) -> None:
    async with serving_runs(sqlite_url) as (runs, server):
        id = await runs.start({}, {"seconds": 1}, {})
        await runs.until(id, lambda pipeline: pipeline["progress"]["finished"] == 1)
        await runs.at_work(id)
        server.process.terminate()
        assert server.process.wait(10) in (0, -signal.SIGTERM)
    async with serving_runs(sqlite_url) as (runs, _):
        pipeline = await runs.end(id)
        assert pipeline["status"] == "COMPLETED"
        assert pipeline["elements"][0]["job"]["attempt"] == 1


async def test_a_worker_ends_although_a_change_wakes_it_at_that_moment(database_url: str) -> None:
    app = create_app(Settings(database_url=database_url, workers=1, executor="app.execution.fake:FakeExecutor"))
    async with asyncio.timeout(60), app.router.lifespan_context(app):
        await asyncio.sleep(0.2)  # until it waits for work
        app.state.services.database.broker.recheck()


@pytest.mark.slow
@pytest.mark.parallel
async def test_20_kills_under_10_pipelines_lose_and_repeat_nothing(sqlite_url: str) -> None:
    dice = random.Random(7)
    ids: list[str] = []
    completed: dict[str, int] = {}
    for round_ in range(KILLS + 1):
        async with serving_runs(sqlite_url) as (runs, server):
            if not ids:
                ids = [await runs.start(*[{"seconds": 0.4}] * 8) for _ in range(10)]
            if round_ < KILLS:
                await asyncio.sleep(dice.uniform(0.1, 1.5))
                for id in ids:
                    note_completed(await runs.run("PipelineProgress", id=id), completed)
                server.process.kill()
                server.process.wait()
                continue
            for id in ids:
                pipeline = await runs.end(id, 120)
                assert pipeline["status"] in ("COMPLETED", "FAILED")
                note_completed(pipeline, completed)
                assert all(element["status"] in ("COMPLETED", "FAILED", "SKIPPED") for element in pipeline["elements"])


def note_completed(pipeline: dict, completed: dict[str, int]) -> None:  # type: ignore[type-arg]
    """An element that was seen completed keeps the attempt that completed it."""
    for element in pipeline["elements"]:
        job = element["job"]
        if element["status"] == "COMPLETED":
            assert completed.setdefault(job["id"], job["attempt"]) == job["attempt"]
