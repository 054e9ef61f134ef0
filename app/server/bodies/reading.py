"""Request bodies: read, decompress and decode within limits."""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, ParamSpec, TypeVar

from starlette.types import Receive

from app.errors import RequestError, RequestErrorCode
from app.server.bodies.quota import Holding
from app.server.bodies.strict_json import decode
from app.server.timeouts import with_timeout
from app.settings import Settings

UNPACKERS = {b"gzip": 16 + zlib.MAX_WBITS, b"x-gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
LONG = 256 * 2**10
"""Bytes of a body above which a thread decodes it."""
PIECE, STEP = 64 * 2**10, 2**20
"""Maximum bytes of a compressed body, and of its output, in one decompression step."""
THREADS = ThreadPoolExecutor(2, "bodies")
"""Threads for decoding. Only a few: decoding holds the interpreter lock, and each text takes several times its size
meanwhile."""
CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}
Body = bytes | bytearray
P = ParamSpec("P")
T = TypeVar("T")


@lru_cache(256)
def require_json(content_type: bytes) -> None:
    """Refuse a body whose Content-Type is not JSON in UTF-8. Browsers send other types without a preflight request."""
    kind, *parameters = (part.strip() for part in content_type.decode("latin-1").lower().split(";"))
    charsets = [value.strip('" ') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"]
    if kind != "application/json" or not CHARSETS.issuperset(charsets):
        raise RequestError(RequestErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json in UTF-8.")


async def read_json(headers: Mapping[bytes, bytes], receive: Receive, settings: Settings, held: Holding) -> Any:
    """Read and decode a JSON body. `headers` have lower-case names, as in ASGI. The caller releases the bytes that
    `held` counts: the value is about as large as the body."""
    require_json(headers.get(b"content-type", b""))
    try:
        body = await with_timeout(settings.request_timeout, read_body(headers, receive, settings, held))
    except TimeoutError:
        message = f"The body did not arrive within {settings.request_timeout:g} s."
        raise RequestError(RequestErrorCode.REQUEST_TIMEOUT, message) from None
    return await decoded(body, settings)


async def decoded(body: Body, settings: Settings) -> Any:
    """Decode a JSON text; a thread decodes a long one."""
    if len(body) < LONG:
        return decode(body, settings.max_json_depth)
    return await _in_thread(decode, body, settings.max_json_depth)


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, settings: Settings, held: Holding) -> Body:
    """Read and decompress a body. Raises RequestError if it is too long, truncated, or in an unknown encoding."""
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
        held.add(len(chunks[-1]))
        more = message.get("more_body", False)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if b"content-encoding" not in headers:
        return body
    encoding = headers[b"content-encoding"].strip().lower()
    if encoding in (b"", b"identity"):
        return body
    chunks.clear()
    return await _in_thread(_unpacked, body, encoding, settings.max_unpacked_bytes, held)


async def _in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run `work` in a small thread pool of its own and return its result."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, partial(work, *arguments, **named))


def _unpacked(body: bytes, encoding: bytes, limit: int, held: Holding) -> bytearray:
    """Decompress a body in steps. Each step is counted in the quota before the next one; the first step after the end
    of the request stops."""
    if encoding not in UNPACKERS:
        raise RequestError(RequestErrorCode.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding takes gzip, deflate or identity.")
    unpacker, whole = zlib.decompressobj(UNPACKERS[encoding]), bytearray()
    broken = RequestError(RequestErrorCode.BAD_REQUEST, f"The body is not complete {encoding.decode()}.")
    try:
        for step in _steps(unpacker, body):
            held.add(len(step))
            whole += step
            if len(whole) > limit:
                raise _too_large(limit)
            if held.is_over:
                break
    except zlib.error:
        raise broken from None
    if not unpacker.eof or unpacker.unused_data:
        raise broken
    return whole


def _steps(unpacker: Any, body: bytes) -> Iterator[bytes]:
    """Yield the decompressed body in parts. Raises zlib.error for another encoding, or for data after the end."""
    for start in range(0, len(body), PIECE):
        if unpacker.eof:
            raise zlib.error("goes on after its end")
        packed = body[start : start + PIECE]
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, STEP)
            packed = unpacker.unconsumed_tail
    while not unpacker.eof and (step := unpacker.decompress(b"", STEP)):
        yield step


def _too_large(limit: int) -> RequestError:
    return RequestError(RequestErrorCode.PAYLOAD_TOO_LARGE, f"The body is longer than {limit:,} bytes.")
