"""Reading a request's body, within limits, whatever it is sent as."""

import asyncio
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.types import Receive

from app.errors import RequestError, RequestErrorCode
from app.settings import Settings
from app.strict_json import decode
from app.waiting import within

UNPACKERS = {b"gzip": 16 + zlib.MAX_WBITS, b"x-gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
LONG = 256 * 2**10
"""Bytes of a body that is not decoded on the event loop."""
CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}


@lru_cache(256)
def require_json(content_type: bytes) -> None:
    """Refuse a body that does not say it is JSON in UTF-8. That also keeps out what browsers send unasked."""
    kind, *parameters = (part.strip() for part in content_type.decode("latin-1").lower().split(";"))
    charsets = [value.strip('" ') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"]
    if kind != "application/json" or not CHARSETS.issuperset(charsets):
        raise RequestError(RequestErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json in UTF-8.")


async def read_json(headers: Mapping[bytes, bytes], receive: Receive, settings: Settings) -> Any:
    """The body's value. `headers` have lower-case names, as ASGI has them."""
    require_json(headers.get(b"content-type", b""))
    try:
        body = await within(settings.request_timeout, read_body(headers, receive, settings))
    except TimeoutError:
        message = f"The body did not come within {settings.request_timeout:g} s."
        raise RequestError(RequestErrorCode.REQUEST_TIMEOUT, message) from None
    return await decoded(body, settings)


async def decoded(body: bytes, settings: Settings) -> Any:
    """The value of a JSON text. A long one is decoded by a thread."""
    if len(body) < LONG:
        return decode(body, settings.max_json_depth)
    return await asyncio.to_thread(decode, body, settings.max_json_depth)


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, settings: Settings) -> bytes:
    """The body, unpacked. RequestError when it is too long, cut off, or packed as nothing we know."""
    limit, chunks, size = settings.max_body_bytes, [], 0
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > limit:
        raise _too_large(limit)
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(RequestErrorCode.BAD_REQUEST, "The body ended early.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if b"content-encoding" not in headers:
        return body
    encoding = headers[b"content-encoding"].strip().lower()
    if encoding in (b"", b"identity"):
        return body
    return await asyncio.to_thread(_unpacked, body, encoding, settings.max_unpacked_bytes)


def _unpacked(body: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding not in UNPACKERS:
        raise RequestError(RequestErrorCode.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding takes gzip, deflate or identity.")
    unpacker = zlib.decompressobj(UNPACKERS[encoding])
    try:
        whole = unpacker.decompress(body, limit + 1)
    except zlib.error:
        whole = b""
    if len(whole) > limit:
        raise _too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise RequestError(RequestErrorCode.BAD_REQUEST, f"The body is not whole {encoding.decode()}.")
    return whole


def _too_large(limit: int) -> RequestError:
    return RequestError(RequestErrorCode.PAYLOAD_TOO_LARGE, f"The body is longer than {limit:,} bytes.")
