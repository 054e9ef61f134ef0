"""Server with keys of several organizations and projects, and a model of the data that each key may see."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from app.auth.keys import open_keys
from app.database import changes as events
from app.database.connect import database_url as parsed
from app.database.interface import Database
from app.database.writes.mutations import run_in
from app.models.enums import PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.service import next_timestamp
from tests.api import operation
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live, Socket

PATIENCE = 30.0
LONG = "é" * events.LONGEST_PAYLOAD
"""Email with which no change fits in a notification of PostgreSQL."""
FOLLOW = """subscription ($filter: PipelineFilter) {
  pipelinesUpdated(filter: $filter) { kind pipelineId pipeline { id name status projectId } }
}"""
LIST = """query ($after: String, $filter: PipelineFilter) {
  pipelines(first: 3, after: $after, filter: $filter) {
    totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
  pipelineCounts(filter: $filter) { count }
}"""
READ = "query ($id: ID!) { pipeline(id: $id) { id } node(id: $id) { id } }"


@dataclass(frozen=True)
class Who:
    """Key of the model."""

    name: str
    organization: str
    projects: frozenset[str] | None = None
    email: str | None = field(default=None, repr=False)

    def sees(self, row: Row | None) -> bool:
        """Return whether a pipeline of the model belongs to the key."""
        return row is not None and row.organization == self.organization and self.may_use(row.project)

    def may_use(self, project: str) -> bool:
        return self.projects is None or project in self.projects


@dataclass(frozen=True)
class Row:
    """Pipeline of the model."""

    id: str
    organization: str
    project: str
    name: str
    status: str
    created_at: str
    is_told_short: bool
    """Return whether its changes do not fit in a notification."""


WHO = [
    Who("all", "ours", email=LONG),
    Who("of x", "ours", frozenset("x")),
    Who("of x and y", "ours", frozenset("xy")),
    Who("of z", "ours", frozenset("z")),
    Who("theirs", "theirs"),
]
PROJECTS = "xyz"


@dataclass
class Watch:
    """Subscription of a key: its filter, and the events that it received unexpectedly so far."""

    who: Who
    key: str
    filter: dict[str, Any]
    told: list[tuple[str, str]] = field(default_factory=list)
    """Received ids, each with the whole message."""

    def wants(self, row: Row | None) -> bool:
        if not self.who.sees(row):
            return False
        assert row is not None
        return (
            self.filter.get("projectId", row.project) == row.project
            and self.filter.get("nameContains", "") in row.name
            and row.status in self.filter.get("statuses", [row.status])
        )


def filters(who: Who) -> Iterator[dict[str, Any]]:
    yield {}
    yield {"nameContains": "secret"}
    yield {"statuses": ["RUNNING"]}
    for project in PROJECTS:
        if who.may_use(project):
            yield {"projectId": project}


def kind_of(before: bool | None, after: bool, is_gone: bool) -> str:
    """Return the kind of a change by what matched; `before` is None if the notification did not tell it."""
    if is_gone:
        return "DELETED"
    if not after:
        return "LEFT"
    return "CHANGED" if before else "ENTERED"


@dataclass
class World:
    """Server, sockets of the keys, and model."""

    live: Live
    secrets: dict[str, str]
    is_told_by_notifications: bool
    watches: list[Watch]
    rows: list[Row | None] = field(default_factory=list)
    """Pipelines of the model; None for deleted ones."""
    ids: list[str] = field(default_factory=list)
    used: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)
    """By organization, project and idempotency key: the requested name, and the number of the pipeline."""
    cursors: list[str | None] = field(default_factory=lambda: [None])
    operations: int = 0
    events: int = 0

    async def send(self, who: Who, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer = await self.live.http.post("/graphql", json=body, headers={"x-api-key": self.secrets[who.name]})
        for row in self.rows:
            if row is not None and not who.sees(row):
                assert row.id not in answer.text.replace(variables.get("id", "no id"), "")
                assert f'"{row.name}"' not in answer.text or row.name.endswith("again")
        decoded: dict[str, Any] = answer.json()
        return decoded

    async def change(self, place: int, after: Row | None) -> None:
        """Change the model's pipeline: all subscribers that may see the change must receive it, and no others."""
        before = self.rows[place] if place < len(self.rows) else None
        self.rows[place : place + 1] = [after]
        id = self.ids[place]
        short = self.is_told_by_notifications and any(each and each.is_told_short for each in (before, after))
        for watch in self.watches:
            sees = [watch.who.sees(before), watch.who.sees(after)]
            if watch.wants(before) or watch.wants(after):
                is_known = not short or watch.filter.keys() <= {"projectId"}
                kind = kind_of(watch.wants(before) if is_known else None, watch.wants(after), not sees[1])
                await self._hear(watch, id, kind, after if sees[1] else None)
            elif short and sees[0]:
                await self._may_hear(watch, id)
        self._nothing_else()

    async def _hear(self, watch: Watch, id: str, kind: str, state: Row | None) -> None:
        async with asyncio.timeout(PATIENCE):
            while not watch.told:  # noqa: ASYNC110  a task receives the events
                await asyncio.sleep(0.005)
        told, text = watch.told.pop(0)
        assert told == id, (watch, text)
        change = orjson.loads(text)["payload"]["data"]["pipelinesUpdated"]
        shown = change["pipeline"]
        assert change["kind"] == kind, (watch, text)
        wanted = state and {"id": id, "name": state.name, "status": state.status, "projectId": state.project}
        assert shown == wanted, (watch, text)
        self.events += 1

    async def _may_hear(self, watch: Watch, id: str) -> None:
        """Accept one event more than expected from a short notification, for subscribers that may see the pipeline."""
        if "projectId" not in watch.filter:
            async with asyncio.timeout(PATIENCE):
                while not watch.told:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        watch.told = [each for each in watch.told if each[0] != id]

    def _nothing_else(self) -> None:
        for watch in self.watches:
            assert not watch.told, ("a leak", watch)

    async def settle(self) -> None:
        """Check that all expected events have arrived."""
        await asyncio.sleep(0.5)
        self._nothing_else()

    async def create(self, who: Who, project: str, name: str, key: str | None) -> None:
        name = f"{name} again" if key else f"{name} {len(self.ids)}"
        given: dict[str, Any] = {"projectId": project, "name": name, "elements": [], "idempotencyKey": key}
        payload = (await self.send(who, operation("CreatePipeline"), input=given))["data"]["createPipeline"]
        codes = [error["code"] for error in payload["userErrors"]]
        if not who.may_use(project):
            assert codes == ["FORBIDDEN"]
            return
        slot = who.organization, project, key or ""
        if key and slot in self.used:
            first_name, place = self.used[slot]
            first = self.rows[place]
            if first_name == name and who.sees(first):
                assert payload["pipeline"]["id"] == self.ids[place]
            else:
                assert codes == ["CONFLICT"]
            return
        assert codes == [], (slot, codes)
        made = payload["pipeline"]
        if key:
            self.used[slot] = name, len(self.ids)
        self.ids.append(made["id"])
        row = Row(made["id"], who.organization, project, name, "PENDING", made["createdAt"], who.email == LONG)
        await self.change(len(self.ids) - 1, row)

    async def rename(self, who: Who, place: int, name: str) -> None:
        row = self.rows[place]
        new = f"{name} {self.operations}"
        answer = await self.send(who, operation("UpdatePipeline"), id=self.ids[place], input={"name": new})
        codes = [error["code"] for error in answer["data"]["updatePipeline"]["userErrors"]]
        assert codes == ([] if who.sees(row) else ["NOT_FOUND"])
        if row is not None and not codes:
            await self.change(place, replace(row, name=new))

    async def delete(self, who: Who, place: int) -> None:
        row = self.rows[place]
        answer = await self.send(who, operation("DeletePipeline"), id=self.ids[place])
        codes = [error["code"] for error in answer["data"]["deletePipeline"]["userErrors"]]
        if row is not None and who.sees(row) and row.status != "RUNNING":
            assert codes == []
            await self.change(place, None)
        else:
            assert codes == (["INVALID_STATE"] if who.sees(row) else ["NOT_FOUND"])

    async def reach(self, place: int, status: PipelineStatus, project: str) -> None:
        """Change status and project of a pipeline, which no client can do."""
        row = self.rows[place]
        if row is not None:
            await _set(self.live.database, row.id, status, project)
            await self.change(place, replace(row, status=status.name, project=project))

    async def read(self, who: Who, place: int) -> None:
        row, id = self.rows[place], self.ids[place]
        found = (await self.send(who, READ, id=id))["data"]
        assert found == dict.fromkeys(("pipeline", "node"), {"id": id} if who.sees(row) else None)

    async def watch(self, who: Who, place: int, socket: Socket, inbox: asyncio.Queue[str]) -> None:
        """Subscribe to one pipeline; a hidden one does not exist."""
        row = self.rows[place]
        await socket.subscribe(clients.WATCH, "one", id=self.ids[place])
        first = orjson.loads(await asyncio.wait_for(inbox.get(), PATIENCE))
        assert first["type"] == ("next" if who.sees(row) else "error"), first
        if not who.sees(row):
            assert first["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        elif row is not None and not PipelineStatus[row.status].is_terminal:
            await socket.send({"type": "complete", "id": "one"})
        else:
            assert orjson.loads(await asyncio.wait_for(inbox.get(), PATIENCE))["type"] == "complete"

    async def list(self, who: Who, cursor: int, project: str | None) -> None:
        after = self.cursors[cursor % len(self.cursors)]
        filter = {} if project is None else {"projectId": project}
        answer = await self.send(who, LIST, after=after, filter=filter)
        if project is not None and not who.may_use(project):
            assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
            return
        page, counts = answer["data"]["pipelines"], answer["data"]["pipelineCounts"]
        rows = [row for row in self.rows if row is not None and who.sees(row) and project in (None, row.project)]
        order = sorted(((row.created_at, row.id) for row in rows), reverse=True)
        rest = order if after is None else [place for place in order if place < position(after)]
        assert page["totalCount"] == sum(each["count"] for each in counts) == len(order)
        assert [node["id"] for node in page["nodes"]] == [id for _, id in rest[:3]]
        assert page["pageInfo"]["hasNextPage"] == (len(rest) > 3)
        assert page["pageInfo"]["hasPreviousPage"] == (len(rest) < len(order))
        self.cursors += [cut for cut in (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"]) if cut]


def position(cursor: str) -> tuple[str, str]:
    """Return the position of a cursor."""
    *_, at, id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return at, id


async def _set(database: Database, id: str, status: PipelineStatus, project: str) -> None:
    async def work(session: Any) -> None:
        pipeline = await session.get_one(Pipeline, id)
        before = events.take_snapshot(pipeline)
        pipeline.status, pipeline.project_id = status, project
        pipeline.updated_at = next_timestamp(pipeline.updated_at)
        await run_in(session, events.record_change(pipeline, before))

    await database.write(work)


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[tuple[World, dict[str, tuple[Socket, asyncio.Queue[str]]]]]:
    """Open a server with its model, and the socket of each key, which receives its subscriptions to one pipeline."""
    async with open_keys(parsed(database_url)) as store:
        secrets = {
            who.name: await store.create(who.organization, email=who.email, projects=who.projects) for who in WHO
        }
    watches = [Watch(who, f"{number}", filter) for who in WHO for number, filter in enumerate(filters(who))]
    async with clients.live(database_url) as live, AsyncExitStack() as stack:
        world = World(live, secrets, not database_url.startswith("sqlite"), watches)
        sockets: dict[str, tuple[Socket, asyncio.Queue[str]]] = {}
        listening = []
        for who in WHO:
            headers = {"x-api-key": secrets[who.name]}
            socket = await stack.enter_async_context(clients.socket(live.url, additional_headers=headers))
            sockets[who.name] = socket, asyncio.Queue()
            theirs = {watch.key: watch for watch in watches if watch.who is who}
            for watch in theirs.values():
                await socket.subscribe(FOLLOW, watch.key, filter=watch.filter)
            await socket.settle()
            listening.append(asyncio.create_task(_listen(socket, theirs, sockets[who.name][1])))
        await live.database.listen()
        async with asyncio.timeout(PATIENCE):
            broker: Any = live.database.broker
            while sum(len(each) for kinds in broker._subscribers.values() for each in kinds.values()) < len(watches):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        try:
            yield world, sockets
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)


async def _listen(socket: Socket, watches: dict[str, Watch], inbox: asyncio.Queue[str]) -> None:
    async for text in socket.connection:
        assert isinstance(text, str)
        message = orjson.loads(text)
        if (watch := watches.get(message.get("id", ""))) is None:
            inbox.put_nowait(text)
        elif message["type"] == "next":
            watch.told.append((message["payload"]["data"]["pipelinesUpdated"]["pipelineId"], text))
        else:
            watch.told.append(("no id", text))
