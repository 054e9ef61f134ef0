"""Cancellation stops the running job quickly and reliably."""

import asyncio
import time

import pytest

from tests.execution.conftest import Runs
from tests.execution.processes import children, only_child
from tests.servers import Server


@pytest.mark.slow
async def test_a_canceled_job_is_gone_within_two_seconds_20_times_of_20(runs: Runs, running: Server) -> None:
    for _ in range(20):
        id = await runs.start({"seconds": 600}, {})
        await runs.at_work(id)
        await only_child(running)
        asked = time.monotonic()
        payload = await runs.run("CancelPipeline", id=id)
        assert payload["pipeline"]["status"] == "CANCELED"
        while children(running):
            assert time.monotonic() - asked < 2
            await asyncio.sleep(0.02)
        pipeline = await runs.end(id)
        assert [element["status"] for element in pipeline["elements"]] == ["CANCELED", "CANCELED"]
        assert [element["job"]["status"] for element in pipeline["elements"]] == ["CANCELED", "CANCELED"]


async def test_a_pending_pipeline_can_be_canceled_and_a_canceled_one_again(runs: Runs) -> None:
    id = await runs.make({})
    for _ in range(2):
        payload = await runs.run("CancelPipeline", id=id)
        assert (payload["pipeline"]["status"], payload["userErrors"]) == ("CANCELED", [])
    [error] = (await runs.run("StartPipeline", id=id))["userErrors"]
    assert error["code"] == "INVALID_STATE"


async def test_what_is_canceled_while_queued_never_runs(runs: Runs) -> None:
    busy = [await runs.start({"seconds": 1}) for _ in range(4)]
    id = await runs.start({})
    await runs.run("CancelPipeline", id=id)
    for other in busy:
        await runs.end(other)
    pipeline = await runs.end(await runs.start({}))
    assert pipeline["status"] == "COMPLETED"
    [element] = (await runs.end(id))["elements"]
    assert (element["status"], element["job"]["attempt"]) == ("CANCELED", 0)


async def test_rest_cancels_too(runs: Runs) -> None:
    id = await runs.start({"seconds": 600})
    await runs.at_work(id)
    answer = (await runs.http.post(f"/pipelines/{id}/cancel")).json()
    assert (answer["status"], answer["is_terminal"], answer["is_failed"]) == ("canceled", True, True)
