"""Real pipelines on the battery executor, over GraphQL and REST, as `make run` serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import orjson
import pytest

from tests.api import ROOT
from tests.execution.conftest import Runs
from tests.servers import Server, serving

pytest.importorskip("pybamm", reason="the extra `battery` is not installed")

# Computed by hand from the datasheet of the file; tests/battery shows how.
CAPACITY = 8.7323185
SIDE = 0.3204684
CURRENT_DENSITY = "Negative electrode reference exchange-current density [A.m-2]"


def configuration(name: str) -> dict[str, Any]:
    [file] = (ROOT / "tests" / "data").glob(f"{name}_*.json")
    body: dict[str, Any] = orjson.loads(file.read_bytes())
    return body


@pytest.fixture(scope="module")
def battery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('battery')}/runs.db", VOLTGRAPH_WORKERS="2") as server:
        yield server


@pytest.fixture
async def runs(battery: Server) -> AsyncIterator[Runs]:
    async with httpx.AsyncClient(base_url=battery.url, timeout=30) as http:
        yield Runs(http)


async def test_a_datasheet_becomes_a_capacity_over_graphql(runs: Runs) -> None:
    config = configuration("a")
    given = {"projectId": "p", "elementsByName": config["elements"]}
    id = (await runs.run("CreatePipeline", input=given))["pipeline"]["id"]
    await runs.run("StartPipeline", id=id)
    assert (await runs.end(id, 60))["status"] == "COMPLETED"
    elements = (await runs.run("PipelineResults", id=id))["elements"]
    values = {element["name"]: element["parameterValues"] for element in elements}
    assert values["Qp"]["Positive electrode capacity [A.h]"] == pytest.approx(CAPACITY, rel=1e-7)
    assert values["geometry"]["Electrode height [m]"] == pytest.approx(SIDE, rel=1e-6)
    assert values["temps"]["Ambient temperature [K]"] == 298.15


async def test_the_first_tab_of_graphiql_makes_a_pipeline_that_runs(runs: Runs) -> None:
    example = orjson.loads((ROOT / "queries" / "CreatePipeline.variables.json").read_bytes())
    id = (await runs.run("CreatePipeline", **example))["pipeline"]["id"]
    await runs.run("StartPipeline", id=id)
    assert (await runs.end(id, 60))["status"] == "COMPLETED"
    [_, capacity] = (await runs.run("PipelineResults", id=id))["elements"]
    assert capacity["parameterValues"]["Positive electrode capacity [A.h]"] == pytest.approx(CAPACITY, rel=1e-7)


async def test_a_datasheet_becomes_a_capacity_over_rest(runs: Runs) -> None:
    id = (await runs.http.post("/pipelines", json=configuration("a"))).json()["id"]
    await runs.http.post(f"/pipelines/{id}/start")
    await runs.end(id, 60)
    result = (await runs.http.get(f"/pipelines/{id}/result")).json()
    capacity = "Positive electrode capacity [A.h]"
    assert result["result"]["parameter_values"][capacity] == pytest.approx(CAPACITY, rel=1e-7)
    assert result["element_results"]["Qp"]["type"] == "PassthroughResult"


async def test_warnings_are_shown_by_graphql_and_rest(runs: Runs) -> None:
    soc = {"element_type": "entry", "name": "InitialStateOfCharge", "value": 0.95}
    body = {"project_id": "p", "elements": {"soc": soc, "known": {"element_type": "entry", "values": {"a": 1}}}}
    id = (await runs.http.post("/pipelines", json=body)).json()["id"]
    await runs.http.post(f"/pipelines/{id}/start")
    assert (await runs.end(id, 120))["status"] == "COMPLETED"
    elements = (await runs.run("PipelineResults", id=id))["elements"]
    [[warning], none] = [element["warnings"] for element in elements]
    assert none == []
    assert (warning["code"], warning["parameter"]) == ("SOC_LOOKS_LIKE_FRACTION", "Initial SOC [%]")
    results = (await runs.http.get(f"/pipelines/{id}/result")).json()["element_results"]
    assert results["soc"]["warnings"] == [{name: each for name, each in warning.items() if each is not None}]
    assert results["known"]["warnings"] == []


async def finished(runs: Runs, config: dict[str, Any]) -> dict[str, Any]:
    """Return the results of a pipeline's elements by name, once it is completed."""
    id = (await runs.http.post("/pipelines", json=config)).json()["id"]
    await runs.http.post(f"/pipelines/{id}/start")
    pipeline = await runs.end(id, 120)
    assert pipeline["status"] == "COMPLETED", pipeline["error"]
    results: dict[str, Any] = (await runs.http.get(f"/pipelines/{id}/result")).json()["element_results"]
    return results


