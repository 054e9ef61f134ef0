"""The problems of a check equal those of a run, over the malformed configurations of the battery tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.api import CONFIGURATIONS
from tests.execution.conftest import Runs
from tests.servers import Server, serving

pytest.importorskip("pybamm", reason="the extra `battery` is not installed")

MALFORMED: list[list[dict[str, Any]]] = orjson.loads(Path(__file__).with_name("malformed.json").read_bytes())
"""Pipelines with one of each kind of problem, which `recorder.py` writes."""
BATCH = 60
FAILURES = "query($id: ID!) { pipeline(id: $id) { elements { name errorCode errorDetail } } }"


@pytest.fixture(scope="module")
def battery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = f"sqlite:///{tmp_path_factory.mktemp('equal')}/runs.db"
    with serving(
        database, VOLTGRAPH_WORKERS="2", VOLTGRAPH_CHECK_TIMEOUT="60", VOLTGRAPH_REQUEST_TIMEOUT="90"
    ) as server:
        yield server


@pytest.fixture
async def runs(battery: Server) -> AsyncIterator[Runs]:
    async with httpx.AsyncClient(base_url=battery.url, timeout=120) as http:
        yield Runs(http)


def pipelines(recorded: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return inputs of pipelines: elements that were recorded alone, many together, and the others as they are."""
    alone = [jobs[0] for jobs in recorded if len(jobs) == 1]
    batches = [alone[i : i + BATCH] for i in range(0, len(alone), BATCH)]
    return [
        {
            "projectId": "p",
            "elements": [
                {"name": f"{each['name']} {i}", "elementType": each["type"], "jobConfig": each["config"]}
                for i, each in enumerate(jobs)
            ],
        }
        for jobs in [*batches, *(jobs for jobs in recorded if len(jobs) > 1)]
    ]


async def problems_of_run(runs: Runs, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the problems for which a run failed, in the form of a check."""
    id = (await runs.run("CreatePipeline", input=given))["pipeline"]["id"]
    await runs.run("StartPipeline", id=id)
    assert (await runs.end(id, 120))["status"] == "FAILED"
    elements = (await runs.data(FAILURES, id=id))["pipeline"]["elements"]
    failed = [each for each in elements if each["errorCode"]]
    assert {each["errorCode"] for each in failed} == {"CONFIGURATION_ERROR"}
    return [{"element": each["name"], **problem} for each in failed for problem in each["errorDetail"]["problems"]]


async def equal(runs: Runs, given: dict[str, Any]) -> int:
    """Compare the check and the run of a pipeline, without elements that cannot be stored; return how many problems
    there are."""
    found = await runs.run("CheckPipeline", input=given)
    if found["userErrors"]:
        created = await runs.run("CreatePipeline", input=given)
        assert found["userErrors"] == created["userErrors"]
        unstorable = {int(error["field"][2]) for error in found["userErrors"]}
        kept = [each for i, each in enumerate(given["elements"]) if i not in unstorable]
        return await equal(runs, given | {"elements": kept}) if kept else 0
    if found["isValid"]:  # all elements with problems were of unknown types
        return 0
    assert found["problems"] == await problems_of_run(runs, given)
    refused = await runs.run("CreatePipeline", input=given | {"check": True})
    places = {each["name"]: str(i) for i, each in enumerate(given["elements"])}
    assert refused["userErrors"] == [
        {
            "code": "INVALID",
            "message": each["message"],
            "field": ["input", "elements", places[each["element"]], "jobConfig", *each["path"]],
        }
        for each in found["problems"]
    ]
    return len(found["problems"])


async def test_a_check_finds_the_problems_of_a_run(runs: Runs) -> None:
    counts = await asyncio.gather(*(equal(runs, given) for given in pipelines(MALFORMED)))
    assert sum(counts) > 0.9 * len(MALFORMED)


@pytest.mark.parametrize("text", [file.read_bytes() for file in CONFIGURATIONS], ids=[f.stem for f in CONFIGURATIONS])
async def test_real_pipelines_have_no_problems(runs: Runs, text: bytes) -> None:
    given = orjson.loads(text)
    found = await runs.run("CheckPipeline", input={"projectId": "p", "elementsByName": given["elements"]})
    assert found == {"isValid": True, "problems": [], "userErrors": []}
    response = await runs.http.post("/pipelines/check", json=given)
    assert response.json() == {"is_valid": True, "problems": []}
