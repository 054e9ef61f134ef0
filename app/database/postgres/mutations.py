"""Mutations over a connection of asyncpg, whose cache keeps their statements prepared."""

from __future__ import annotations

from typing import Any, TypeVar

from app.database.changes import CHANNEL, Change, encode_change
from app.database.writes.mutations import Memory, Pace, Steps
from app.database.writes.statements import CompiledWrites

T = TypeVar("T")
NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) WITH ORDINALITY AS noted (payload, n) ORDER BY n"
"""Statement that sends any number of notifications, in their order, in one round trip."""


async def mutate(connection: Any, compiled: CompiledWrites, steps: Steps[T], *, is_durable: bool) -> T:
    """Run a mutation in a transaction, with its notifications."""
    async with connection.transaction():
        if not is_durable:
            await connection.execute("SET LOCAL synchronous_commit = off")
        result, changes = await _run(connection, compiled, steps)
        if changes:
            await connection.fetch(NOTIFY, CHANNEL, list(map(encode_change, changes)))
    return result


async def _run(connection: Any, compiled: CompiledWrites, steps: Steps[T]) -> tuple[T, list[Change]]:
    changes: list[Change] = []
    memory: dict[Any, Any] = {}
    rows: Any = None
    try:
        while True:
            step, rows = steps.send(rows), None
            if isinstance(step, Change):
                changes.append(step)
            elif isinstance(step, Memory):
                rows = memory if step is Memory.MEMORY else {}
            elif not isinstance(step, Pace):
                rows = await _execute(connection, compiled, *step)
    except StopIteration as done:
        return done.value, changes


async def _execute(connection: Any, compiled: CompiledWrites, query: Any, values: Any) -> Any:
    statement = compiled(query)
    if isinstance(values, list):
        await connection.executemany(statement.sql, list(map(statement.parameters, values)))
        return None
    return statement.rows(await connection.fetch(statement.sql, *statement.parameters(values)))
