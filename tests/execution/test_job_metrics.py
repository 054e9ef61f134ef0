"""Metrics of jobs by element type and outcome."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from tests.execution.conftest import Runs

Counts = dict[tuple[str, str], float]


async def jobs(runs: Runs, sample: str) -> Counts:
    families = text_string_to_metric_families((await runs.http.get("/metrics")).text)
    return {
        (each.labels["element_type"], each.labels["outcome"]): each.value
        for family in families
        for each in family.samples
        if each.name == f"voltgraph_job_seconds_{sample}"
    }


async def test_by_type_and_outcome_with_how_long_they_took(runs: Runs) -> None:
    await runs.end(await runs.start({}, {"seconds": 0.2}, {"fail": "SOLVER_ERROR"}, {}))
    await runs.end(await runs.start({}, {"refuse": "no"}, kind="CALCULATION"))
    canceled = await runs.start({"seconds": 60}, {}, kind="DATA_FIT")
    await runs.at_work(canceled)
    await runs.run("CancelPipeline", id=canceled)
    async with asyncio.timeout(20):
        while ("DATA_FIT", "CANCELED") not in await jobs(runs, "count"):  # noqa: ASYNC110  in another process
            await asyncio.sleep(0.05)
    assert await jobs(runs, "count") == {
        ("DIRECT_ENTRY", "COMPLETED"): 2,
        ("DIRECT_ENTRY", "FAILED"): 1,
        ("CALCULATION", "FAILED"): 1,
        ("DATA_FIT", "CANCELED"): 1,
    }
    seconds = await jobs(runs, "sum")
    assert 0.2 <= seconds["DIRECT_ENTRY", "COMPLETED"] < 20
    assert seconds["CALCULATION", "FAILED"] == 0
