"""CPU time of operations in this process, on a shared machine."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import orjson

from app.auth.caller import LOCAL, Caller
from app.database.connect import database_url
from app.database.migrations import migrate
from app.errors import RequestError
from app.main import create_app
from app.settings import Settings
from schema.answers.answer import Answer, encoded
from schema.errors import failure
from schema.operations import GraphQLRequest, Operation, Operations
from tests.costs import worst
from tests.costs.documents import Made

REFERENCE = 0.005
"""CPU time in seconds of `_reference` on an idle core."""
NARROWED = Caller(LOCAL.organization_id, projects=frozenset({"project"}))


@dataclass(frozen=True, slots=True)
class Measured:
    """Cost and CPU time of one document."""

    text: str
    cost: int | None
    """Cost; None if the document was refused before it ran."""
    seconds: float
    """CPU time, converted to that of an idle core."""
    raw: float
    """CPU time as measured."""
    size: int
    code: str


class Meter:
    """Runner that answers documents one by one."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._number = 0

    async def measure(self, made: Made) -> Measured:
        """Answer one document that the server has not seen before."""
        self._number += 1
        request = GraphQLRequest(f"{made.text} #{self._number}", None, None)
        gc.collect()
        before, others = _reference(), asyncio.all_tasks()
        start = process_time()
        cost, text = await self._answer(request, NARROWED if made.is_narrowed else LOCAL)
        while left := asyncio.all_tasks() - others:  # work of a timed-out request may continue for a while
            await asyncio.wait(left)
        raw = process_time() - start
        pace = (before + _reference()) / 2 / REFERENCE
        code = orjson.loads(text)["errors"][0]["extensions"]["code"] if text.startswith(b'{"errors"') else "OK"
        return Measured(made.text, cost, raw / max(pace, 1), raw, len(text), code)

    async def _answer(self, request: GraphQLRequest, caller: Caller) -> tuple[int | None, bytes]:
        operation = None
        try:
            operation = await self._operations.find(request, caller)
            if isinstance(operation, Answer):
                return None, encoded(operation.body)
            return operation.cost, await _first(operation)
        except RequestError as error:
            cost = operation.cost if isinstance(operation, Operation) else None
            return cost, encoded({"errors": failure(error)})


async def _first(operation: Operation) -> bytes:
    async with aclosing(operation.stream()) as answers:
        async for answer in answers:
            return answer.text
    return b""


def _reference() -> float:
    """Use CPU time as a server does: bytes, dictionaries, and loops of the interpreter."""
    start = process_time()
    value = {"numbers": [each * 0.37 for each in range(20_000)], "texts": [str(each) for each in range(20_000)]}
    assert orjson.loads(orjson.dumps(value)) == value
    return process_time() - start


@asynccontextmanager
async def metered(folder: Path) -> AsyncIterator[Meter]:
    """Server in this process over the worst rows."""
    url = f"sqlite:///{folder}/worst.db"
    if not (folder / "worst.db").exists():
        await migrate(database_url(url))
        worst.fill(f"{folder}/worst.db")
    app = create_app(Settings(database_url=url, workers=0))
    async with app.router.lifespan_context(app):
        yield Meter(app.graphql.operations)
