"""Mutations: transactions as generators of statements, which do not depend on a driver and need no ORM.

A mutation yields a statement with its values and receives the rows; it yields a change event to record it. A database
may run it again from its start, if its transaction was undone. It raises Rejected before its first write, so that a
refusal needs no savepoint; a mutation that fails later is undone, and so are, for a moment, the others of its round.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.changes import Change, record
from app.database.writes.statements import CompiledWrites, Query, Row, compiled_writes
from app.errors import Rejected

T = TypeVar("T")


class Memory(Enum):
    """Step that asks for a dictionary of values that were read. The mutations of a round share `MEMORY`, from one that
    asks for it to the next that does not. `LASTING` is kept from round to round where only this process writes, until
    something else than a mutation is written or a transaction is undone; elsewhere it is empty."""

    MEMORY = "memory"
    LASTING = "lasting"


class Pace(Enum):
    """Step before statements that may take long: they do not run on the event loop."""

    LONG = "long"


Step = tuple[Query, Row | Sequence[Row]] | Change | Memory | Pace
"""A statement with its values, or with the values of several executions, which return no rows; a change event; the
memory of the transaction; or what its next statements may take."""
Steps = Generator[Step, Any, T]
SHORT = 50_000
"""Estimated duration of a mutation with a few short statements, as `PipelineInsert.size` counts it."""
LONG = 10**9
"""Size of a mutation that can write many pages: a transaction with it does not run on the event loop."""


@dataclass(slots=True)
class Batchable(Generic[T]):
    """Mutation of one item. Those of a round that are next to each other, with equal functions and arguments, share
    their statements: `run` is called with the arguments and all items, and returns for each its result or Rejected."""

    run: Callable[..., Steps[list[T | Rejected]]]
    arguments: tuple[Any, ...]
    item: Any

    def __call__(self) -> Steps[T]:
        """Return the steps for the item alone."""
        [outcome] = yield from self.run(*self.arguments, [self.item])
        if isinstance(outcome, Rejected):
            raise outcome
        return outcome


class Mutation(NamedTuple):
    """A queued mutation. `begin` returns its steps, once for each attempt."""

    begin: Callable[[], Steps[Any]]
    size: int
    is_durable: bool = True
    """Whether its commit waits for the disk."""


async def run_in(session: AsyncSession, steps: Steps[T]) -> T:
    """Run steps in the transaction of a session, which flushes its own changes first."""
    await session.flush()
    connection = await session.connection()
    compiled = compiled_writes(connection.dialect)
    memory: dict[Any, Any] = {}
    rows: Any = None
    try:
        while True:
            step = steps.send(rows)
            if isinstance(step, Memory):
                rows = memory if step is Memory.MEMORY else {}
            elif isinstance(step, Pace):
                rows = None
            elif isinstance(step, Change):
                rows = None
                await record(session, step)
            else:
                rows = await _execute(connection, compiled, *step)
    except StopIteration as done:
        returned: T = done.value
        return returned


async def _execute(connection: AsyncConnection, compiled: CompiledWrites, query: Query, values: Any) -> Any:
    statement = compiled(query)
    if isinstance(values, list):
        if values:
            await connection.exec_driver_sql(statement.sql, [tuple(statement.parameters(row)) for row in values])
        return None
    result = await connection.exec_driver_sql(statement.sql, tuple(statement.parameters(values)))
    return statement.rows(result.all()) if result.returns_rows else []
