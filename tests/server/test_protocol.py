"""HTTP/1.1 protocol: each request gets its response in order, however requests are split and pipelined."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from app.server.connections import http
from app.server.connections.http import HttpProtocol
from app.server.fast_path.interface import FastPathApplication, Headers
from app.server.fast_path.protocol import FastPathProtocol
from app.server.response import Response
from tests import servers
from tests.schema.requests import creating

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
WRITES = orjson.dumps(creating())


@pytest.fixture(scope="module")
def address(fast_path: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp("protocol")
    with servers.serving(f"sqlite:///{folder}/protocol.db", VOLTGRAPH_FAST_PATH=str(fast_path)) as server:
        parts = urlsplit(server.url)
        assert parts.hostname
        assert parts.port
        yield parts.hostname, parts.port


@pytest.fixture
async def connection(address: tuple[str, int]) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(*address)
    yield reader, writer
    writer.close()


def query(text: str) -> bytes:
    return orjson.dumps({"query": text})


def request(body: bytes, *headers: str) -> bytes:
    lines = ["POST /graphql HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "\r\n"]).encode() + body


async def response(reader: asyncio.StreamReader) -> bytes:
    """Return the body of the next response, which must be a success."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = next(line for line in head.splitlines() if line.startswith(b"content-length: "))
        return await reader.readexactly(int(length.split()[1]))


async def test_many_requests_in_one_piece_are_answered_in_order(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"".join(request(query(f"{{ a{i}: __typename }}")) for i in range(200)))
    for i in range(200):
        assert orjson.loads(await response(reader)) == {"data": {f"a{i}": "Query"}}


async def test_a_connection_parses_few_requests_ahead(connection: Connection) -> None:
    """10,000 requests, of which each parsed one takes kilobytes, are answered in order, also when they fill buffers."""
    reader, writer = connection
    one = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    writer.write(one * 10_000 + request(query("{ last: __typename }")))
    for _ in range(10_000):
        assert (await response(reader)).startswith(b"ok")
    assert b"last" in await response(reader)


async def test_few_requests_are_queued_behind_one_that_waits() -> None:
    """Only bytes wait behind a full queue; each request is answered in the end."""
    may_go, made = asyncio.Event(), []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await may_go.wait()
        await Response(200, (), b"by ASGI").send(send)

    def new_protocol() -> HttpProtocol:
        made.append(HttpProtocol(config, ServerState(), {}))
        return made[-1]

    config = uvicorn.Config(application, http=HttpProtocol, log_config=None)
    config.load()
    server = await asyncio.get_running_loop().create_server(new_protocol, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    one = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    writer.write(one * 20_000)
    await asyncio.sleep(0.5)
    assert 0 < len(made[0].pipeline) < http.MAX_PIPELINED + http.PIECE / len(one)
    may_go.set()
    for _ in range(20_000):
        assert await response(reader) == b"by ASGI"
    writer.close()
    server.close()


async def test_a_read_waits_for_the_write_before_it(connection: Connection) -> None:
    reader, writer = connection
    for _ in range(20):
        writer.write(request(WRITES) + request(query("{ read: __typename }")))
        assert b"createPipeline" in await response(reader)
        assert b"read" in await response(reader)


@pytest.mark.parametrize("cut", [1, 30, 100, -40, -1])
async def test_a_request_may_come_in_pieces(connection: Connection, cut: int) -> None:
    reader, writer = connection
    whole = request(query("{ pieces: __typename }"))
    for piece in (whole[:cut], whole[cut:]):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.05)  # long enough for separate reads of the pieces
    assert b"pieces" in await response(reader)


async def test_a_body_that_is_waited_for_is_asked_for(connection: Connection) -> None:
    reader, writer = connection
    head, _, body = request(query("{ asked: __typename }"), "Expect: 100-continue").partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert b"asked" in await response(reader)


async def test_who_asks_for_an_end_gets_one(connection: Connection) -> None:
    reader, writer = connection
    writer.write(request(query("{ last: __typename }"), "Connection: close"))
    assert b"last" in await response(reader)
    async with asyncio.timeout(10):
        assert await reader.read() == b""


