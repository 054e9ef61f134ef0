"""Framing: the end of a request is unambiguous, and no part of a body is executed as a request."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
import pytest

from tests import servers
from tests.schema.requests import creating
from tests.server.framed import CASES, UPGRADES, Case, post

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
PROBE = post(b"x-probe: 1\r\n", b'{"query":"{ probe: __typename }"}')
PROBED = b'{"data":{"probe":"Query"}}'
PATIENCE = 30.0

Address = tuple[str, int]


@pytest.fixture(scope="module")
def address(fast_path: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    file = tmp_path_factory.mktemp("framing") / "framing.db"
    with servers.serving(f"sqlite:///{file}", VOLTGRAPH_FAST_PATH=str(fast_path)) as server:
        yield "127.0.0.1", int(server.url.rpartition(":")[2])


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        async with asyncio.timeout(PATIENCE):
            yield reader, writer
    finally:
        writer.close()


async def received(reader: asyncio.StreamReader, until: bytes) -> bytes:
    """Read up to a marker, or to the end of the connection."""
    got = b""
    while until not in got:
        try:
            more = await reader.read(2**16)
        except ConnectionError:
            break
        if not more:
            break
        got += more
    return got


async def exchanged(address: Address, case: Case) -> bytes:
    """Return the responses to a case and to a probe sent after it."""
    async with connected(address) as (reader, writer):
        writer.write(case.data if 400 in case.statuses or case.ends else case.data + PROBE)
        return await received(reader, PROBED)


async def test_each_framing_has_one_reading(address: Address) -> None:
    got = await asyncio.gather(*(exchanged(address, case) for case in CASES.values()))
    wrong = {}
    for (name, case), answers in zip(CASES.items(), got, strict=True):
        statuses = tuple(map(int, STATUS.findall(answers)))
        probed = () if 400 in case.statuses or case.ends else (200,)
        if statuses != case.statuses + probed or (PROBED in answers) != bool(probed):
            wrong[name] = statuses, answers[-200:]
    assert wrong == {}, wrong
    assert len(CASES) >= 83


async def test_a_refusal_names_its_reason_and_ends_the_connection(address: Address) -> None:
    for host, reason in (
        (b"", b"needs one Host header; this one has 0"),
        (b"host: a\r\nhost: a\r\n", b"needs one Host header; this one has 2"),
        (b"host: a, b\r\n", b"must be one host with an optional port"),
    ):
        async with connected(address) as (reader, writer):
            writer.write(post(host=host) + PROBE)
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"connection: close\r\n" in answer
        assert reason in answer
        assert answer.count(b"HTTP/1.1") == 1


async def test_a_refusal_waits_for_the_answer_before_it(address: Address) -> None:
    async with connected(address) as (reader, writer):
        writer.write(post(body=orjson.dumps(creating())) + post(host=b""))
        answers = await reader.read()
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b'"createPipeline"' in answers


def ways(cut: int, whole: bytes) -> list[tuple[tuple[bytes, ...], int]]:
    """Pieces of one or two requests, cut at a byte, and the number of requests."""
    return [
        ((whole[:cut], whole[cut:]), 1),
        ((whole + whole[:cut], whole[cut:]), 2),
        ((whole[:cut], whole[cut:] + whole), 2),
        ((b"\r\n" + whole[:cut], whole[cut:]), 1),
    ]


@pytest.mark.parametrize("more", [b"", b"connection: upgrade\r\nupgrade: h2c\r\n"], ids=["plain", "upgrade"])
async def test_a_request_may_be_cut_at_each_byte(address: Address, more: bytes) -> None:
    whole = post(more, b'{"query":"{ viewer { organizationId } }"}')
    cuts = [way for cut in range(1, len(whole)) for way in ways(cut, whole)]
    assert len(cuts) >= 540

    async def ask(cuts: list[tuple[tuple[bytes, ...], int]]) -> list[bytes]:
        wrong = []
        async with connected(address) as (reader, writer):
            for pieces, count in cuts:
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0.002)
                got = b""
                while got.count(b'"local"') < count and (more := await reader.read(2**16)):
                    got += more
                if (got.count(b"200 OK"), got.count(b'"local"')) != (count, count):
                    wrong.append(got)
        return wrong

    assert await asyncio.gather(*(ask(cuts[start::8]) for start in range(8))) == [[]] * 8


HIDDEN = post(body=orjson.dumps(creating()))
ASKED = b"connection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nupgrade: "


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"foo", b"TLS/1.0"])
@pytest.mark.parametrize("line", [b"POST /graphql", b"GET /graphql", b"POST /pipelines", b"GET /livez", b"PUT /livez"])
async def test_a_request_hidden_in_a_body_is_never_executed(address: Address, upgrade: bytes, line: bytes) -> None:
    before = await stored(address)
    for version in (b" HTTP/1.1", b" HTTP/1.0"):
        whole = post(ASKED + upgrade + b"\r\n", HIDDEN, line + version)
        head = len(whole) - len(HIDDEN)
        for cuts in ((head,), (head, head + 5), (head - 2,), (head // 2, head + len(HIDDEN) // 2), ()):
            async with connected(address) as (reader, writer):
                for start, end in zip((0, *cuts), (*cuts, len(whole)), strict=True):
                    writer.write(whole[start:end])
                    await asyncio.sleep(0.01)
                writer.write(PROBE)
                answers = await received(reader, PROBED)
            assert len(STATUS.findall(answers)) in ((2,) if version == b" HTTP/1.1" else (0, 1)), answers
            assert b'"createPipeline"' not in answers or line == b"POST /graphql"
    assert await stored(address) == before


async def stored(address: Address) -> bytes:
    async with connected(address) as (reader, writer):
        writer.write(post(body=b'{"query":"{ pipelines { totalCount } }"}'))
        return (await received(reader, b"}}}")).rpartition(b"\r\n\r\n")[2]


async def test_a_hidden_request_behind_chunks_is_never_executed(address: Address) -> None:
    before = await stored(address)
    for upgrade in (b"h2c", b"websocket"):
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
        whole = post(ASKED + upgrade + b"\r\ntransfer-encoding: chunked\r\n", chunks, length=False)
        async with connected(address) as (reader, writer):
            writer.write(whole[:300])
            await asyncio.sleep(0.01)
            writer.write(whole[300:] + PROBE)
            answers = await received(reader, PROBED)
        assert STATUS.findall(answers) == [b"400", b"200"]
    assert await stored(address) == before


@pytest.mark.parametrize("headers", [b"", ASKED.replace(b"13", b"12") + b"websocket\r\n"])
async def test_a_wrong_handshake_is_refused_and_closes(address: Address, headers: bytes) -> None:
    headers = headers or b"connection: upgrade\r\nupgrade: websocket\r\n"
    async with connected(address) as (reader, writer):
        writer.write(b"GET /graphql HTTP/1.1\r\nhost: localhost\r\n" + headers + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(HIDDEN)
        rest = await received(reader, b"createPipeline")
    assert STATUS.findall(head + rest) == [b"400"]


async def test_frames_that_come_with_the_handshake_are_read(address: Address) -> None:
    handshake = b"GET /graphql HTTP/1.1\r\nhost: localhost\r\n" + ASKED + b"websocket\r\n"
    frame = b'{"type":"connection_init"}'
    async with connected(address) as (reader, writer):
        writer.write(handshake + b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n")
        writer.write(b"\x81" + bytes([0x80 | len(frame)]) + b"\0\0\0\0" + frame)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert b"connection_ack" in await received(reader, b"connection_ack")


async def test_a_socket_that_is_asked_for_behind_a_request_is_none(address: Address) -> None:
    handshake = b"GET /graphql?query={__typename} HTTP/1.1\r\nhost: localhost\r\n" + ASKED + b"websocket\r\n\r\n"
    async with connected(address) as (reader, writer):
        writer.write(HIDDEN + handshake + PROBE)
        answers = await received(reader, PROBED)
    assert STATUS.findall(answers) == [b"200", b"200", b"200"]


def test_upgrades_are_of_many_kinds() -> None:
    assert len(UPGRADES) >= 8
