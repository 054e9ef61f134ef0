"""Duration of a document's first request, compared with Strawberry's own executor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson
from starlette.types import Message

from app.auth.caller import LOCAL
from app.main import Voltgraph, create_app
from app.pipelines.budget import Budget
from app.settings import Settings
from schema import schema
from schema.types.context import Context
from tests.bench.load import body
from tests.bench.report import Options, ratio, table, verdict
from tests.bench.rows import pipeline_id
from tests.bench.running import sqlite
from tests.bench.works import ONE

TARGET = 2.0
EACH = 100
"""Documents in a round."""
DOCUMENT = f"query One%d($id: ID!) {{ pipeline(id: $id) {{ {ONE} }} }}"
HEADERS = [(b"content-type", b"application/json"), (b"host", b"localhost")]
VARIABLES = {"id": pipeline_id(1)}


def first_time(options: Options, folder: Path) -> str:
    """Measure unseen documents, each once, in this process: no HTTP, no load generator."""
    url = sqlite(folder, 100)
    ours, theirs = asyncio.run(_measured(Settings(database_url=url, workers=0), options.rounds))
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    times = [f"{median(each) * 1e3:.2f}" for each in (ours, theirs)]
    target = verdict(median(ratios) <= TARGET, f"≤ {TARGET:.0f} x")
    return table(
        ["", "ms", "ms, Strawberry", "ratio", "target"], [["get one, first time", *times, ratio(ratios), target]]
    )


async def _measured(settings: Settings, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds per document of each round."""
    app = create_app(settings)
    ours: list[float] = []
    theirs: list[float] = []
    async with app.router.lifespan_context(app):
        for number in range(rounds + 1):
            start = number * EACH
            ours.append(await _timed(lambda i: _ask(app, DOCUMENT % i), range(start, start + EACH)))
            theirs.append(await _timed(lambda i: _execute(app, DOCUMENT % i), range(start, start + EACH)))
    return ours[1:], theirs[1:]


async def _timed(work: Callable[[int], Awaitable[bytes]], numbers: range) -> float:
    start = perf_counter()
    for i in numbers:
        assert b"element 4" in await work(i)
    return (perf_counter() - start) / len(numbers)


async def _ask(app: Voltgraph, document: str) -> bytes:
    """Return the response of the server's endpoint."""
    sent: list[Message] = []
    content = body(document, **VARIABLES)

    async def receive() -> Message:
        return {"type": "http.request", "body": content}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b""}
    await app({**scope, "headers": HEADERS}, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


async def _execute(app: Voltgraph, document: str) -> bytes:
    context = Context(app.state.services, LOCAL, Budget(2**26))
    result = await schema.execute(document, variable_values=VARIABLES, context_value=context)
    return orjson.dumps({"data": result.data})
