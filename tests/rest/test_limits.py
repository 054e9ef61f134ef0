"""Size limits: a body that is too long is refused before it is completely read or decompressed."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import orjson
import pytest

from tests.api import Api
from tests.rest.requests import JSON, get, pipeline
from tests.sharing import in_process

BODY = orjson.dumps(pipeline(description="d" * 5000))


@pytest.fixture
async def small(sqlite_url: str) -> AsyncIterator[Api]:
    """API of a server with limits of 2,048 bytes, and 4,096 decompressed."""
    async with in_process(sqlite_url, max_body_bytes=2048, max_unpacked_bytes=4096) as api:
        yield api


async def endless() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b" " * 1024
    raise AssertionError("nobody needs to read on")


async def unread() -> AsyncIterator[bytes]:
    raise AssertionError("nobody needs to read this")
    yield b""


async def refused(api: Api, body: bytes | AsyncIterator[bytes], **headers: str) -> None:
    answer = await api.http.post("/pipelines", content=body, headers={**JSON, **headers})
    assert answer.status_code == 413
    assert answer.json()["error_code"] == "PAYLOAD_TOO_LARGE"
    assert (await get(api, "/pipelines"))["total"] == 0


async def test_a_long_body_is_refused(small: Api) -> None:
    await refused(small, BODY)


async def test_a_body_that_says_it_is_long_is_not_read(small: Api) -> None:
    await refused(small, unread(), **{"content-length": "2049"})


async def test_a_body_that_does_not_end_is_not_read_on(small: Api) -> None:
    await refused(small, endless())


async def test_a_body_that_is_long_once_unpacked_is_refused(small: Api) -> None:
    packed = gzip.compress(BODY)
    assert len(packed) < 2048
    await refused(small, packed, **{"content-encoding": "gzip"})


async def test_a_bomb_is_refused(small: Api) -> None:
    bomb = gzip.compress(b" " * 2**20)
    assert len(bomb) < 2048
    await refused(small, bomb, **{"content-encoding": "gzip"})


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_hundred_thousand_rows_fit(shared: Api, encoding: str) -> None:
    columns = {"Time [s]": list(range(100_000)), "Voltage [V]": [3.7 + n / 3e9 for n in range(100_000)]}
    config = {"element_type": "data_fit", "data": {"data": columns}}
    body = orjson.dumps(pipeline(elements={"fit": config}))
    packed = gzip.compress(body, 1) if encoding == "gzip" else body
    answer = await shared.http.post("/pipelines", content=packed, headers={**JSON, "content-encoding": encoding})
    assert answer.status_code == 201
    assert answer.json()["elements"][0]["job_config"] == config
