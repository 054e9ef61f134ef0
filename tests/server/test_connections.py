"""Limits on connections: their number, and the write timeout."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from uvicorn.protocols.utils import ClientDisconnected

from app.server.connections.connection_limit import SPARE, Connections
from tests import servers
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live
from tests.server.framed import post

LARGE = "{ pipelines { nodes { elements { jobConfig } } } }"
"""Query with a response of 0.4 MB over a large pipeline: twenty-five of them exceed the kernel's buffers."""
VIEWER = "{ viewer { organizationId } }"
QUERY = orjson.dumps({"query": LARGE})
FOLLOW = b'{"query":"subscription { pipelinesUpdated { pipeline { elements { jobConfig } } } }"}'
TIMEOUT = 1.0
PATIENCE = 60.0


@pytest.fixture
async def live(fast_path: bool, sqlite_url: str) -> AsyncIterator[Live]:
    async with clients.live(sqlite_url, write_timeout=TIMEOUT, fast_path=fast_path) as running:
        running.http.timeout = PATIENCE  # the server shares its event loop with the test
        yield running


async def create_large(live: Live) -> str:
    """Create a pipeline of 0.4 MB and return its id."""
    config = {"values": {"text": "x" * 400_000}}
    elements = [{"name": "large", "elementType": "DIRECT_ENTRY", "jobConfig": config}]
    id: str = (await live.api.create(elements=elements))["id"]
    return id


