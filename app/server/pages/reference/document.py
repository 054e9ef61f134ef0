"""OpenAPI document: derived from the endpoints by FastAPI, with all statuses, the API key and the server's address."""

from __future__ import annotations

import re
from typing import Any

from app.errors import RequestErrorCode

FAILURE = {"$ref": "#/components/schemas/Failure"}
FORBIDDEN = "The API key may not do this, or without API keys the request does not come from this machine."
ALWAYS = {
    RequestErrorCode.UNAUTHENTICATED: "The API key is missing or not valid.",
    RequestErrorCode.FORBIDDEN: FORBIDDEN,
    RequestErrorCode.RATE_LIMITED: "Too many requests: try again after `Retry-After` seconds.",
    RequestErrorCode.BUSY: "The server is busy or the database is away: try again after `Retry-After` seconds.",
    RequestErrorCode.BAD_REQUEST: "The address or the framing is wrong, or the answer would be too large.",
}
"""Reasons for which any request can be refused."""
WITH_BODY = {
    RequestErrorCode.PAYLOAD_TOO_LARGE: "The body is too large.",
    RequestErrorCode.UNSUPPORTED_MEDIA_TYPE: "The body is not JSON, or of an unknown encoding.",
    RequestErrorCode.REQUEST_TIMEOUT: "The body did not arrive in time.",
}
SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "An API key as a bearer token."},
}
DESCRIPTION = (
    "REST API of Voltgraph, by the contract of Ionworks' hosted API. GraphQL is served at `/graphql`. A server without "
    "API keys answers without one, to its own machine only."
)
KEPT = {"create_pipeline_pipelines_post"}
"""Ids of operations that the contract of Ionworks' hosted API fixes."""
OPEN = ("/uploads/{token}", "/downloads/{token}")
"""Paths whose tokens are the right to use them."""


def completed(made: dict[str, Any]) -> dict[str, Any]:
    """Complete a document of FastAPI."""
    made["info"]["description"] = DESCRIPTION
    made["components"]["securitySchemes"] = SCHEMES
    made["security"] = [{name: []} for name in SCHEMES]
    for path, item in made["paths"].items():
        for method, operation in item.items():
            # FastAPI appends the path and the method to the name of the endpoint, which is unique here.
            suffix = re.sub(r"\W", "_", path) + "_" + method
            if operation["operationId"] not in KEPT:
                operation["operationId"] = operation["operationId"].removesuffix(suffix)
            _complete(path, operation)
    return made


def with_server(made: dict[str, Any], url: str) -> dict[str, Any]:
    """Return the document of a server at an address."""
    return {"openapi": made["openapi"], "info": made["info"], "servers": [{"url": url}]} | made


def _complete(path: str, operation: dict[str, Any]) -> None:
    reasons = ALWAYS | (WITH_BODY if "requestBody" in operation or path == OPEN[0] else {})
    if path in OPEN:
        operation["security"] = []
        reasons[RequestErrorCode.NOT_FOUND] = "The address is unknown or has expired."
        del reasons[RequestErrorCode.UNAUTHENTICATED]
    for code, reason in reasons.items():
        content = {"application/json": {"schema": FAILURE}}
        operation["responses"].setdefault(str(code.status), {"description": reason, "content": content})
    operation["responses"] = dict(sorted(operation["responses"].items()))
