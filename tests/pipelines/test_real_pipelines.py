"""Real pipelines are returned as they were sent, also after a restart of the server."""

from typing import Any

import httpx
import orjson
import pytest

from app.pipelines.elements import element_type
from tests.api import CONFIGURATIONS, Api
from tests.servers import serving


def as_list(elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "elementType": kind.name, "jobConfig": config}
        for name, config in elements.items()
        if (kind := element_type(config["element_type"]))
    ]


async def create_in_all_three_ways(api: Api, config: dict[str, Any]) -> list[str]:
    """Create the same pipeline by GraphQL by name, by GraphQL as a list, and by REST; return the ids."""
    project, elements = config["project_id"], config["elements"]
    ids = []
    for given in ({"elementsByName": elements}, {"elements": as_list(elements)}):
        payload = await api.run("CreatePipeline", input={"projectId": project, "name": config["name"], **given})
        assert payload["userErrors"] == []
        ids.append(payload["pipeline"]["id"])
    answer = await api.http.post("/pipelines", json=config)
    assert answer.status_code == 201, answer.text
    return [*ids, answer.json()["id"]]


@pytest.fixture(params=CONFIGURATIONS, ids=lambda file: file.stem)
def config(request: pytest.FixtureRequest) -> Any:
    return orjson.loads(request.param.read_bytes())


async def test_a_real_pipeline_survives_a_restart(database_url: str, config: dict[str, Any]) -> None:
    with serving(database_url) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            ids = await create_in_all_three_ways(Api(http), config)
    with serving(database_url) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            for id in ids:
                await assert_unchanged(Api(http), id, config)


async def assert_unchanged(api: Api, id: str, config: dict[str, Any]) -> None:
    pipeline = await api.run("Pipeline", id=id)
    by_rest = (await api.http.get(f"/pipelines/{id}/elements")).json()
    expected = list(config["elements"].items())
    assert pipeline["name"] == config["name"]
    assert [e["elementOrder"] for e in pipeline["elements"]] == list(range(1, len(expected) + 1))
    assert [(e["name"], e["jobConfig"]) for e in pipeline["elements"]] == expected
    assert [(e["name"], e["job_config"]) for e in by_rest] == expected
    for element, rest, (_, sent) in zip(pipeline["elements"], by_rest, expected, strict=True):
        kind = element_type(sent["element_type"])
        assert kind
        assert (element["elementType"], rest["element_type"]) == (kind.name, kind.value)
        # Equal dictionaries can differ in key order; their texts cannot.
        assert orjson.dumps(element["jobConfig"]) == orjson.dumps(rest["job_config"]) == orjson.dumps(sent)