async def test_chunks_are_put_together(connection: Connection) -> None:
    reader, writer = connection
    body = query("{ chunks: __typename }")
    head = request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    writer.write(head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
    assert b"chunks" in await response(reader)


async def test_a_long_answer_to_who_does_not_read_stops_no_one_else(
    connection: Connection, address: tuple[str, int]
) -> None:
    _, writer = connection
    introspection = request(query("{ __schema { types { name description fields { name description } } } }"))
    writer.write(introspection * 1000)
    reader, other = await asyncio.open_connection(*address)
    other.write(request(query("{ other: __typename }")))
    assert b"other" in await response(reader)
    other.close()


async def test_what_is_no_http_is_refused(connection: Connection) -> None:
    reader, writer = connection
    writer.write(request(query("{ before: __typename }")))
    assert b"before" in await response(reader)
    writer.write(b"\x00\x01\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


async def test_heads_that_came_before_are_no_reason_to_mix_things_up(connection: Connection) -> None:
    reader, writer = connection
    chosen = random.Random(1)
    for turn in range(300):
        bodies = [
            chosen.choice([query(f"{{ a{turn}x{i}: __typename }}"), WRITES]) for i in range(chosen.choice([1, 3]))
        ]
        whole = b"".join(map(request, bodies))
        cut = chosen.choice([len(whole), len(whole), chosen.randrange(len(whole))])
        writer.write(whole[:cut])
        await asyncio.sleep(chosen.choice([0, 0.002]))
        writer.write(whole[cut:])
        for i, body in enumerate(bodies):
            assert (b"createPipeline" if body == WRITES else b"a%dx%d" % (turn, i)) in await response(reader)


HEAD = 0.8
"""Timeout of a head in seconds."""


class Answers:
    """Application that responds immediately."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await asyncio.sleep(2 * HEAD)
            await send({"type": "websocket.send", "text": "late"})
        else:
            body = (await receive())["body"]
            await (await self._answer(body)).send(send)

    waits = False

    @property
    def fast_path(self) -> FastPathApplication:
        return self

    async def _answer(self, body: bytes) -> Response:
        if body == b"wait":
            await asyncio.sleep(0)
        if body == b"fail":
            await asyncio.sleep(0)
            raise ValueError("a fault of the server")
        return Response(200, (), b"answer: " + body)

    def respond(self, headers: Headers, body: bytes) -> Coroutine[Any, Any, Response]:
        return self._answer(body)


@pytest.fixture
async def answering(monkeypatch: pytest.MonkeyPatch, fast_path: bool) -> AsyncIterator[tuple[str, int]]:
    """Address of a server with that application. Connections are kept alive for 1 s."""
    monkeypatch.setattr(http, "HEAD_TIMEOUT", HEAD)
    kind = FastPathProtocol if fast_path else HttpProtocol
    config = uvicorn.Config(Answers(), http=kind, timeout_keep_alive=1, log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: kind(config, ServerState(), {}), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()
    server.close()


@pytest.fixture
async def answers(answering: tuple[str, int]) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(*answering)
    yield reader, writer
    writer.close()


async def test_a_connection_is_closed_once_it_was_idle_for_long_enough(answers: Connection) -> None:
    reader, writer = answers
    loop = asyncio.get_running_loop()
    for text in (b"1", b"2", b"3"):
        writer.write(request(text))
        assert await response(reader) == b"answer: " + text
        await asyncio.sleep(0.7)
    start = loop.time()
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    assert loop.time() - start < 1  # 0.7 s of it have passed


async def test_what_fails_while_it_waits_ends_its_connection_and_is_logged(
    answers: Connection, fast_path: bool, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = answers
    for _ in range(2):
        writer.write(request(b"wait"))
        assert await response(reader) == b"answer: wait"
    writer.write(request(b"fail"))
    async with asyncio.timeout(5):
        rest = await reader.read()
    assert rest == b"" if fast_path else rest.startswith(b"HTTP/1.1 500 ")
    assert "a fault of the server" in caplog.text


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"POST /graph", b"POST /graphql HTTP/1.1\r\nHost: localhost\r\n"])
@pytest.mark.parametrize("used", [False, True])
async def test_a_head_that_does_not_come_is_waited_for_no_longer(answers: Connection, sent: bytes, used: bool) -> None:
    reader, writer = answers
    if used:
        writer.write(request(b"first"))
        assert await response(reader) == b"answer: first"
    start = asyncio.get_running_loop().time()
    writer.write(sent[:-1])
    await asyncio.sleep(0.75 * HEAD)
    writer.write(sent[-1:])  # single bytes do not extend the timeout
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    took = asyncio.get_running_loop().time() - start
    assert took < (2 if used and not sent else 1.6 * HEAD)


async def test_a_websocket_has_no_head_to_wait_for(answering: tuple[str, int]) -> None:
    host, port = answering
    async with connect(f"ws://{host}:{port}/", proxy=None) as socket, asyncio.timeout(5):
        assert await socket.recv() == "late"
