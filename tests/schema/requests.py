"""GraphQL over HTTP by hand: what is sent to the byte, and what a refusal may say."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson

from tests.api import Api, operation

JSON = {"content-type": "application/json"}
GRAPHQL = "application/graphql-response+json"
INSIDES = re.compile(
    r"Traceback|\bFile \"|site-packages|<class|object at 0x|NoneType|\b(str|dict|int|float|tuple|NoneType)\b is"
    r"|\bsys\.|Error\b(?<!Syntax Error)|Exception|asyncpg|sqlite|SELECT|INSERT"
)
"""Patterns of internals, which no response may contain."""


def creating(**body: Any) -> dict[str, Any]:
    """The body of a request that creates a pipeline, unless it is refused."""
    elements = [{"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {}}]
    return {
        "query": operation("CreatePipeline"),
        "variables": {"input": {"projectId": "project", "elements": elements}},
        **body,
    }


def written(config: str, variables: str = "") -> str:
    """A mutation that has a configuration written in its document. `variables` are those it defines."""
    element = f'{{name: "known", elementType: DIRECT_ENTRY, jobConfig: {config}}}'
    payload = "{ pipeline { elements { jobConfig } } userErrors { message field } }"
    return f'mutation {variables} {{ createPipeline(input: {{projectId: "p", elements: [{element}]}}) {payload} }}'


async def post(api: Api, body: bytes | AsyncIterator[bytes] | Any, **headers: str) -> httpx.Response:
    """The answer to a body: bytes as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes | AsyncIterator) else orjson.dumps(body)
    return await api.http.post("/graphql", content=raw, headers={**JSON, **headers})


async def stored(api: Api) -> int:
    """How many pipelines there are."""
    found: int = (await api.data("{ pipelines { totalCount } }"))["pipelines"]["totalCount"]
    return found


def refusals(answer: httpx.Response, status: int, code: str) -> list[dict[str, Any]]:
    """The errors of an answer that refuses a request as a whole: with this status, and all with this code."""
    assert answer.status_code == status, answer.text
    assert not INSIDES.search(answer.text), answer.text
    assert list(answer.json()) == ["errors"]
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {code}
    assert all(error["message"] and error["message"] == error["message"].strip() for error in errors)
    return errors
