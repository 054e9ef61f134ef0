"""Checks before a run: problems with their places, nothing stored, and bounds."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from tests.api import Api, operation
from tests.execution.checking.conftest import checking, pipeline
from tests.execution.conftest import Runs

REFUSED = {"fake": {"refuse": "It was told to be wrong."}}
PROBLEM = {"path": ["fake", "refuse"], "message": "It was told to be wrong."}
CREATE = operation("CreatePipeline")
QUERY = operation("CheckPipeline")


async def error_of(api: Api, *configs: dict[str, Any]) -> tuple[str, str]:
    """Return the code and the message of the only error of a check."""
    variables = {"input": pipeline(*configs)}
    response = await api.http.post("/graphql", json={"query": QUERY, "variables": variables})
    [error] = response.json()["errors"]
    return error["extensions"]["code"], error["message"]


async def test_a_check_before_a_run_has_the_priority_of_the_server_and_that_of_a_run_a_lower_one(
    database_url: str,
) -> None:
    asks = pipeline({"check": {"nice": True}})
    async with checking(database_url, workers=1) as api:
        [problem] = (await api.run("CheckPipeline", input=asks))["problems"]
        assert problem["message"] == f"nice {os.nice(0)}"
        created = await api.run("CreatePipeline", input=asks | {"start": True})
        ended = await Runs(api.http).end(created["pipeline"]["id"], 60)
        assert f"nice {min(os.nice(0) + 10, 19)}" in ended["error"]


async def count(api: Api) -> int:
    data = await api.data("{ pipelines { totalCount } }")
    found: int = data["pipelines"]["totalCount"]
    return found


async def test_a_check_names_element_and_place_and_stores_nothing(api: Api) -> None:
    found = await api.run("CheckPipeline", input=pipeline({}, REFUSED, REFUSED))
    problems = [{"element": f"e{i}", **PROBLEM} for i in (1, 2)]
    assert found == {"isValid": False, "problems": problems, "userErrors": []}
    elements = {f"e{i}": {"element_type": "data_fit"} | config for i, config in enumerate(({}, REFUSED, REFUSED))}
    response = await api.http.post("/pipelines/check", json={"project_id": "p", "elements": elements})
    assert response.status_code == 200
    assert response.json() == {"is_valid": False, "problems": problems}
    assert await count(api) == 0


async def test_a_valid_pipeline_has_no_problems(api: Api) -> None:
    several: list[list[dict[str, Any]]] = [[], [{}], [{"values": {"a": 1}}] * 250]
    for configs in several:
        found = await api.run("CheckPipeline", input=pipeline(*configs))
        assert found == {"isValid": True, "problems": [], "userErrors": []}


async def test_wrong_input_is_told_as_by_a_create(api: Api) -> None:
    wrong = {"projectId": "", "elementsByName": {"a": {"element_type": "nonsense"}, "b": 7}, "name": "n" * 256}
    found = await api.run("CheckPipeline", input=wrong)
    created = await api.run("CreatePipeline", input=wrong)
    assert len(found["userErrors"]) == 4
    assert found == {"isValid": False, "problems": [], "userErrors": created["userErrors"]}
    body = {"project_id": "", "name": "n" * 256, "elements": wrong["elementsByName"]}
    checked, stored = await api.http.post("/pipelines/check", json=body), await api.http.post("/pipelines", json=body)
    assert (checked.status_code, checked.json()) == (422, stored.json())


@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_create_with_a_check_is_refused_at_places_of_its_input(api: Api, is_listed: bool) -> None:
    given = pipeline({}, REFUSED)
    at = ["input", "elements", "1", "jobConfig"]
    if not is_listed:
        elements = {each["name"]: {"element_type": "data_fit", **each["jobConfig"]} for each in given.pop("elements")}
        given["elementsByName"], at = elements, ["input", "elementsByName", "e1"]
    payload = await api.run("CreatePipeline", input=given | {"check": True})
    error = {"code": "INVALID", "message": PROBLEM["message"], "field": [*at, *PROBLEM["path"]]}
    assert payload == {"pipeline": None, "userErrors": [error]}
    assert await count(api) == 0
    assert (await api.run("CreatePipeline", input=given))["pipeline"]["status"] == "PENDING"
    assert (await api.run("CreatePipeline", input=pipeline({}) | {"check": True}))["pipeline"]["status"] == "PENDING"
    assert await count(api) == 2


async def test_a_repeated_create_is_not_checked_again(sqlite_url: str) -> None:
    async with checking(sqlite_url) as api:
        given = pipeline({}) | {"idempotencyKey": "once"}
        first = await api.run("CreatePipeline", input=given | {"check": True})
        assert (await api.run("CreatePipeline", input=given))["pipeline"] == first["pipeline"]
    async with checking(sqlite_url, max_checks=0) as api:  # a check would be refused
        assert (await api.run("CreatePipeline", input=given | {"check": True}))["pipeline"] == first["pipeline"]
        other = await api.run("CreatePipeline", input=given | {"check": True, "name": "other"})
        assert [error["code"] for error in other["userErrors"]] == ["CONFLICT"]


async def test_plans_and_the_executor_answer_equally(sqlite_url: str) -> None:
    async with checking(sqlite_url) as planned, checking(f"{sqlite_url}.2", plans=False) as executed:
        several: list[list[dict[str, Any]]] = [[{}, REFUSED], [{}]]
        for configs in several:
            given = {"query": QUERY, "variables": {"input": pipeline(*configs)}}
            assert await planned.send(given) == await executed.send(given)
            refused = {"query": CREATE, "variables": {"input": pipeline(*configs, REFUSED) | {"check": True}}}
            assert await planned.send(refused) == await executed.send(refused)


async def test_a_server_with_a_worker_shares_its_fork_server(sqlite_url: str) -> None:
    async with checking(sqlite_url, workers=1) as api:
        found = await asyncio.gather(*(api.run("CheckPipeline", input=pipeline(REFUSED)) for _ in range(10)))
        assert [each["problems"] for each in found] == [[{"element": "e0", **PROBLEM}]] * 10
        assert len(_fork_servers()) == 1


async def test_checks_that_are_off_name_their_setting(sqlite_url: str) -> None:
    async with checking(sqlite_url, max_checks=0) as api:
        code, message = await error_of(api, {})
        assert code == "UNAVAILABLE"
        assert "VOLTGRAPH_MAX_CHECKS" in message
        body = {"query": CREATE, "variables": {"input": pipeline({}) | {"check": True}}}
        assert (await api.http.post("/graphql", json=body)).status_code == 503
        assert (await api.http.post("/pipelines/check", json={"project_id": "p", "elements": {}})).status_code == 503
        assert await count(api) == 0


async def test_a_server_without_workers_and_executor_names_its_settings(sqlite_url: str) -> None:
    async with checking(sqlite_url, executor="nowhere:Executor") as api:
        code, message = await error_of(api, {})
        assert code == "UNAVAILABLE"
        assert {"VOLTGRAPH_WORKERS", "VOLTGRAPH_MAX_CHECKS"} <= {word.strip(".,)(") for word in message.split()}


async def test_a_worker_without_an_executor_is_a_problem_as_in_its_runs(sqlite_url: str) -> None:
    async with checking(sqlite_url, executor="nowhere:Executor", workers=1) as api:
        found = await api.run("CheckPipeline", input=pipeline({}, {}))
        [problem] = found["problems"]
        assert problem["element"] == "e0"
        assert problem["message"].startswith("This server cannot run elements")


async def test_a_check_that_takes_too_long_is_stopped(sqlite_url: str) -> None:
    async with checking(sqlite_url, check_timeout=0.5, max_checks=1) as api:
        assert (await api.run("CheckPipeline", input=pipeline({})))["isValid"]
        code, message = await error_of(api, {"check": {"seconds": 600}})
        assert code == "TIMEOUT"
        assert "VOLTGRAPH_CHECK_TIMEOUT" in message
        assert (await api.run("CheckPipeline", input=pipeline({})))["isValid"]


async def test_a_check_whose_process_dies_is_an_error(sqlite_url: str) -> None:
    async with checking(sqlite_url) as api:
        code, message = await error_of(api, {"check": {"die": True}})
        assert code == "UNAVAILABLE"
        assert "SIGABRT" in message


async def test_a_check_has_less_memory_than_a_job(sqlite_url: str) -> None:
    async with checking(sqlite_url, job_memory=2**27) as api:
        code, message = await error_of(api, {"check": {"bytes": 2**28}})
        assert code == "TOO_COMPLEX"
        assert "128 MiB" in message


async def test_a_check_that_raises_is_the_problem_of_the_first_element(sqlite_url: str) -> None:
    async with checking(sqlite_url) as api:
        found = await api.run("CheckPipeline", input=pipeline({}, {"check": {"raise": True}}))
        assert [(each["element"], each["path"]) for each in found["problems"]] == [("e0", [])]


async def test_too_many_checks_are_busy(sqlite_url: str) -> None:
    async with checking(sqlite_url, max_checks=1) as api:
        variables = {"input": pipeline({"check": {"seconds": 0.3}})}
        body = {"query": QUERY, "variables": variables}
        asked = [api.http.post("/graphql", json=body) for _ in range(20)]
        answers = await asyncio.gather(*asked)
        busy = [each for each in answers if each.status_code == 503]
        assert len(busy) == 3
        assert {each.json()["errors"][0]["extensions"]["code"] for each in busy} == {"BUSY"}


def _fork_servers() -> list[str]:
    """Return the fork servers of this process."""
    commands = [file.read_text() for file in Path("/proc").glob("[0-9]*/cmdline") if _parent(file) == os.getpid()]
    return [each for each in commands if "forkserver" in each]


def _parent(file: Path) -> int:
    try:
        return int(file.with_name("stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_check_ends_before_its_request_does() -> None:
    settings = Settings()
    assert settings.check_timeout < settings.request_timeout
