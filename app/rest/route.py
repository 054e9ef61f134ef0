"""Routes of the REST API: authenticate a request, then read its body within limits and decode it strictly, before
FastAPI validates it. Responses have a timeout."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

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
        handle, body = super().get_route_handler(), self.body_field

        async def authenticate_then_handle(request: Request) -> Response:
            await authenticate(request)
            if body is None or (not body.field_info.is_required() and _is_empty(request)):
                return await _in_time(request, handle(request))
            settings: Settings = request.app.state.settings
            with services(request).bodies.hold() as held:
                read = ReadRequest(request.scope, request.receive)
                read.value = await read_json(dict(request.scope["headers"]), request.receive, settings, held)
                return await _in_time(request, handle(read))

        return authenticate_then_handle


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
