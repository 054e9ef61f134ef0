"""Interface of the fast path: responses to requests without ASGI."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

from starlette.types import Send

Headers = Mapping[bytes, bytes]
Fields = tuple[tuple[bytes, bytes], ...]


class Response(NamedTuple):
    """A complete response; Content-Length is added to the headers."""

    status: int
    headers: Fields
    content: bytes

    async def send(self, send: Send) -> None:
        """Send the response by ASGI."""
        length = b"content-length", b"%d" % len(self.content)
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, length]})
        await send({"type": "http.response.body", "body": self.content})


class FastPathApplication(Protocol):
    """Application that answers requests without ASGI."""

    def respond(self, headers: Headers, body: bytes) -> Coroutine[Any, Any, Response] | None:
        """Return the response to a POST. None, without side effects, if the request must go through ASGI."""
