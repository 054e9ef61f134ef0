"""Fits over GraphQL: results, progress, cancellation, and crashes during a fit."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import httpx
import orjson
import pytest

from tests.api import ROOT
from tests.execution.conftest import Runs
from tests.execution.processes import children, only_child
from tests.schema.subscriptions import clients
from tests.servers import Server, serving

pytest.importorskip("pybamm", reason="the extra `battery` is not installed")

CURRENT_DENSITY = "Negative electrode reference exchange-current density [A.m-2]"
SITE = "Negative electrode host site"
WATCH = """subscription ($id: ID!) {
  pipelineUpdated(id: $id) {
    status isTerminal
    elements { name status parameterValues job { attempt progress { iteration cost bestCost parameters } } }
  }
}"""
RESULTS = "query ($id: ID!) { pipeline(id: $id) { elements { name parameterValues result } } }"


def elements(name: str) -> dict[str, Any]:
    [file] = (ROOT / "tests" / "data").glob(f"{name}_*.json")
    found: dict[str, Any] = orjson.loads(file.read_bytes())["elements"]
    return found


def long_fit() -> dict[str, Any]:
    """Three parameters of a full model on a fine mesh: about 40 solutions of a few tenths of a second."""
    pipeline = elements("b")
    fit = pipeline["fit"]
    mesh = dict.fromkeys(["x_n", "x_s", "x_p", "r_n", "r_p"], 40)
    fit["objectives"]["0.5 C"]["options"] = {"model": "DFN", "simulation_kwargs": {"var_pts": mesh}}
    fit["parameters"] |= {
        "Negative particle diffusivity [m2.s-1]": {"initial_value": 2e-14, "bounds": [1e-14, 1e-13]},
        "Positive particle diffusivity [m2.s-1]": {"initial_value": 2e-15, "bounds": [1e-15, 1e-14]},
    }
    fit |= {"optimizer": {"type": "CMAES", "max_iterations": 6}, "options": {"seed": 7}}
    return {name: pipeline[name] for name in ("known", "j0_function", "fit")}


@pytest.fixture(scope="module")
def battery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('watched')}/runs.db", VOLTGRAPH_WORKERS="1") as server:
        yield server


@pytest.fixture
async def runs(battery: Server) -> AsyncIterator[Runs]:
    async with httpx.AsyncClient(base_url=battery.url, timeout=30) as http:
        yield Runs(http)


async def make(runs: Runs, pipeline: dict[str, Any]) -> str:
    payload = await runs.run("CreatePipeline", input={"projectId": "p", "elementsByName": pipeline})
    assert payload["userErrors"] == []
    id: str = payload["pipeline"]["id"]
    return id


async def start(runs: Runs, id: str) -> None:
    assert (await runs.run("StartPipeline", id=id))["userErrors"] == []


async def states(server: Server, runs: Runs, id: str) -> AsyncIterator[dict[str, Any]]:
    """Return every state of a started pipeline that a subscription sends."""
    async with clients.socket(server.url) as socket:
        await socket.subscribe(WATCH, id=id)
        await start(runs, id)
        async for message in socket.connection:
            payload = orjson.loads(message).get("payload")
            if payload is None:
                return
            yield payload["data"]["pipelineUpdated"]


async def watched(runs: Runs, server: Server, pipeline: dict[str, Any]) -> dict[str, Any]:
    """Return the elements of a pipeline by name, as in the last state of a subscription."""
    id = await make(runs, pipeline)
    async with asyncio.timeout(60):
        [*_, last] = [state async for state in states(server, runs, id)]
    assert last["status"] == "COMPLETED"
    return {element["name"]: element for element in last["elements"]}


async def results(runs: Runs, id: str) -> dict[str, Any]:
    found = (await runs.data(RESULTS, id=id))["pipeline"]["elements"]
    return {element["name"]: element for element in found}


@pytest.mark.parametrize("name", ["b", "b2"])
async def test_an_exchange_current_density_is_found(runs: Runs, battery: Server, name: str) -> None:
    fit = (await watched(runs, battery, elements(name)))["fit"]
    assert fit["parameterValues"][CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)
    assert fit["job"]["progress"]["bestCost"] < 1e-4
    assert fit["job"]["progress"]["parameters"][CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)


async def test_an_electrode_is_found(runs: Runs, battery: Server) -> None:
    pipeline = elements("c")
    guesses = {name: each["initial_value"] for name, each in pipeline["msmr"]["parameters"].items()}
    found = (await watched(runs, battery, pipeline))["msmr"]["parameterValues"]
    for site in range(6):
        potential, ideality = f"{SITE} standard potential ({site}) [V]", f"{SITE} ideality factor ({site})"
        assert found[potential] == pytest.approx(guesses[potential] - 0.025, rel=0.01)
        assert found[ideality] == pytest.approx(guesses[ideality] * 1.05, rel=0.01)
    assert found["Negative electrode capacity [A.h]"] == pytest.approx(1.0, rel=0.01)
    assert found["Negative electrode lower excess capacity [A.h]"] == pytest.approx(0.01, rel=0.01)


@pytest.mark.slow
async def test_the_best_cost_of_a_long_fit_is_told_every_two_seconds_until_it_is_canceled(
    runs: Runs, battery: Server
) -> None:
    id = await make(runs, long_fit())
    told: list[tuple[float, float]] = []
    async with asyncio.timeout(60):
        async for state in states(battery, runs, id):
            job = state["elements"][2]["job"]
            if job and job["progress"]:
                told.append((time.monotonic(), job["progress"]["bestCost"]))
            if len(told) == 6:
                break
    times = [at for at, _ in told]
    assert all(later - earlier < 2 for earlier, later in pairwise(times))
    costs = [cost for _, cost in told]
    assert costs == sorted(costs, reverse=True)
    asked = time.monotonic()
    assert (await runs.run("CancelPipeline", id=id))["pipeline"]["status"] == "CANCELED"
    while children(battery):
        assert time.monotonic() - asked < 2
        await asyncio.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parallel
async def test_a_long_fit_that_is_killed_finds_what_it_finds_undisturbed(sqlite_url: str) -> None:
    def serve() -> Any:
        return serving(sqlite_url, VOLTGRAPH_WORKERS="1")

    with serve() as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            undisturbed = await make(runs, long_fit())
            await start(runs, undisturbed)
            await runs.end(undisturbed, 120)
            killed = await make(runs, long_fit())
            await start(runs, killed)
            await begun(runs, killed)
            os.kill(await only_child(server), signal.SIGKILL)
            await begun(runs, killed, attempt=2)
            server.process.kill()
            server.process.wait()
    with serve() as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            end = await runs.end(killed, 120)
            assert end["status"] == "COMPLETED"
            assert [element["job"]["attempt"] for element in end["elements"]] == [1, 1, 3]
            fits = [(await results(runs, id))["fit"] for id in (undisturbed, killed)]
            assert fits[0]["parameterValues"] == fits[1]["parameterValues"]
            assert fits[0]["result"]["evaluations"] == fits[1]["result"]["evaluations"]


async def begun(runs: Runs, id: str, attempt: int = 1) -> None:
    """Wait until the fit reports a cost."""

    def tells(pipeline: dict[str, Any]) -> bool:
        job = pipeline["elements"][2]["job"]
        return bool(job and job["attempt"] == attempt and job["progress"] and job["progress"]["bestCost"] is not None)

    await runs.until(id, tells, 60)
