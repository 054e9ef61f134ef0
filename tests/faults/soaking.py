"""Clients of a mixed load that compare each response with the state acknowledged before the request."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from websockets.exceptions import ConnectionClosed

from tests.api import operation
from tests.schema.subscriptions import clients

MOST_LIVE, MOST_RUNNING = 30, 2
"""Pipelines that a client keeps, so that the load is constant, and those of them that it runs."""
THINKS = 0.015
"""Mean seconds between a response and the client's next request."""
EVENT_PATIENCE = 30.0
IDLE = 1.0
"""Seconds after which a kept-alive connection is not reused: the server closes it after five."""
TRY_AGAIN = 1013
"""Close code of a WebSocket that is refused temporarily. As with status 503 and BUSY, that is no wrong response."""
LIST = "query List($p: ID!) { pipelines(filter: {projectId: $p}, first: 50) { totalCount nodes { id name status } } }"
ONE = "query One($id: ID!) { pipeline(id: $id) { id name status elements { name status } } }"
RANKS = {"PENDING": 0, "RUNNING": 1, "COMPLETED": 2, "FAILED": 2, "CANCELED": 2}
ELEMENTS = [{"name": "e", "elementType": "DIRECT_ENTRY", "jobConfig": {"fake": {"seconds": 0.02}, "values": {"a": 1}}}]


@dataclass
class Known:
    """State of one pipeline known to the clients: its name contains its version, its status only advances."""

    id: str
    label: str
    version: int = 1
    """Version acknowledged last; `sent` is the version requested last. A read may return either, or one between."""
    sent: int = 1
    rank: int = 0
    is_deleting: bool = False
    is_deleted: bool = False

    def name(self, version: int) -> str:
        return f"{self.label} v{version}"

    def accept(self, found: dict[str, Any], floor: Known) -> str | None:
        """Return why a response is wrong, if it is; `floor` is this state at the time of the request."""
        label, _, version = found["name"].rpartition(" v")
        rank = RANKS[found["status"]]
        if found["id"] != self.id or label != self.label or floor.is_deleted:
            return f"{found} instead of {floor}"
        if not floor.version <= int(version) <= self.sent or rank < floor.rank:
            return f"{found} is older than {floor}"
        self.rank = max(self.rank, rank)
        return None


@dataclass
class Soak:
    """State shared by all clients, and the durations of responses by window."""

    url: str
    window: float
    start: float = field(default_factory=monotonic)
    known: dict[str, Known] = field(default_factory=dict)
    deleted: deque[Known] = field(default_factory=lambda: deque(maxlen=100))
    wrong: list[str] = field(default_factory=list)
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    times: defaultdict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    is_over: bool = False

    @property
    def now(self) -> int:
        """Return the number of the current window."""
        return int((monotonic() - self.start) / self.window)

    async def end_of(self, window: int) -> None:
        """Return the end of a window."""
        await asyncio.sleep(self.start + (window + 1) * self.window - monotonic())

    def check(self, known: Known, found: dict[str, Any] | None, floor: Known) -> None:
        """Note a response that contradicts the acknowledged state of a pipeline."""
        if found is not None:
            if (fault := known.accept(found, floor)) is not None:
                self.wrong.append(fault)
        elif not known.is_deleting:
            self.wrong.append(f"null instead of {floor}")


