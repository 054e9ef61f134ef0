"""Responses conform to the OpenAPI document, and contain no other properties."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from app.main import create_app
from app.models.enums import PipelineStatus
from app.settings import Settings
from tests import completed
from tests.api import CONFIGURATIONS, Api
from tests.rest.requests import ENTRY, JSON, created, pipeline

DOCUMENT = create_app(Settings()).openapi()
FORMATS = FormatChecker(())
FORMATS.checks("date-time")(lambda text: bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", str(text))))


def closed(schema: Any) -> Any:
    """Return a schema whose objects have only the named properties."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(each) for key, each in schema.items()}
    return {**inner, "additionalProperties": False} if "properties" in schema and "type" in schema else inner


CLOSED = closed(DOCUMENT)


def conforms(answer: httpx.Response, path: str) -> None:
    """Check that the OpenAPI document has the response for this path."""
    operation = CLOSED["paths"][path][answer.request.method.lower()]
    documented = operation["responses"][str(answer.status_code)]
    if "content" not in documented:
        assert answer.content == b""
        return
    assert [answer.headers["content-type"]] == list(documented["content"])
    schema = {**documented["content"]["application/json"]["schema"], "components": CLOSED["components"]}
    Draft202012Validator(schema, format_checker=FORMATS).validate(answer.json())


NEW = pipeline(name="n", description="d", options={"live_progress_updates": True})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (NEW, 201),
        (pipeline(elements={}), 201),
        ({}, 422),
        ([], 422),
        (pipeline(name=1, elements={"a": {}, "": ENTRY}), 422),
        (pipeline(project_id="p" * 1000), 422),
    ],
)
async def test_of_a_create(shared: Api, body: Any, status: int) -> None:
    answer = await shared.http.post("/pipelines", json=body)
    assert answer.status_code == status
    conforms(answer, "/pipelines")


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda file: file.stem)
async def test_of_a_create_of_a_real_pipeline(shared: Api, file: Any) -> None:
    conforms(await shared.http.post("/pipelines", content=file.read_bytes(), headers=JSON), "/pipelines")


@pytest.mark.parametrize("body", [b"{", b'{"a": 1, "a": 2}', b'{"project_id": 99999999999999999999}'])
async def test_of_a_body_that_is_no_json(shared: Api, body: bytes) -> None:
    answer = await shared.http.post("/pipelines", content=body, headers=JSON)
    assert answer.status_code == 422
    conforms(answer, "/pipelines")


@pytest.mark.parametrize("status", PipelineStatus)
async def test_of_a_pipeline_in_every_status(shared: Api, status: PipelineStatus) -> None:
    detail = await created(shared)
    await shared.set_status(detail["id"], status)
    one = f"/pipelines/{detail['id']}"
    conforms(await shared.http.get(one), "/pipelines/{pipeline_id}")
    conforms(await shared.http.patch(one, json={"name": "new"}), "/pipelines/{pipeline_id}")
    conforms(await shared.http.get(f"{one}/elements"), "/pipelines/{pipeline_id}/elements")
    element = detail["elements"][0]["id"]
    conforms(await shared.http.get(f"/pipelines/elements/{element}"), "/pipelines/elements/{element_id}")
    conforms(await shared.http.delete(one), "/pipelines/{pipeline_id}")


@pytest.mark.parametrize("verb", ["start", "cancel"])
@pytest.mark.parametrize("status", PipelineStatus)
async def test_of_a_start_and_a_cancel(shared: Api, status: PipelineStatus, verb: str) -> None:
    id = (await created(shared))["id"]
    await shared.set_status(id, status)
    conforms(await shared.http.post(f"/pipelines/{id}/{verb}"), f"/pipelines/{{pipeline_id}}/{verb}")
    conforms(await shared.http.get(f"/pipelines/{id}/result"), "/pipelines/{pipeline_id}/result")


async def test_of_jobs(shared: Api) -> None:
    element = await completed.completed(shared, completed.series())
    job = f"/jobs/{element['job_id']}"
    conforms(await shared.http.get("/jobs/"), "/jobs/")
    conforms(await shared.http.post("/jobs/"), "/jobs/")
    conforms(await shared.http.get(job), "/jobs/{job_id}")
    conforms(await shared.http.post(f"{job}/cancel"), "/jobs/{job_id}/cancel")
    conforms(await shared.http.get(f"{job}/metadata"), "/jobs/{job_id}/metadata")
    conforms(
        await shared.http.get(f"/pipelines/{element['pipeline_id']}/elements"), "/pipelines/{pipeline_id}/elements"
    )


@pytest.mark.parametrize("objective", ["1 C", "2 C", None])
async def test_of_series_and_plots(shared: Api, objective: str | None) -> None:
    job = (await completed.completed(shared, completed.series()))["job_id"]
    conforms(await shared.http.get(f"/jobs/{job}/series/channels"), "/jobs/{job_id}/series/channels")
    for columns in (completed.MODEL, "no"):
        query = {"columns": columns} | ({"objective": objective} if objective else {})
        conforms(await shared.http.get(f"/jobs/{job}/series", params=query), "/jobs/{job_id}/series")
    answer = await shared.http.get(f"/pipelines/datafits/{job}/plot_data", params={"objective_name": objective or ""})
    conforms(answer, "/pipelines/datafits/{job_id}/plot_data")


async def test_where_there_is_nothing(shared: Api) -> None:
    none = f"/pipelines/{uuid4()}"
    conforms(await shared.http.get(none), "/pipelines/{pipeline_id}")
    conforms(await shared.http.patch(none, json={}), "/pipelines/{pipeline_id}")
    conforms(await shared.http.delete(none), "/pipelines/{pipeline_id}")
    conforms(await shared.http.get(f"{none}/elements"), "/pipelines/{pipeline_id}/elements")
    conforms(await shared.http.get(f"/pipelines/elements/{uuid4()}"), "/pipelines/elements/{element_id}")
    for verb, method in (("start", "POST"), ("cancel", "POST"), ("result", "GET")):
        answer = await shared.http.request(method, f"{none}/{verb}")
        conforms(answer, f"/pipelines/{{pipeline_id}}/{verb}")


@pytest.mark.parametrize("query", ["", "?limit=1", "?project_id=none", "?limit=0", "?status=x&order=y"])
async def test_of_a_list(shared: Api, query: str) -> None:
    await created(shared)
    conforms(await shared.http.get(f"/pipelines{query}"), "/pipelines")


def test_another_answer_does_not_conform() -> None:
    request = httpx.Request("GET", "http://test/pipelines")
    for body in ({}, {"pipelines": [], "count": 0, "total": 0, "more": 1}, {"pipelines": [{}], "count": 1, "total": 1}):
        with pytest.raises(ValidationError):
            conforms(httpx.Response(200, json=body, request=request), "/pipelines")
