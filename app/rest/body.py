"""Bodies of REST requests: read within limits and decoded strictly, before FastAPI looks at them."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.bodies import read_json


class ReadRequest(Request):
    """A request whose body has been read: FastAPI validates what is here."""

    value: Any = None

    async def body(self) -> bytes:
        return b"read"

    async def json(self) -> Any:
        return self.value


class StrictRoute(APIRoute):
    """A route that takes a body only as `app.bodies` does: FastAPI's own reading drops duplicate keys."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read_then_handle(request: Request) -> Response:
            read = ReadRequest(request.scope, request.receive)
            read.value = await read_json(dict(request.scope["headers"]), request.receive, request.app.state.settings)
            return await handle(read)

        return read_then_handle
