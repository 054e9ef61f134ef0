"""Compression of complete responses (gzip), for clients that accept it.

Event streams, WebSockets, and bodies that are sent in parts, such as downloads, stay as they are.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1024
"""Minimum bytes of a body that is compressed: shorter ones fit into one packet anyway."""
LEVEL = 1
"""Level of zlib: higher ones take several times as long for a tenth less."""
INLINE = 64 * 2**10
"""Maximum bytes of a body that is compressed on the event loop, which takes less than a millisecond."""
GZIP = 16 + zlib.MAX_WBITS
ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY = (
    b"accept-encoding",
    b"content-encoding",
    b"content-length",
    b"vary",
)
ENCODED = (CONTENT_ENCODING, b"gzip")
TYPES = (b"application/json", b"application/problem+json", b"application/graphql-response+json", b"text/")
"""Beginnings of the media types that are compressed."""


@lru_cache(64)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Return whether a client accepts gzip by its Accept-Encoding header. `*` alone is not taken for it."""
    for part in accept_encoding.lower().split(b","):
        coding, _, weight = part.replace(b" ", b"").partition(b";q=")
        if coding == b"gzip":
            return re.fullmatch(rb"0(\.0*)?", weight) is None
    return False


async def compressed(content: bytes) -> bytes | None:
    """Return a body compressed, long ones in a thread; None if that makes it no shorter."""
    packed = _pack(content) if len(content) <= INLINE else await asyncio.to_thread(_pack, content)
    return packed if len(packed) < len(content) else None


def _pack(content: bytes) -> bytes:
    return zlib.compress(content, LEVEL, GZIP)


class Compressed:
    """ASGI middleware that compresses complete responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        accepted = next((value for name, value in scope["headers"] if name == ACCEPT_ENCODING), b"")
        await self._app(scope, receive, _Sender(send, accepts=accepts_gzip(accepted)))


class _Sender:
    """Sender of one response. It holds the head until the first part of the body has come."""

    def __init__(self, send: Send, *, accepts: bool) -> None:
        self._send, self._accepts = send, accepts
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_compressible(message["headers"]):
            message["headers"] = _with_vary(message["headers"])
            if self._accepts:
                self._head = message
                return
        elif self._head is not None:
            head, self._head = self._head, None
            content = message.get("body", b"")
            is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            if is_whole and len(content) >= LEAST and (packed := await compressed(content)) is not None:
                length = CONTENT_LENGTH, b"%d" % len(packed)
                others = [field for field in head["headers"] if field[0].lower() != CONTENT_LENGTH]
                head, message = {**head, "headers": [*others, ENCODED, length]}, {**message, "body": packed}
            await self._send(head)
        await self._send(message)


def _is_compressible(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether a response of these headers may be compressed: text without an encoding of its own."""
    fields = {name.lower(): value for name, value in headers}
    if CONTENT_ENCODING in fields or b"content-range" in fields or b"accept-ranges" in fields:
        return False
    kind = fields.get(b"content-type", b"")
    return kind.startswith(TYPES) and not kind.startswith(b"text/event-stream")


def _with_vary(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with Accept-Encoding in Vary."""
    known = [value for name, value in headers if name.lower() == VARY]
    if any(b"accept-encoding" in value.lower() or value.strip() == b"*" for value in known):
        return headers
    others = [field for field in headers if field[0].lower() != VARY]
    return [*others, (VARY, b", ".join([*known, b"Accept-Encoding"]))]