@asynccontextmanager
async def unread(live: Live) -> AsyncIterator[socket.socket]:
    """Open a connection with a small window."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        port = int(live.url.rpartition(":")[2])
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        yield client


async def until_closed(live: Live, open: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(live.server.server_state.connections) > open:  # noqa: ASYNC110  the server has no event for this
            await asyncio.sleep(0.05)


async def ended(live: Live, kind: str) -> int:
    text = (await live.http.get("/metrics")).text
    name = f'voltgraph_ended_connections_total{{kind="{kind}"}} '
    return int(float(next(line for line in text.splitlines() if line.startswith(name)).removeprefix(name)))


async def until_timed_out(live: Live) -> None:
    async with asyncio.timeout(PATIENCE):
        while await ended(live, "write_timeout") == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_answers_that_are_never_read_end_their_connection(live: Live) -> None:
    await create_large(live)
    async with unread(live) as client:
        await asyncio.get_running_loop().sock_sendall(client, post(body=QUERY) * 25)
        await until_timed_out(live)
        await until_closed(live, 1)
    assert await ended(live, "write_timeout") == 1


async def test_an_event_stream_that_is_never_read_ends(live: Live) -> None:
    id = await create_large(live)
    async with unread(live) as client:
        await asyncio.get_running_loop().sock_sendall(client, post(b"accept: text/event-stream\r\n", FOLLOW))
        async with asyncio.timeout(PATIENCE):
            while not live.database.broker._subscribers:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            number = 0
            while not await ended(live, "write_timeout"):
                number += 1
                await live.api.run("UpdatePipeline", id=id, input={"name": f"name {number}"})
                await asyncio.sleep(0.02)
            while live.database.broker._subscribers:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)


def frame(message: dict[str, Any]) -> bytes:
    """Build a message as a client sends it, masked by zeros."""
    data = orjson.dumps(message)
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data


async def test_a_socket_that_is_never_read_ends(live: Live) -> None:
    await create_large(live)
    messages: list[dict[str, Any]] = [{"type": "connection_init", "payload": {"padding": "x" * 126}}]
    messages += [{"type": "subscribe", "id": str(number), "payload": {"query": LARGE}} for number in range(25)]
    async with unread(live) as client:
        await asyncio.get_running_loop().sock_sendall(client, HANDSHAKE + b"".join(map(frame, messages)))
        await until_timed_out(live)
        await until_closed(live, 1)
        async with asyncio.timeout(PATIENCE):
            while live.server.server_state.tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert await ended(live, "write_timeout") == 1


@pytest.mark.slow
@pytest.mark.long
async def test_a_client_that_is_slow_gets_all_of_its_answers(live: Live) -> None:
    await create_large(live)
    loop, start, got, count = asyncio.get_running_loop(), time.monotonic(), b"", 25
    async with unread(live) as client, asyncio.timeout(4 * PATIENCE):
        await loop.sock_sendall(client, post(body=QUERY) * count)
        while time.monotonic() - start < 3 * TIMEOUT:
            got += await loop.sock_recv(client, 2**16)
            await asyncio.sleep(0.05)
        while got.count(b"HTTP/1.1 200 OK") < count:
            received = await loop.sock_recv(client, 2**20)
            assert received, got[-300:]
            got += received
    assert await ended(live, "write_timeout") == 0


async def test_pings_whose_pongs_are_never_read_take_no_memory(live: Live) -> None:
    async with clients.socket(live.url) as opened:
        opened.connection.transport.pause_reading()
        [protocol] = [each for each in live.server.server_state.connections if hasattr(each, "handle_ping")]
        ping = b"\x89\xfd" + b"\0\0\0\0" + b"x" * 125
        for _ in range(60):
            opened.connection.transport.write(ping * 1000)
            await asyncio.sleep(0.01)
        assert protocol.transport.get_write_buffer_size() < 2**20
        opened.connection.transport.abort()


async def test_connections_have_at_most_30_attributes_beside_their_slots(live: Live) -> None:
    assert (await live.http.get("/livez")).status_code == 200
    async with clients.socket(live.url) as opened:
        await opened.subscribe("subscription { pipelinesUpdated { pipelineId } }")
        await opened.settle()
        found = {type(each).__name__: len(vars(each)) for each in live.server.server_state.connections}
    assert len(found) == 2  # an HTTP connection and a WebSocket
    assert max(found.values()) <= 30, found  # with more, each has a table of names of its own


async def test_a_client_that_answers_no_ping_is_no_fault(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    async with clients.socket(live.url) as opened:
        await opened.subscribe("subscription { pipelinesUpdated { pipelineId } }")
        await opened.settle()
        connections: Iterable[Any] = live.server.server_state.connections
        [protocol] = [each for each in connections if hasattr(each, "handle_ping")]
        protocol.keepalive_timeout()
        with pytest.raises(ClientDisconnected):
            await protocol.send({"type": "websocket.send", "text": "{}"})
        with pytest.raises(RuntimeError):
            await protocol.send({"type": "websocket.accept"})
        await until_closed(live, 1)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_connections_have_a_bound(sqlite_url: str, fast_path: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with clients.live(sqlite_url, max_connections=4, fast_path=fast_path) as live:
        await live.http.get("/livez")
        port = int(live.url.rpartition(":")[2])
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1\r\n" in answer
            writer.close()
        assert [record.getMessage() for record in caplog.records if "connections are open" in record.getMessage()] == [
            "4 connections are open and the limit is 4: more are refused"
        ]
        assert await ended(live, "refused") == 5
        for _, writer in held:
            writer.close()
        await until_closed(live, 1)
        async with clients.socket(live.url) as opened:
            await opened.subscribe(VIEWER)
            assert await opened.next()
            assert "voltgraph_open_connections 2.0" in (await live.http.get("/metrics")).text


def test_each_episode_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    connections = Connections(10)
    for open in (10, 11, 11, 10, 11, 5, 11, 11):
        assert connections.admits(open, 3) == (open <= 10)
    assert len(caplog.records) == 2
    assert connections.ended["refused"] == 5


def test_file_descriptors_bound_connections_too(caplog: pytest.LogCaptureFixture) -> None:
    connections, (most, _) = Connections(10**6), resource.getrlimit(resource.RLIMIT_NOFILE)
    assert connections.admits(5, most - SPARE - 1)
    assert not connections.admits(6, most - SPARE)
    assert "file descriptors are left" in caplog.text


def test_a_server_that_runs_out_of_file_descriptors_goes_on(sqlite_url: str) -> None:
    with servers.serving(sqlite_url) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=20) as http:
        pid, port = server.process.pid, int(server.url.rpartition(":")[2])
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (128, hard))
        assert http.get("/livez").status_code == 200
        with ExitStack() as held:
            answers = []
            for _ in range(150):
                client = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
                client.settimeout(0.01)
                try:
                    answers.append(client.recv(12))
                except (TimeoutError, ConnectionError):
                    answers.append(b"")
            assert answers[0] == b""
            assert b"HTTP/1.1 503" in answers[-20:]
            before, start = cpu(pid), time.monotonic()
            time.sleep(1)
            assert cpu(pid) - before < 0.5 * (time.monotonic() - start)
            assert http.get("/readyz").status_code == 200  # over an existing connection
        end = time.monotonic() + PATIENCE
        while httpx.get(f"{server.url}/livez", trust_env=False, timeout=20).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.1)


def cpu(pid: int) -> float:
    """Return the CPU time of a process in seconds."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
