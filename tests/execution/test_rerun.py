"""Reruns that really run: nothing completed runs again, and later elements get values as if all had run."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database.connect import database_url as parsed
from app.models.sql import is_file
from tests.execution.conftest import FAKE, Runs
from tests.execution.counting import runs_of
from tests.faults.waiting import told
from tests.servers import serving, working

COUNTING = {
    **FAKE,
    "VOLTGRAPH_EXECUTOR": "tests.execution.counting:CountingExecutor",
    "VOLTGRAPH_SANDBOX": "off",
    "VOLTGRAPH_WORKER_TIMEOUT": "6",
}
ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
RESULTS = """query($id: ID!) { pipeline(id: $id) { status error rerunOf { id }
  elements { name status isReused result job { attempt } } } }"""
SERIES = [{"objective": "o", "channels": {"t": [0, 1], "v": [3.5, 4]}}]
CURVES = 'query($id: ID!) { pipeline(id: $id) { elements { isReused series(objective: "o") } } }'


@asynccontextmanager
async def counting(url: str, **variables: str) -> AsyncIterator[Runs]:
    with serving(url, **{**COUNTING, **variables}) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            yield Runs(http)


def config(file: Path, place: int, **fake: Any) -> dict[str, Any]:
    return {"count": str(file), "values": {f"v{place}": place}, "fake": fake}


async def begin(runs: Runs, *configs: dict[str, Any]) -> str:
    elements = [
        {"name": f"e{place}", "elementType": "DATA_FIT", "jobConfig": config} for place, config in enumerate(configs)
    ]
    id: str = (await runs.create(elements=elements))["id"]
    await runs.run("StartPipeline", id=id)
    return id


async def rerun(runs: Runs, id: str, **input: Any) -> str:
    payload = await runs.run("RerunPipeline", id=id, input=input)
    assert payload["userErrors"] == []
    made: str = payload["pipeline"]["id"]
    return made


async def results(runs: Runs, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await runs.data(RESULTS, id=id))["pipeline"]
    return found


async def test_a_rerun_after_a_typo_in_the_last_element_repeats_nothing(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    async with counting(database_url) as runs:
        wrong = config(file, 2, fail="CONFIGURATION_ERROR")
        id = await begin(runs, config(file, 0, series=SERIES), config(file, 1), wrong)
        assert (await runs.end(id))["status"] == "FAILED"
        mended = [{"name": "e2", "jobConfig": config(file, 2)}]
        again = await rerun(runs, id, elements=mended)
        assert (await runs.end(again))["status"] == "COMPLETED"
        assert runs_of(file) == {"e0": 1, "e1": 1, "e2": 2}
        found = await results(runs, again)
        assert found["rerunOf"] == {"id": id}
        assert [each["isReused"] for each in found["elements"]] == [True, True, False]
        assert [each["job"]["attempt"] for each in found["elements"]] == [0, 0, 1]
        whole = await begin(runs, config(file, 0, series=SERIES), config(file, 1), config(file, 2))
        await runs.end(whole)
        same = [each["result"] for each in found["elements"]]
        assert same == [each["result"] for each in (await results(runs, whole))["elements"]]
        assert same[2]["inputs"] == {"v0": 0, "v1": 1}
        curves = [(await runs.data(CURVES, id=each))["pipeline"]["elements"] for each in (again, whole)]
        assert [each["series"] for each in curves[0]] == [each["series"] for each in curves[1]]
        assert curves[0][0]["series"]


async def test_a_rerun_of_a_canceled_pipeline_repeats_nothing(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    async with counting(sqlite_url) as runs:
        id = await begin(runs, config(file, 0), config(file, 1, seconds=600), config(file, 2))
        await runs.until(id, lambda pipeline: pipeline["progress"]["finished"] == 1)
        await runs.at_work(id)
        await asyncio.to_thread(wait_for, file, {"e0": 1, "e1": 1})
        await runs.run("CancelPipeline", id=id)
        again = await rerun(runs, id, elements=[{"name": "e1", "jobConfig": config(file, 1)}])
        assert (await runs.end(again))["status"] == "COMPLETED"
        assert runs_of(file) == {"e0": 1, "e1": 2, "e2": 1}
        assert [each["isReused"] for each in (await results(runs, again))["elements"]] == [True, False, False]


async def test_a_changed_element_forces_all_after_it(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    async with counting(sqlite_url) as runs:
        id = await begin(runs, *(config(file, place) for place in range(4)))
        await runs.end(id)
        changed = config(file, 1) | {"values": {"v1": 10}}
        again = await rerun(runs, id, start=False, elements=[{"name": "e1", "jobConfig": changed}])
        await runs.run("StartPipeline", id=again)
        assert (await runs.end(again))["status"] == "COMPLETED"
        assert runs_of(file) == {"e0": 1, "e1": 2, "e2": 2, "e3": 2}
        found = (await results(runs, again))["elements"]
        assert found[3]["result"]["inputs"] == {"v0": 0, "v1": 10, "v2": 2}
        assert (await results(runs, id))["elements"][3]["result"]["inputs"]["v1"] == 1


@pytest.mark.slow
@pytest.mark.parallel
async def test_kills_of_server_and_worker_repeat_nothing_that_completed(database_url: str, tmp_path: Path) -> None:
    """Each round asks for reruns and is killed while they run. A rerun exists whole or not at all; what it took over
    never runs, and an element runs again only if it had not completed when its process was killed."""
    dice, file, reached = random.Random(5), tmp_path / "runs", Counter[str]()
    slow, wrong = config(file, 2, seconds=0.3), config(file, 3, fail="MODEL_ERROR")
    async with counting(database_url) as runs:
        id = await begin(runs, config(file, 0, series=SERIES), config(file, 1), slow, wrong)
        await runs.end(id)
    once = runs_of(file)
    assert once == {"e0": 1, "e1": 1, "e2": 1, "e3": 1}
    separate = not is_file(parsed(database_url))
    change = [{"name": "e2", "jobConfig": slow | {"changed": True}}, {"name": "e3", "jobConfig": config(file, 3)}]
    for _ in range(ROUNDS):
        with serving(database_url, **COUNTING | ({"VOLTGRAPH_WORKERS": "0"} if separate else {})) as server:
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
                pauses = [dice.uniform(0, 1.2) for _ in range(4)]
                asking = [asyncio.create_task(ask(Runs(http), id, each, elements=change)) for each in pauses]
                if separate:
                    with working(database_url, **COUNTING) as worker:
                        await asyncio.sleep(dice.uniform(0, 1.2))
                        worker.kill()
                        worker.wait()
                else:
                    await asyncio.sleep(dice.uniform(0, 1.2))
                server.process.kill()
                server.process.wait()
                reached.update(await asyncio.gather(*asking))
    async with counting(database_url) as runs:
        made = [each["id"] for each in (await runs.data(MADE))["pipelines"]["nodes"] if each["id"] != id]
        assert len(made) >= reached["acknowledged"]
        for each in made:
            assert (await runs.end(each, 120))["status"] == "COMPLETED"
            found = await results(runs, each)
            assert [element["isReused"] for element in found["elements"]] == [True, True, False, False]
            assert found["elements"][3]["result"]["inputs"] == {"v0": 0, "v1": 1, "v2": 2}
            assert (await runs.data(CURVES, id=each))["pipeline"]["elements"][0]["series"]
    counted = runs_of(file)
    assert (counted["e0"], counted["e1"]) == (1, 1)
    assert counted["e3"] <= 1 + len(made) + 4 * ROUNDS  # each kill ends at most the jobs of four places
    told(f"{ROUNDS} kills, {len(made)} reruns, {dict(reached)}, runs {dict(counted)}")


MADE = "{ pipelines(first: 100) { nodes { id } } }"


async def ask(runs: Runs, id: str, pause: float, **input: Any) -> str:
    """Ask for a rerun after a pause; return whether it was acknowledged."""
    await asyncio.sleep(pause)
    try:
        await rerun(runs, id, **input)
    except httpx.TransportError:
        return "cut"
    return "acknowledged"


def wait_for(file: Path, counts: dict[str, int]) -> None:
    """Wait until elements have begun to run."""
    end = time.monotonic() + 20
    while runs_of(file) != counts:
        assert time.monotonic() < end, runs_of(file)
        time.sleep(0.02)
