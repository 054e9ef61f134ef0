"""Minimal clients of subscriptions, and a server in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.cli.serve import new_server
from app.database import changes
from app.database.interface import Database
from app.database.writes.mutations import run_in
from app.models.enums import PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.service import next_timestamp
from app.server.uvicorn import Server
from app.settings import Settings
from tests.api import Api

PATIENCE = 5.0
PROTOCOL = Subprotocol("graphql-transport-ws")
WATCH = "subscription ($id: ID!) { pipelineUpdated(id: $id) { id name status } }"
FOLLOW = """subscription ($filter: PipelineFilter) {
  pipelinesUpdated(filter: $filter) { kind pipelineId pipeline { name status } }
}"""


async def move(database: Database, id: str, status: PipelineStatus) -> None:
    """Change the status of a pipeline as a run would, and publish the change."""

    async def work(session: Any) -> None:
        pipeline = await session.get_one(Pipeline, id)
        before = changes.take_snapshot(pipeline)
        pipeline.status, pipeline.updated_at = status, next_timestamp(pipeline.updated_at)
        await run_in(session, changes.record_change(pipeline, before))

    await database.write(work)


@dataclass
class Socket:
    """WebSocket that speaks graphql-transport-ws."""

    connection: ClientConnection

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = orjson.loads(await self.connection.recv())
        return message

    async def initialise(self) -> None:
        await self.send({"type": "connection_init"})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query: str, /, key: str = "1", **variables: Any) -> None:
        """Run an operation whose messages have `key` as their id."""
        await self.send({"type": "subscribe", "id": key, "payload": {"query": query, "variables": variables}})

    async def next(self, key: str = "1") -> Any:
        """Return the only field of the next result."""
        message = await self.receive()
        assert (message["type"], message["id"]) == ("next", key), message
        assert "errors" not in message["payload"], message
        [value] = message["payload"]["data"].values()
        return value

    async def settle(self) -> None:
        """Wait until the server has started all operations and sent all pending results."""
        for _ in range(3):
            await self.send({"type": "ping"})
            assert await self.receive() == {"type": "pong"}
            await asyncio.sleep(0.01)

    async def closed(self) -> tuple[int | None, str | None]:
        """Return how the server closes the socket; earlier messages are dropped."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed:
                return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def socket(url: str, *, ready: bool = True, **options: Any) -> AsyncIterator[Socket]:
    """Open a socket to the server at `url`, initialised unless told otherwise."""
    options = {"subprotocols": [PROTOCOL], "compression": None, "proxy": None} | options
    async with connect(url.replace("http", "ws", 1) + "/graphql", **options) as connection:
        opened = Socket(connection)
        if ready:
            await opened.initialise()
        yield opened


@dataclass
class Events:
    """Stream of server-sent events."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def next(self) -> tuple[str, Any]:
        """Return the next event and its data, skipping comments."""
        async with asyncio.timeout(PATIENCE):
            fields = {}
            async for line in self.lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(":")
                    fields[name] = value.strip()
                elif not line and fields:
                    break
        if not fields:
            raise StopAsyncIteration
        return fields["event"], orjson.loads(fields["data"]) if fields["data"] else None

    async def data(self) -> Any:
        """Return the only field of the next result."""
        kind, result = await self.next()
        assert (kind, "errors" in result) == ("next", False), result
        [value] = result["data"].values()
        return value


@asynccontextmanager
async def stream(http: httpx.AsyncClient, query: str, /, **variables: Any) -> AsyncIterator[Events]:
    body = {"query": query, "variables": variables}
    async with http.stream("POST", "/graphql", json=body, headers={"accept": "text/event-stream"}) as response:
        yield Events(response, response.aiter_lines())


@dataclass
class Live:
    """Listening server in this process."""

    url: str
    http: httpx.AsyncClient
    database: Database
    server: Server

    @property
    def api(self) -> Api:
        return Api(self.http, self.database)

    async def move(self, id: str, status: PipelineStatus) -> None:
        await move(self.database, id, status)


@asynccontextmanager
async def live(database_url: str, **settings: Any) -> AsyncIterator[Live]:
    server = new_server(Settings(database_url=database_url, port=0, workers=0, **settings))
    serving = asyncio.create_task(server.serve())
    while not (server.started and server.server_state.default_headers):  # the first tick sets the date
        assert not serving.done(), serving.exception()
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    app: Any = server.config.app
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield Live(url, http, app.state.services.database, server)
    server.should_exit = True
    async with asyncio.timeout(PATIENCE):
        await serving
