"""Uploads and downloads of files. Their address is the right: they need no API key. Bodies are streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from app.errors import RequestError, RequestErrorCode
from app.measurements import downloads, files, uploads
from app.measurements.downloads import Download, parse_range
from app.measurements.files import CHUNK
from app.rest.authentication import services
from app.rest.measurements.endpoints import Limits
from app.rest.pipelines import In, no_nul
from app.server.bodies.quota import Holding

HELD = 4 * CHUNK
"""Bytes that an upload holds in memory: a chunk, and what arrives while it is stored."""
HEADERS = {
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox",
}

transfers = APIRouter(tags=["Transfer"], dependencies=[Depends(no_nul)])


@transfers.put("/uploads/{token}", status_code=200)
async def upload(token: str, request: Request, db: In, limits: Limits) -> Response:
    """Store the file of a measurement: the body as it is, in any media type. The address works until a whole file has
    arrived."""
    if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        message = "Send the file as it is: its bytes are kept, so that a Content-Encoding has no place."
        raise RequestError(RequestErrorCode.UNSUPPORTED_MEDIA_TYPE, message)
    if "content-range" in request.headers:  # https://www.rfc-editor.org/rfc/rfc9110#section-14.5
        message = (
            "Send the whole file, without Content-Range: an upload that broke off begins again from its first byte."
        )
        raise RequestError(RequestErrorCode.BAD_REQUEST, message)
    length = request.headers.get("content-length", "")
    announced = int(length[:19]) if length.isascii() and length.isdigit() else None
    with services(request).bodies.hold() as held:
        held.add(HELD)
        try:
            async with asyncio.timeout(uploads.LIFETIME.total_seconds()):
                await uploads.receive(db, token, announced, _parts(request, held), limits)
        except ClientDisconnect:
            raise RequestError(RequestErrorCode.BAD_REQUEST, "The body ended early.") from None
        except TimeoutError:
            raise _late("The file did not arrive in time.") from None
    return Response(status_code=200, headers={"cache-control": "no-store"})


async def _parts(request: Request, held: Holding) -> AsyncIterator[bytes]:
    """Yield the parts of a body. Raises REQUEST_TIMEOUT if none arrives for long."""
    stream, seconds = request.stream(), request.app.state.settings.request_timeout
    while not held.is_over:
        try:
            async with asyncio.timeout(seconds):
                part = await anext(stream, None)
        except TimeoutError:
            raise _late(f"No part of the body arrived within {seconds:g} s.") from None
        if part is None:
            return
        yield part


@transfers.head("/downloads/{token}", include_in_schema=False)
@transfers.get("/downloads/{token}", response_class=Response)
async def download(token: str, request: Request, db: In) -> Response:
    """Get a stored file, or a range of its bytes."""
    file_id = await services(request).signer.verify(token)
    found = None if file_id is None else await downloads.find(db, file_id)
    if found is None:
        message = "The address of this download is unknown or has expired. Ask for another one."
        raise RequestError(RequestErrorCode.NOT_FOUND, message)
    size, headers = found.file.byte_count, _headers(found)
    part = None if _is_outdated(request, headers["etag"]) else parse_range(request.headers.get("range"), size)
    if part is not None and part[0] >= part[1]:
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{size}"})
    start, end = part or (0, size)
    if part is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    headers["content-length"] = str(end - start)
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="application/octet-stream")
    body = files.read(db, found.file.id, start, end)
    return StreamingResponse(body, status, headers, media_type="application/octet-stream")


def _headers(found: Download) -> dict[str, str]:
    name = quote(found.name, safe="")
    return HEADERS | {
        "etag": f'"{found.file.sha256}"',
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
    }


def _is_outdated(request: Request, etag: str) -> bool:
    """Return whether a range is of another version of the file (If-Range)."""
    condition = request.headers.get("if-range")
    return condition is not None and condition != etag


def _late(message: str) -> RequestError:
    return RequestError(RequestErrorCode.REQUEST_TIMEOUT, message)
