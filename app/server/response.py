"""Complete HTTP responses."""

from __future__ import annotations

from typing import NamedTuple

from starlette.types import Send

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
