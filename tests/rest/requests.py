"""Requests to the REST API for several tests."""

from __future__ import annotations

from typing import Any

from tests.api import Api

JSON = {"content-type": "application/json"}
ENTRY: dict[str, Any] = {"element_type": "entry", "values": {"a": 1}}


def pipeline(**fields: Any) -> dict[str, Any]:
    """Build a body for POST /pipelines, by default with one element."""
    return {"project_id": "project", "elements": {"known": ENTRY}, **fields}


async def created(api: Api, **fields: Any) -> dict[str, Any]:
    """Return the response to a create that must succeed."""
    answer = await api.http.post("/pipelines", json=pipeline(**fields))
    assert answer.status_code == 201, answer.text
    detail: dict[str, Any] = answer.json()
    return detail


async def get(api: Api, path: str, **query: Any) -> Any:
    """Return the response to a GET that must succeed."""
    answer = await api.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()
