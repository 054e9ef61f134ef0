"""Size limits: a request that is too long is refused before it is completely read, decompressed or parsed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.api import Api
from tests.schema.requests import GRAPHQL, creating, post, refusals, stored
from tests.sharing import in_process

BODY = orjson.dumps(creating())
LONG = orjson.dumps(creating(extensions={"padding": "x" * 6000}))


@pytest.fixture(scope="module", params=[True, False], ids=["plans", "executor"])
def plans(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


@pytest.fixture
async def small(sqlite_url: str, plans: bool) -> AsyncIterator[Api]:
    """API of a server with low limits."""
    limits: dict[str, Any] = {
        "max_body_bytes": 2048,
        "max_unpacked_bytes": 4096,
        "max_document_bytes": 1000,
        "max_document_tokens": 100,
    }
    async with in_process(sqlite_url, plans=plans, **limits) as api:
        yield api


async def unread() -> AsyncIterator[bytes]:
    raise AssertionError("nobody needs to read this")
    yield b""


async def endless() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b" " * 1024
    raise AssertionError("nobody needs to read on")


async def test_a_long_body_is_refused(small: Api) -> None:
    refusals(await post(small, LONG), 413, "PAYLOAD_TOO_LARGE")
    assert await stored(small) == 0


async def test_a_body_that_says_it_is_long_is_not_read(small: Api) -> None:
    refusals(await post(small, unread(), **{"content-length": "2049"}), 413, "PAYLOAD_TOO_LARGE")
    refusals(await post(small, unread(), **{"content-length": "9" * 5000}), 413, "PAYLOAD_TOO_LARGE")


async def test_a_body_that_does_not_end_is_not_read_on(small: Api) -> None:
    refusals(await post(small, endless()), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "many", "", "0x10"])
async def test_a_length_that_is_none_does_not_count(small: Api, length: str) -> None:
    answer = await post(small, b'{"query": "{ __typename }"}', **{"content-length": length})
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize("padding", [4097, 2**20], ids=["a byte too long", "a bomb"])
async def test_a_body_that_is_long_once_unpacked_is_refused(
    small: Api, encoding: str, pack: type[bytes], padding: int
) -> None:
    packed = pack(b" " * (padding - len(BODY)) + BODY)
    assert len(packed) < 2048
    refusals(await post(small, packed, **{"content-encoding": encoding}), 413, "PAYLOAD_TOO_LARGE")
    assert await stored(small) == 0


async def test_a_packed_body_of_the_greatest_length_is_taken(small: Api) -> None:
    packed = gzip.compress(b" " * (4096 - len(BODY)) + BODY)
    answer = await post(small, packed, **{"content-encoding": "gzip"})
    assert answer.json()["data"]["createPipeline"]["userErrors"] == []


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", BODY),
        ("gzip", b""),
        ("gzip", gzip.compress(BODY)[:-1]),
        ("gzip", gzip.compress(BODY) + b"x"),
        ("deflate", gzip.compress(BODY)),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_a_bad_request(small: Api, encoding: str, body: bytes) -> None:
    refusals(await post(small, body, **{"content-encoding": encoding}), 400, "BAD_REQUEST")
    assert await stored(small) == 0


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "compress", "none"])
async def test_a_body_packed_in_another_way_is_unsupported(small: Api, encoding: str) -> None:
    refusals(await post(small, BODY, **{"content-encoding": encoding}), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("document", ["{ __typename }" + " " * 987, "{ __typename } #" + "é" * 493])
async def test_a_long_document_is_refused(small: Api, document: str) -> None:
    assert len(document.encode()) in (1001, 1002)
    refusals(await post(small, {"query": document}), 413, "PAYLOAD_TOO_LARGE")
    refusals(await small.http.get("/graphql", params={"query": document}), 413, "PAYLOAD_TOO_LARGE")


async def test_a_document_of_the_greatest_length_is_taken(small: Api) -> None:
    answer = await post(small, {"query": "{ __typename }" + " " * 986})
    assert answer.json() == {"data": {"__typename": "Query"}}


async def test_a_document_of_too_many_tokens_is_not_parsed(small: Api) -> None:
    most = "{ viewer {" + "a " * 94 + "} }"
    refusals(await post(small, {"query": most}, accept=GRAPHQL), 400, "GRAPHQL_VALIDATION_FAILED")
    [error] = refusals(await post(small, {"query": f"{most} #\n{{a}}"}, accept=GRAPHQL), 400, "GRAPHQL_PARSE_FAILED")
    assert "more than 100 tokens" in error["message"]
