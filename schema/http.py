"""GraphQL over HTTP, as one ASGI application: https://graphql.github.io/graphql-over-http/draft/

It stands before the web framework, whose middleware and routing it needs nothing of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from graphql import ExecutionResult, OperationType, execute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.bodies import read_json
from app.callers import LOCAL
from app.errors import RequestError, RequestErrorCode
from app.services import Services
from app.settings import Settings
from app.strict_json import decode
from schema import schema
from schema.context import Context
from schema.documents import Documents
from schema.masking import formatted, internal, masked, refusal
from schema.negotiation import GRAPHQL, JSON, media_type, wants_page

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client asks."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets."""

    status: int
    body: dict[str, Any]


class GraphQLEndpoint:
    """Answers `/graphql`: queries by GET, everything by POST, and a page for people whose browser comes by."""

    def __init__(self, settings: Settings, page: ASGIApp) -> None:
        self.services: Services | None = None
        self._settings, self._page = settings, page
        self._documents = Documents(schema._schema, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        accept = headers.get(b"accept")
        if scope["method"] in ("GET", "HEAD") and wants_page(accept) and b"query=" not in scope["query_string"]:
            await self._page(scope, receive, send)
            return
        kind = JSON
        try:
            kind = media_type(accept)
            request = await self._read(scope, headers, receive)
            answer = await self._answer(request, kind, read_only=scope["method"] == "GET")
        except RequestError as error:
            answer = Answer(error.code.status, {"errors": refusal(error)})
        except Exception as error:
            answer = Answer(500, {"errors": [internal(error)]})
        await _send(send, answer, kind)

    async def _read(self, scope: Scope, headers: Headers, receive: Receive) -> GraphQLRequest:
        if scope["method"] == "POST":
            return _request(await read_json(headers, receive, self._settings))
        if scope["method"] == "GET":
            return _request(self._parameters(scope["query_string"]))
        raise RequestError(RequestErrorCode.METHOD_NOT_ALLOWED, "Use GET or POST.")

    def _parameters(self, query_string: bytes) -> dict[str, Any]:
        """A GET's parameters, in the shape of a POST's body."""
        try:
            pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except ValueError:
            raise RequestError(RequestErrorCode.BAD_REQUEST, "The query string is malformed.") from None
        parameters: dict[str, Any] = dict(pairs)
        if len(parameters) < len(pairs):
            raise RequestError(RequestErrorCode.BAD_REQUEST, "A parameter is there twice.")
        for name in ("variables", "extensions"):
            if parameters.get(name):
                parameters[name] = decode(parameters[name].encode(), self._settings.max_json_depth)
        return {name: value for name, value in parameters.items() if value != ""}

    async def _answer(self, request: GraphQLRequest, kind: bytes, *, read_only: bool) -> Answer:
        document = self._documents.get(request.query)
        wrong = 400 if kind == GRAPHQL else 200
        if document.tree is None or document.errors:
            return Answer(wrong, {"errors": [formatted(error, document.code) for error in document.errors]})
        operation = document.operation(request.operation_name)
        if read_only and operation is not OperationType.QUERY:
            raise RequestError(RequestErrorCode.METHOD_NOT_ALLOWED, "GET runs queries only. Use POST.")
        assert self.services is not None
        result = execute(
            schema._schema,
            document.tree,
            context_value=Context(self.services, LOCAL),
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        return _answer(result if isinstance(result, ExecutionResult) else await result, wrong)


def _request(body: Any) -> GraphQLRequest:
    """The request that a body makes. RequestError when a part of it is of the wrong kind."""
    if not isinstance(body, dict):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "The body must be one JSON object; there are no batches.")
    query, name = body.get("query"), body.get("operationName")
    if not isinstance(query, str):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`query` must be a string: the GraphQL document.")
    if name is not None and not isinstance(name, str):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`operationName` must be a string.")
    for part in ("variables", "extensions"):
        if not isinstance(body.get(part), dict | None):
            raise RequestError(RequestErrorCode.BAD_REQUEST, f"`{part}` must be an object.")
    return GraphQLRequest(query, body.get("variables"), name)


def _answer(result: ExecutionResult, wrong: int) -> Answer:
    """A field's error has a path. One without is of the request, which was not executed: it has no data then."""
    errors = result.errors or []
    if errors and not any(error.path for error in errors):
        bad_input = RequestErrorCode.BAD_USER_INPUT
        return Answer(wrong, {"errors": [formatted(error, bad_input) for error in errors]})
    body: dict[str, Any] = {"data": result.data}
    return Answer(200, {"errors": [masked(error) for error in errors], **body} if errors else body)


async def _send(send: Send, answer: Answer, kind: bytes) -> None:
    body = orjson.dumps(answer.body)
    headers = [
        (b"content-type", kind + b"; charset=utf-8" if kind == GRAPHQL else kind),
        (b"content-length", b"%d" % len(body)),
        (b"vary", b"accept"),
    ]
    if answer.status == 405:
        headers.append((b"allow", b"GET, POST"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
