"""Answers to requests without ASGI."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

from starlette.types import Send

Headers = Mapping[bytes, bytes]
Fields = tuple[tuple[bytes, bytes], ...]


class Response(NamedTuple):
    """A whole response; the length of its content is added to the headers."""

    status: int
    headers: Fields
    content: bytes

    async def send(self, send: Send) -> None:
        """By ASGI."""
        length = b"content-length", b"%d" % len(self.content)
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, length]})
        await send({"type": "http.response.body", "body": self.content})


class Direct(Protocol):
    """What answers requests without ASGI."""

    def respond(self, headers: Headers, body: bytes) -> Coroutine[Any, Any, Response] | None:
        """The response to a POST. None where it must go by ASGI; then nothing is done."""
