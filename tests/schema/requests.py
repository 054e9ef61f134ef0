"""GraphQL over HTTP byte by byte: requests, and checks of refusals."""

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
    """Return the body of a request that creates a pipeline, unless it is refused."""
    elements = [{"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {}}]
    return {
        "query": operation("CreatePipeline"),
        "variables": {"input": {"projectId": "project", "elements": elements}},
        **body,
    }


def written(config: str, variables: str = "") -> str:
    """Build a mutation with a configuration in its document. `variables` are those it defines."""
    element = f'{{name: "known", elementType: DIRECT_ENTRY, jobConfig: {config}}}'
    payload = "{ pipeline { elements { jobConfig } } userErrors { message field } }"
    return f'mutation {variables} {{ createPipeline(input: {{projectId: "p", elements: [{element}]}}) {payload} }}'


async def post(api: Api, body: bytes | AsyncIterator[bytes] | Any, **headers: str) -> httpx.Response:
    """Send a body: bytes unchanged, other values as JSON."""
    raw = body if isinstance(body, bytes | AsyncIterator) else orjson.dumps(body)
    return await api.http.post("/graphql", content=raw, headers={**JSON, **headers})


async def stored(api: Api) -> int:
    """Count the pipelines."""
    found: int = (await api.data("{ pipelines { totalCount } }"))["pipelines"]["totalCount"]
    return found


def refusals(answer: httpx.Response, status: int, code: str) -> list[dict[str, Any]]:
    """Return the errors of a response that refuses a whole request, with this status and this code for all errors."""
    assert answer.status_code == status, answer.text
    assert not INSIDES.search(answer.text), answer.text
    assert list(answer.json()) == ["errors"]
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {code}
    assert all(error["message"] and error["message"] == error["message"].strip() for error in errors)
    return errors
