"""GraphQL over HTTP as an ASGI application: https://graphql.github.io/graphql-over-http/draft/

It runs before the web framework, whose middleware and routing it does not need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from functools import partial
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

from graphql import OperationType
from starlette.types import ASGIApp, Receive, Scope, Send

from app.database import telemetry
from app.errors import RequestError, RequestErrorCode
from app.server.bodies.quota import Holding
from app.server.bodies.reading import read_json, require_json
from app.server.bodies.strict_json import decode
from app.server.compression import ACCEPT_ENCODING, ENCODED, LEAST, accepts_gzip, compressed
from app.server.cors import refuse_other_pages
from app.server.faults import find_refusal
from app.server.observability.metrics import Metrics
from app.server.observability.request_log import HEADER, Traced, current, note
from app.server.response import Fields, Response
from app.server.services import Services
from app.settings import Settings
from schema.answers.answer import Answer, encoded
from schema.errors import failure
from schema.operations import GraphQLRequest, Operation, Operations, graphql_request
from schema.transport.negotiation import GRAPHQL, JSON, media_type, wants_events, wants_page
from schema.transport.sse import EventStreams
from schema.transport.websocket import Sockets

Headers = Mapping[bytes, bytes]
Reading = Callable[[], Coroutine[Any, Any, GraphQLRequest]]
NO_HEADERS: Mapping[str, str] = {}
VARY, NO_SNIFFING = (b"vary", b"accept, accept-encoding"), (b"x-content-type-options", b"nosniff")
HEADERS: dict[bytes, Fields] = {
    JSON: ((b"content-type", JSON), VARY, NO_SNIFFING),
    GRAPHQL: ((b"content-type", GRAPHQL + b"; charset=utf-8"), VARY, NO_SNIFFING),
}
"""Headers of every response by media type."""
NOT_STORED = {"cache-control": "no-store"}
"""Headers of responses to GET: a cache cannot tell callers apart. Responses to POST are not cached anyway."""
OK = "OK"
"""Outcome of an answer without errors."""
NOT_NOW = {RequestErrorCode.BUSY.value, RequestErrorCode.UNAVAILABLE.value}


class GraphQLEndpoint:
    """Endpoint `/graphql`: queries by GET, all operations by POST, subscriptions by server-sent events or WebSocket,
    and GraphiQL for browsers."""

    def __init__(self, settings: Settings, page: ASGIApp, metrics: Metrics) -> None:
        self._settings, self._page, self._metrics = settings, page, metrics
        self._origins, self._compresses = settings.origins, settings.compression
        self.operations = Operations(settings)
        metrics.reserve(self.operations.known_names)
        self._sockets = Traced(Sockets(self.operations, settings))
        self._traced = Traced(self)
        self._streams = EventStreams()
        self.waits = True
        """Whether responses always wait for the database."""

    def open(self, services: Services) -> None:
        """Set the services that operations use."""
        self.operations.open(services)
        self.waits = not services.database.reads_inline
        if self.operations.plans is not None:
            told = "Queries and mutations by plan or executor, and compiled plans."
            self._metrics.counts("voltgraph_operations", told, self.operations.plans.tally)

    def close(self) -> None:
        """End the event streams, which do not end by themselves. uvicorn closes WebSockets."""
        self._streams.close()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self._sockets if scope["type"] == "websocket" else self._serve)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        accept = headers.get(b"accept")
        if HEADER in headers and current.get() is None:
            await self._traced(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and wants_page(accept) and b"query=" not in scope["query_string"]:
            await self._page(scope, receive, send)
        elif wants_events(accept):
            await self._stream(scope, headers, receive, send)
        else:
            with self.operations.bodies.hold() as held:
                read = partial(self._read, scope, headers, receive, held)
                response = await self._response(scope["method"], headers, read)
            await response.send(send)

    def respond(self, headers: Headers, body: bytes) -> Coroutine[Any, Any, Response] | None:
        """Return the response to a POST whose body has arrived. None if it must go through ASGI."""
        if b"content-encoding" in headers or HEADER in headers or wants_events(headers.get(b"accept")):
            return None
        return self._response("POST", headers, None, body)

    async def _response(self, method: str, headers: Headers, read: Reading | None, posted: bytes = b"") -> Response:
        """Answer a request: a complete body `posted`, or one that `read` reads and counts."""
        start, kind, name, more, taken = perf_counter(), JSON, "", NO_HEADERS, 0
        encoding: Fields = ()
        try:
            kind = media_type(headers.get(b"accept"))
            caller = await self.operations.caller(headers)
            self.operations.bodies.take(len(posted))
            taken = len(posted)
            request = self._posted(headers, posted) if read is None else await read()
            operation = await self.operations.find(request, caller)
            if isinstance(operation, Answer):
                answer = operation
            else:
                if operation.known.kind is not OperationType.QUERY:
                    self._check_kind(operation, method, headers)
                name, answer = operation.known.label, await operation.answer()
            body = answer.body
            status, code = (_status(answer, kind), _code(body)) if "errors" in body else (200, OK)
            text = encoded(body, self._settings.max_answer_bytes)
        except Exception as error:
            status, body, more = _refused(error)
            text, code = encoded(body), _code(body)
        finally:
            self.operations.bodies.give_back(taken)
        if method == "GET":
            more = {**more, **NOT_STORED}
        if self._compresses and len(text) >= LEAST and accepts_gzip(headers.get(ACCEPT_ENCODING, b"")):
            packed = await compressed(text)
            if packed is not None:
                text, encoding = packed, (ENCODED,)
        response = _response(status, text, kind, more, encoding)
        self._metrics.request(name, code, perf_counter() - start)
        if telemetry.tracer is not None or current.get() is not None:
            note(name, code)
        return response

    def _check_kind(self, operation: Operation, method: str, headers: Headers) -> None:
        """Raise RequestError for a subscription, or for a change that is not allowed."""
        if operation.kind is OperationType.SUBSCRIPTION:
            raise RequestError(
                RequestErrorCode.NOT_ACCEPTABLE,
                "A subscription has many answers: accept text/event-stream and no JSON, or use a WebSocket.",
            )
        _check_change(operation, method, headers, self._origins)

    async def _stream(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        with self.operations.bodies.hold() as held:
            try:
                operation = await self._opened(scope, headers, receive, held)
            except Exception as error:
                status, body, more = _refused(error)
                await _response(status, encoded(body), JSON, more).send(send)
                note("", _code(body))
                return
            try:
                note(*_summary(operation))
                if isinstance(operation, Operation) and operation.kind is OperationType.SUBSCRIPTION:
                    await self.operations.listen()
                await self._streams.answer(operation, receive, send)
            finally:
                if isinstance(operation, Operation):
                    operation.close()

    async def _opened(self, scope: Scope, headers: Headers, receive: Receive, held: Holding) -> Operation | Answer:
        """Return the operation of an event stream with its place in the caller's quota. Raises RequestError."""
        caller = await self.operations.caller(headers)
        request = await self._read(scope, headers, receive, held)
        operation = await self.operations.find_or_explain(request, caller)
        if isinstance(operation, Operation):
            _check_change(operation, scope["method"], headers, self._origins)
            operation.open()
            if operation.kind is OperationType.SUBSCRIPTION:
                held.release()
        return operation

    def _posted(self, headers: Headers, body: bytes) -> GraphQLRequest:
        require_json(headers.get(b"content-type", b""))
        return graphql_request(decode(body, self._settings.max_json_depth))

    async def _read(self, scope: Scope, headers: Headers, receive: Receive, held: Holding) -> GraphQLRequest:
        if scope["method"] == "POST":
            return graphql_request(await read_json(headers, receive, self._settings, held))
        if scope["method"] == "GET":
            return graphql_request(self._parameters(scope["query_string"]))
        raise RequestError(RequestErrorCode.METHOD_NOT_ALLOWED, "Use GET or POST.")

    def _parameters(self, query_string: bytes) -> dict[str, Any]:
        """Return the parameters of a GET in the form of a POST's body."""
        try:
            pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except ValueError:
            raise RequestError(RequestErrorCode.BAD_REQUEST, "The query string is malformed.") from None
        parameters: dict[str, Any] = dict(pairs)
        if len(parameters) < len(pairs):
            raise RequestError(RequestErrorCode.BAD_REQUEST, "A parameter is given twice.")
        for name in ("variables", "extensions"):
            if parameters.get(name):
                parameters[name] = decode(parameters[name].encode(), self._settings.max_json_depth)
        return {name: value for name, value in parameters.items() if value != ""}


