"""Outcomes, objectives, failures and merged parameters, by plans and by the executor."""

from __future__ import annotations

from typing import Any

import pytest

from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode
from tests import completed
from tests.api import Api
from tests.pipelines.test_outcomes import FIT
from tests.schema.requests import GRAPHQL, post, refusals
from tests.sharing import in_process

FITTING = [{"name": "fit", "elementType": "DATA_FIT", "jobConfig": {"objectives": {}}}]
SERIES = [completed.series(), completed.series({"t": [1.0]}, "2 C"), completed.series(source="BASELINE")]


async def fitted(api: Api, result: Any = FIT) -> str:
    """Complete a fit with a result and series; return the id of its pipeline."""
    hold, element = await completed.held(api, elements=FITTING)
    await completed.write(hold, element["id"], *SERIES, completed.series({"cost": [1.0]}, ""))
    await hold.complete_element(element["id"], result)
    id: str = element["pipeline_id"]
    return id


@pytest.mark.parametrize("plans", [True, False])
async def test_a_fit_is_read_without_its_configuration(database_url: str, plans: bool) -> None:
    async with in_process(database_url, plans=plans) as api:
        found = (await api.data(completed.EVERYTHING, id=await fitted(api)))["pipeline"]
    [element] = found["elements"]
    outcome = element["outcome"]
    assert (outcome["__typename"], outcome["cost"], outcome["initialCost"]) == ("OptimizationResult", 0.5, 4.0)
    [first, *_] = outcome["parameters"]
    assert (first["name"], first["unit"], first["standardError"], first["atBound"]) == (
        "D [m2.s-1]",
        "m2.s-1",
        0.25,
        False,
    )
    assert (first["initialValue"], first["lower"], first["upper"], first["bounds"]) == (1.0, 1.5, 2.5, [0.1, None])
    channels = list(completed.CHANNELS)
    assert element["objectives"] == [
        {
            "name": "1 C",
            "type": "CurrentDriven",
            "sources": [
                {"source": "OPTIMAL", "rows": 5, "channels": channels},
                {"source": "BASELINE", "rows": 5, "channels": channels},
            ],
        },
        {"name": "2 C", "type": None, "sources": [{"source": "OPTIMAL", "rows": 1, "channels": ["t"]}]},
    ]
    assert (element["failure"], found["failure"]) == (None, None)


@pytest.mark.parametrize("plans", [True, False])
async def test_nothing_is_told_before_the_end(database_url: str, plans: bool) -> None:
    async with in_process(database_url, plans=plans) as api:
        hold, element = await completed.held(api, elements=FITTING)
        await completed.write(hold, element["id"], *SERIES)
        found = (await api.data(completed.EVERYTHING, id=element["pipeline_id"]))["pipeline"]
        merged = await api.run("Parameters", id=element["pipeline_id"])
        values = await api.data("query ($id: ID!) { pipeline(id: $id) { parameterValues } }", id=found["id"])
    assert (found["elements"][0]["outcome"], found["elements"][0]["objectives"]) == (None, [])
    assert (merged["parameters"], values) == ([], {"pipeline": {"parameterValues": None}})


@pytest.mark.parametrize("plans", [True, False])
async def test_a_failure_has_the_problems_of_all_elements(database_url: str, plans: bool) -> None:
    problem = {"message": "`bounds` must be a list.", "path": ["parameters", "D", "bounds"]}
    async with in_process(database_url, plans=plans) as api:
        elements = [*FITTING, {**FITTING[0], "name": "other"}]
        id = (await api.create(elements=elements))["id"]
        await api.run("StartPipeline", id=id)
        hold = await completed.take(completed.database(api), id, "worker")
        shown = (await api.http.get(f"/pipelines/{id}/elements")).json()
        wrong = {
            each["id"]: JobFailed(JobErrorCode.CONFIGURATION_ERROR, "It is wrong.", {"problems": [problem]})
            for each in shown
        }
        await hold.fail(wrong)
        found = (await api.data(completed.EVERYTHING, id=id))["pipeline"]
    assert (found["failure"]["code"], found["failure"]["message"]) == ("CONFIGURATION_ERROR", "fit: It is wrong.")
    assert found["failure"]["element"] == {"id": shown[0]["id"], "name": "fit"}
    assert found["failure"]["problems"] == [{"element": name, **problem} for name in ("fit", "other")]
    assert found["elements"][1]["failure"] == {
        "code": "CONFIGURATION_ERROR",
        "message": "It is wrong.",
        "problems": [problem],
    }


async def test_values_are_merged_in_order(api: Api) -> None:
    id = await fitted(api)
    query = "query ($id: ID!) { pipeline(id: $id) { all: parameterValues some: parameterValues(names: [%s]) } }"
    found = (await api.data(query % '"k", "x"', id=id))["pipeline"]
    assert (found["all"], found["some"]) == (FIT["parameter_values"], {"k": 3})
    shown = (await api.run("Parameters", id=id))["parameters"]
    assert [each["raw"] for each in shown] == [each for each in FIT["parameter_values"].values() if each is not None]


@pytest.mark.parametrize("plans", [True, False])
async def test_raw_values_count_as_bytes(database_url: str, plans: bool) -> None:
    large = {"parameter_values": {"f [V]": ["x" * 1000] * 100}}
    async with in_process(database_url, plans=plans) as api:
        id = await fitted(api, large)
    names = " ".join(f"a{n}: parameters {{ raw }}" for n in range(20))
    query = f'{{ pipeline(id: "{id}") {{ {names} }} }}'
    async with in_process(database_url, plans=plans, max_answer_bytes=3_000_000) as api:
        assert "errors" not in (await post(api, {"query": query})).json()
    async with in_process(database_url, plans=plans, max_answer_bytes=1_500_000) as api:
        refusals(await post(api, {"query": query}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE")