@pytest.mark.parametrize("name", ["b", "b2"])
async def test_an_exchange_current_density_is_fitted(runs: Runs, name: str) -> None:
    results = await finished(runs, configuration(name))
    assert results["fit"]["parameter_values"][CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)
    if name == "b":
        assert results["validate"]["summary_stats"]["0.5 C"]["RMSE"]["Voltage [V]"] < 1e-4


async def test_an_electrode_is_fitted_and_its_potential_made_of_it(runs: Runs) -> None:
    config = configuration("c")
    guesses = config["elements"]["msmr"]["parameters"]
    results = await finished(runs, config)
    site = "Negative electrode host site standard potential (0) [V]"
    expected = guesses[site]["initial_value"] - 0.025
    assert results["msmr"]["parameter_values"][site] == pytest.approx(expected, rel=0.01)
    assert "Negative electrode OCP [V]" in results["ocp"]["parameter_values"]


async def test_the_course_of_a_fit_is_kept(runs: Runs) -> None:
    config = configuration("b")
    id = (await runs.http.post("/pipelines", json=config)).json()["id"]
    await runs.http.post(f"/pipelines/{id}/start")
    last = (await runs.end(id, 120))["elements"][2]["job"]["progress"]
    assert last["parameters"][CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)
    assert last["bestCost"] == last["cost"] < 1e-5


async def test_a_wrong_fit_is_refused_before_anything_runs(runs: Runs) -> None:
    config = configuration("b")
    (parameter,) = config["elements"]["fit"]["parameters"].values()
    parameter["bounds"] = [10.0, 0.1]
    id = (await runs.http.post("/pipelines", json=config)).json()["id"]
    await runs.run("StartPipeline", id=id)
    pipeline = await runs.end(id, 60)
    assert (pipeline["status"], pipeline["errorCode"]) == ("FAILED", "CONFIGURATION_ERROR")
    assert {element["job"]["attempt"] for element in pipeline["elements"]} == {0}
    fit = (await runs.run("Pipeline", id=id))["elements"][2]
    assert [each["path"] for each in fit["errorDetail"]["problems"]] == [["parameters", CURRENT_DENSITY, "bounds"]]


@pytest.mark.parametrize(
    "config",
    [
        {"element_type": "entry", "values": {"x": {"$type": "this.X"}}},
        {"element_type": "entry", "values": {"x": {"module": "os", "class": "abort"}}},
        {"element_type": "calculation", "type": "os.abort"},
    ],
)
async def test_what_names_code_is_refused_with_its_place(runs: Runs, config: dict[str, Any]) -> None:
    elements = {"good": {"element_type": "entry", "values": {"a": 1}}, "bad": config}
    id = (await runs.http.post("/pipelines", json={"project_id": "p", "elements": elements})).json()["id"]
    await runs.run("StartPipeline", id=id)
    pipeline = await runs.end(id, 60)
    assert pipeline["errorCode"] == "CONFIGURATION_ERROR"
    assert [element["status"] for element in pipeline["elements"]] == ["SKIPPED", "FAILED"]
    bad = (await runs.run("Pipeline", id=id))["elements"][1]
    assert bad["errorDetail"]["problems"]
    assert all(problem["path"] and problem["message"] for problem in bad["errorDetail"]["problems"])


async def test_missing_parameters_are_a_model_error_that_names_them(runs: Runs) -> None:
    elements = {"Q": {"element_type": "calculation", "type": "ElectrodeCapacity", "electrode": "positive"}}
    id = (await runs.http.post("/pipelines", json={"project_id": "p", "elements": elements})).json()["id"]
    await runs.run("StartPipeline", id=id)
    pipeline = await runs.end(id, 60)
    assert pipeline["errorCode"] == "MODEL_ERROR"
    assert "Positive electrode thickness [m]" in pipeline["error"]
