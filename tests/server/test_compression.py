"""Compression of answers: for clients that accept it only, by all ways to answer, and never twice."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import httpx
import orjson
import pytest

from app.server.compression import LEAST, accepts_gzip, compressed
from tests.schema.requests import JSON
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live

LONG = orjson.dumps({"query": "{ __schema { types { name description fields { name } } } }"})
SHORT = orjson.dumps({"query": "{ __typename }"})
GZIP = {"accept-encoding": "gzip"}
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture
async def live(sqlite_url: str, fast_path: bool) -> AsyncIterator[Live]:
    async with clients.live(sqlite_url, fast_path=fast_path) as running:
        yield running


async def raw(http: httpx.AsyncClient, method: str, path: str, headers: Any, body: bytes | None = None) -> Any:
    """Return a response, and its body as it came."""
    async with http.stream(method, path, content=body, headers=headers) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


def vary(response: httpx.Response) -> set[str]:
    return {each.strip().lower() for each in response.headers.get("vary", "").split(",")}


async def test_a_long_answer_is_compressed_for_those_who_accept_it(live: Live) -> None:
    plain, whole = await raw(live.http, "POST", "/graphql", {**JSON, **PLAIN}, LONG)
    packed, body = await raw(live.http, "POST", "/graphql", {**JSON, **GZIP}, LONG)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == whole
    assert int(packed.headers["content-length"]) == len(body) < len(whole) / 3
    assert vary(plain) == vary(packed) == {"accept", "accept-encoding"}


async def test_a_get_and_an_error_are_compressed_too(live: Live) -> None:
    query = "{ " + " ".join(f"unknown{i}" for i in range(20)) + " }"
    response, body = await raw(live.http, "GET", f"/graphql?query={query}", GZIP)
    assert response.headers["content-encoding"] == "gzip"
    assert orjson.loads(gzip.decompress(body))["errors"]


async def test_a_short_answer_is_not_compressed(live: Live) -> None:
    response, body = await raw(live.http, "POST", "/graphql", {**JSON, **GZIP}, SHORT)
    assert "content-encoding" not in response.headers
    assert len(body) < LEAST
    assert vary(response) == {"accept", "accept-encoding"}


async def test_rest_is_compressed(live: Live) -> None:
    for _ in range(5):
        await live.api.create()
    plain, whole = await raw(live.http, "GET", "/pipelines?limit=5", PLAIN)
    packed, body = await raw(live.http, "GET", "/pipelines?limit=5", GZIP)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == whole
    assert vary(plain) == vary(packed) == {"accept-encoding"}
    assert int(packed.headers["content-length"]) == len(body)


async def test_files_of_pages_are_compressed_once(live: Live) -> None:
    response, body = await raw(live.http, "GET", "/graphql", {"accept": "text/html", **GZIP})
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).startswith(b"<!doctype html>")


async def test_event_streams_are_not_compressed(live: Live) -> None:
    headers = {**JSON, **GZIP, "accept": "text/event-stream"}
    response, body = await raw(live.http, "POST", "/graphql", headers, LONG)
    assert "content-encoding" not in response.headers
    assert body.startswith(b"event: next")


async def test_downloads_are_not_compressed_so_that_ranges_hold(live: Live) -> None:
    made = await live.api.run("CreateMeasurement", input={"projectId": "p", "name": "m", "format": "CSV"})
    content = b"Time [s],Voltage [V]\n" + b"".join(b"%d,4.2\n" % i for i in range(1000))
    assert (await live.http.put(made["upload"]["url"], content=content)).status_code == 200
    id = made["measurement"]["id"]
    url = (await live.api.data("query ($id: ID!) { measurement(id: $id) { downloadUrl } }", id=id))["measurement"]
    response, body = await raw(live.http, "GET", url["downloadUrl"], GZIP)
    assert "content-encoding" not in response.headers
    assert body == content
    part, body = await raw(live.http, "GET", url["downloadUrl"], {**GZIP, "range": "bytes=21-2020"})
    assert (part.status_code, body) == (206, content[21:2021])
    assert "content-encoding" not in part.headers


async def test_it_can_be_switched_off(sqlite_url: str, fast_path: bool) -> None:
    async with clients.live(sqlite_url, fast_path=fast_path, compression=False) as running:
        for method, path, body in (("POST", "/graphql", LONG), ("GET", "/openapi.json", None)):
            response, _ = await raw(running.http, method, path, {**(JSON if body else {}), **GZIP}, body)
            assert response.status_code == 200
            assert "content-encoding" not in response.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5, br", True),
        ("gzip; q=1.000", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("", False),
        ("*", False),
        ("br, zstd", False),
        ("x-gzip", False),
        ("gzip2", False),
    ],
)
def test_the_header_decides(header: str, accepted: bool) -> None:
    assert accepts_gzip(header.encode()) is accepted


async def test_what_does_not_shrink_stays_as_it_is() -> None:
    assert await compressed(os.urandom(10_000)) is None


async def test_a_huge_answer_leaves_the_event_loop_free() -> None:
    content = orjson.dumps([{"id": i, "name": f"Cell {i}", "value": i * 1.7} for i in range(400_000)])
    turns, start = 0, monotonic()
    packing = asyncio.create_task(compressed(content))
    while not packing.done():
        turns += 1
        await asyncio.sleep(0.001)
    assert turns > 10 * (monotonic() - start), "fewer than ten turns a second"
    assert gzip.decompress(await packing or b"") == content