def _check_change(operation: Operation, method: str, headers: Headers, origins: Collection[str]) -> None:
    """Raise RequestError for a mutation by GET, or by a page that may not change data."""
    if operation.kind is not OperationType.MUTATION:
        return
    if method != "POST":
        raise RequestError(RequestErrorCode.METHOD_NOT_ALLOWED, "GET changes nothing. Use POST.")
    if operation.caller.key is None:
        refuse_other_pages(headers, origins)


def _refused(error: Exception) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    """Return status, body and headers for a request that raised an error."""
    refused = find_refusal(error)
    if refused is None:
        return 500, {"errors": failure(error)}, NO_HEADERS
    return refused.code.status, {"errors": failure(refused)}, refused.headers


def _status(answer: Answer, kind: bytes) -> int:
    """Return the HTTP status: 503 if every root field failed because the database is unavailable, so that proxies
    retry."""
    if not answer.executed:
        return 200 if kind == JSON else 400
    errors = answer.body.get("errors")
    if not errors or any(value is not None for value in (answer.body["data"] or {}).values()):
        return 200
    return 503 if all(error["extensions"]["code"] in NOT_NOW for error in errors) else 200


def _code(body: dict[str, Any]) -> str:
    """Return the outcome of a request for metrics."""
    code: str = body["errors"][0]["extensions"]["code"] if body.get("errors") else OK
    return code


def _summary(operation: Operation | Answer) -> tuple[str, str]:
    """Return the name and the outcome of an event stream's operation for the log."""
    return (operation.label, OK) if isinstance(operation, Operation) else ("", _code(operation.body))


def _response(status: int, text: bytes, kind: bytes, more: Mapping[str, str], encoding: Fields = ()) -> Response:
    headers = HEADERS[kind] + encoding
    if more:
        headers += tuple((name.encode(), value.encode()) for name, value in more.items())
    return Response(status, headers, text)
