"""Routes of the REST API: authenticate a request, then read its body within limits and decode it strictly, before
FastAPI validates it. Responses have a timeout."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.errors import AnswerTooLarge, RequestError, RequestErrorCode
from app.rest.authentication import authenticate, services
from app.server.bodies.reading import read_json
from app.server.timeouts import finish_with_timeout, with_timeout
from app.settings import Settings

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class ReadRequest(Request):
    """Request whose body was decoded already, for FastAPI to validate."""

    value: Any = None

    async def body(self) -> bytes:
        return b"read"

    async def json(self) -> Any:
        return self.value


class StrictRoute(APIRoute):
    """Route that decodes bodies by the strict JSON decoder, because FastAPI's own drops duplicate keys. A request that
    exceeds the timeout gets an error; one that changes data is completed nevertheless."""

    def get_route_handler(self) -> Handle:
        handle, body, single = super().get_route_handler(), self.body_field, frozenset(_single(self.endpoint))

        async def authenticate_then_handle(request: Request) -> Response:
            await authenticate(request)
            if request.scope["query_string"]:
                _require_single(request, single)
            if body is None or (not body.field_info.is_required() and _is_empty(request)):
                return await _in_time(request, handle(request))
            settings: Settings = request.app.state.settings
            with services(request).bodies.hold() as held:
                read = ReadRequest(request.scope, request.receive)
                read.value = await read_json(dict(request.scope["headers"]), request.receive, settings, held)
                return await _in_time(request, handle(read))

        return authenticate_then_handle


def _single(endpoint: Callable[..., Any]) -> Iterator[str]:
    """Yield the names of an endpoint's query parameters that take one value, declared alone or by a model."""
    for name, hint in get_type_hints(endpoint, include_extras=True).items():
        kind, *marks = get_args(hint) or (hint,)
        if any(isinstance(mark, Query) for mark in marks):
            is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
            fields = {each: field.annotation for each, field in kind.model_fields.items()} if is_model else {name: kind}
            yield from (each for each, kind in fields.items() if not _is_list(kind))


def _is_list(kind: Any) -> bool:
    """Return whether a type is a list, or one or None."""
    return any(get_origin(each) is list for each in (kind, *get_args(kind)))


def _require_single(request: Request, single: frozenset[str]) -> None:
    """Raise RequestValidationError for parameters that are given several times but take one value."""
    counts = Counter(name for name, _ in request.query_params.multi_items() if name in single)
    faults = [
        {"type": "invalid", "loc": ("query", name), "msg": f"`{name}` is given {count} times; give it once."}
        for name, count in counts.items()
        if count > 1
    ]
    if faults:
        raise RequestValidationError(faults)


def _is_empty(request: Request) -> bool:
    """Return whether a request has no body."""
    headers = request.headers
    return headers.get("content-length", "0").strip() == "0" and "transfer-encoding" not in headers


async def _in_time(request: Request, handling: Coroutine[Any, Any, Response]) -> Response:
    wait = with_timeout if request.method == "GET" else finish_with_timeout
    settings: Settings = request.app.state.settings
    try:
        response = await wait(settings.request_timeout, handling)
    except TimeoutError:
        message = f"The answer took longer than {settings.request_timeout:g} s. A change that has begun is completed."
        raise RequestError(RequestErrorCode.TIMEOUT, message) from None
    if len(response.body) > settings.max_answer_bytes:
        raise AnswerTooLarge.than(settings.max_answer_bytes)
    return response