class Connection:
    """Kept-alive HTTP connection. Minimal, so that the clients' own work does not dominate the measurements."""

    def __init__(self, soak: Soak) -> None:
        self._soak = soak
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0
        self.is_answered = False
        """Whether the last request was neither answered wrongly nor refused temporarily."""

    async def ask(self, kind: str, query: str, /, **variables: Any) -> Any:
        """Return the only field of the data. A response with errors counts as wrong, or, with BUSY, as refused; both
        return None."""
        body = orjson.dumps({"query": query, "variables": variables})
        began = monotonic()
        status, answer = await self._send(body)
        self._soak.times[kind, self._soak.now].append(monotonic() - began)
        self._soak.counts[kind] += 1
        decoded, self.is_answered = orjson.loads(answer), False
        if status == b"503" and decoded["errors"][0]["extensions"]["code"] == "BUSY":
            self._soak.counts["refused"] += 1
            return None
        if status != b"200" or "errors" in decoded:
            self._soak.wrong.append(f"{kind}: {status!r} {answer!r}")
            return None
        [value] = decoded["data"].values()
        self.is_answered = True
        return value

    async def _send(self, body: bytes) -> tuple[bytes, bytes]:
        at = urlsplit(self._soak.url)
        if self._streams is not None and (self._streams[0].at_eof() or monotonic() - self._used > IDLE):
            self._streams[1].close()
            self._streams = None
        if self._streams is None:
            self._streams = await asyncio.open_connection(at.hostname, at.port)
        reader, writer = self._streams
        head = f"POST /graphql HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-type: application/json\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        [length] = [int(value.partition(b":")[2]) for value in fields if value.startswith(b"content-length:")]
        content = await reader.readexactly(length)
        self._used = monotonic()
        return status.split()[1], content

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class Client:
    """Client with a project of its own, whose exact content it knows; it also reads other projects."""

    def __init__(self, soak: Soak, project: str, seed: int) -> None:
        self._soak, self._project, self._dice = soak, project, random.Random(seed)
        self._connection = Connection(soak)
        self._live: list[Known] = []
        self._numbers = itertools.count()

    async def run(self) -> None:
        works: list[Callable[[], Any]] = [self._create, self._update, self._delete, self._start]
        works += [self._list, self._read_any, self._probe]
        try:
            while not self._soak.is_over:
                [work] = self._dice.choices(works, [18, 14, 18, 3, 14, 26, 20])
                await work()
                await asyncio.sleep(self._dice.expovariate(1 / THINKS))
            await self._list()
        finally:
            self._connection.close()

    async def _create(self) -> Known | None:
        """Create a pipeline and read it immediately."""
        if len(self._live) >= MOST_LIVE:
            return None
        label = f"{self._project} {next(self._numbers)}"
        given = {"projectId": self._project, "name": f"{label} v1", "elements": ELEMENTS}
        made = await self._changed("create", "CreatePipeline", input=given)
        if made is None:
            return None
        known = self._soak.known[made["pipeline"]["id"]] = Known(made["pipeline"]["id"], label)
        self._live.append(known)
        await self._read(known)
        return known

    async def _update(self) -> None:
        if self._live:
            await self.update(self._dice.choice(self._live))

    async def update(self, known: Known) -> None:
        """Rename a pipeline to its next version and read it immediately."""
        known.sent += 1
        if await self._changed("update", "UpdatePipeline", id=known.id, input={"name": known.name(known.sent)}):
            known.version = known.sent
            await self._read(known)

    async def _delete(self) -> None:
        if done := [known for known in self._live if known.rank != 1]:
            await self.delete(self._dice.choice(done))

    async def delete(self, known: Known) -> None:
        """Delete a pipeline and read it immediately."""
        known.is_deleting = True
        if await self._changed("delete", "DeletePipeline", id=known.id):
            known.is_deleted = True
            self._live.remove(known)
            self._soak.deleted.append(self._soak.known.pop(known.id))
            await self._read(known)
        elif not self._connection.is_answered:
            known.is_deleting = False

    async def _start(self) -> None:
        pending = [known for known in self._live if not known.rank]
        if pending and sum(known.rank == 1 for known in self._live) < MOST_RUNNING:
            known = self._dice.choice(pending)
            if await self._changed("start", "StartPipeline", id=known.id):
                known.rank = max(known.rank, 1)
                await self._read(known)

    async def _list(self) -> None:
        """Read the whole project: exactly the known pipelines, newest first."""
        floors = [replace(known) for known in reversed(self._live)]
        page = await self._connection.ask("list", LIST, p=self._project)
        if page is None:
            return
        ids = [node["id"] for node in page["nodes"]]
        if ids != [floor.id for floor in floors] or page["totalCount"] != len(floors):
            self._soak.wrong.append(f"list of {self._project}: {page} instead of {[floor.label for floor in floors]}")
            return
        for floor, node in zip(floors, page["nodes"], strict=True):
            self._soak.check(self._soak.known[floor.id], node, floor)

    async def _read_any(self) -> None:
        """Read a pipeline of any client, or a deleted one."""
        there = list(self._soak.known.values()) if self._dice.random() < 0.95 else list(self._soak.deleted)
        if there:
            await self._read(self._dice.choice(there))

    async def _read(self, known: Known) -> None:
        floor = replace(known)
        found = await self._connection.ask("read", ONE, id=known.id)
        if self._connection.is_answered:
            self._soak.check(known, found, floor)

    async def _probe(self) -> None:
        """Send a request without database access, whose duration shows the load of the machine."""
        await self._connection.ask("probe", "{ __typename }")

    async def _changed(self, kind: str, name: str, /, **variables: Any) -> Any:
        """Return the payload of a mutation; None if it was refused, which counts as wrong."""
        payload = await self._connection.ask(kind, operation(name), **variables)
        if payload is not None and payload["userErrors"]:
            self._soak.wrong.append(f"{kind}: {payload}")
            return None
        return payload


class Watcher(Client):
    """Client that subscribes to its own pipeline, by WebSocket and by event stream in turn, until it receives its own
    change. It then disconnects, orderly or not, and deletes the pipeline."""

    async def run(self) -> None:
        try:
            for number in itertools.count():
                if self._soak.is_over:
                    break
                known = await self._create()
                if known is not None:
                    try:
                        await (self._by_socket(known) if number % 2 else self._by_stream(known))
                    except ConnectionClosed as error:
                        if error.rcvd is None or error.rcvd.code != TRY_AGAIN:
                            raise
                        self._soak.counts["refused"] += 1
                    await self.delete(known)
                await asyncio.sleep(0.2)
        finally:
            self._connection.close()

    async def _by_socket(self, known: Known) -> None:
        async with clients.socket(self._soak.url) as socket:
            await socket.subscribe(clients.WATCH, id=known.id)
            await self._hear(known, socket.next)
            if self._dice.random() < 0.5:
                socket.connection.transport.abort()
        self._soak.counts["socket"] += 1

    async def _by_stream(self, known: Known) -> None:
        async with (
            httpx.AsyncClient(base_url=self._soak.url, trust_env=False, timeout=EVENT_PATIENCE) as http,
            clients.stream(http, clients.WATCH, id=known.id) as stream,
        ):
            if stream.response.status_code == 503:
                self._soak.counts["refused"] += 1
                return
            await self._hear(known, stream.data)
        self._soak.counts["stream"] += 1

    async def _hear(self, known: Known, hear: Callable[[], Any]) -> None:
        """Receive the current state, change the pipeline, and receive the change."""
        self._soak.check(known, await hear(), replace(known))
        await self.update(known)
        try:
            async with asyncio.timeout(EVENT_PATIENCE):
                while (found := await hear())["name"] != known.name(known.version):
                    pass
        except TimeoutError:
            self._soak.wrong.append(f"nothing was heard of {known}")
        else:
            self._soak.check(known, found, replace(known))
