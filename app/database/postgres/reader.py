"""Reader of PostgreSQL without the ORM: queries over connections of asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from app.database.interface import CHUNK, Measured, ReadBudget, SnapshotStart, Statement, Steps
from app.database.postgres.sql import ERRORS
from app.database.recoveries import Recoveries
from app.errors import Busy

T = TypeVar("T")
RELEASE = 2.0
"""Seconds until an abandoned connection is closed."""
FAREWELL = 10.0
"""Seconds that reads may take at the end of the server."""
PLAIN_READER = "plain_reader"
FAILURES = (OSError, TimeoutError, *ERRORS)
STATEMENTS = 512
"""Size of a connection's cache of prepared statements."""
PATTERN = " LIKE "
"""Part of statements whose plan depends on the values of their parameters. PostgreSQL plans a prepared statement for
any values after five executions, which for a search can be a hundred times as slow."""


class PostgresReader:
    """Pool of connections, opened on first use."""

    def __init__(self, arguments: dict[str, Any], patience: float, recoveries: Recoveries, connections: int) -> None:
        self._arguments, self._patience, self._recoveries = arguments, patience, recoveries
        self._connections = connections
        recoveries.register(PLAIN_READER)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self.waiting = 0
        """Number of queries that wait for a connection."""

    async def run(self, begin: Callable[[], Steps[T]], pace: ReadBudget) -> T:
        """Run a query; call it in a Task, which asyncpg's timeouts need. Raises its errors and the driver's; Busy if no
        connection becomes free."""
        pool = self._pool or await self._open()
        self.waiting += 1
        try:
            connection = await pool.acquire(timeout=self._patience)
        except TimeoutError:
            raise Busy("Too many queries wait for the database. Try again.") from None
        finally:
            self.waiting -= 1
        try:
            if pace.is_single:
                return await drive(begin(), connection)
            async with snapshot(connection):
                return await drive(begin(), connection)
        finally:
            await self._release(pool, connection)

    async def close(self) -> None:
        """Close the connections; after FAREWELL seconds, those too that are still in use."""
        if self._pool is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self._pool.close()

    async def _release(self, pool: asyncpg.Pool[asyncpg.Record], connection: Any) -> None:
        """Return a connection to the pool. The pool rolls back an open transaction, and replaces the connection if that
        fails, or if a read timed out and the server does not confirm the cancellation."""
        cause: object = None if _is_clean(connection) else "a transaction was open, or the server ended the connection"
        try:
            await pool.release(connection, timeout=RELEASE)
        except FAILURES as error:  # the pool has closed the connection: raise the read's own error
            cause = error
        if cause is not None:
            self._recoveries.add(PLAIN_READER, cause)

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    **self._arguments,
                    min_size=0,
                    max_size=self._connections,
                    statement_cache_size=STATEMENTS,
                    reset=_nothing,
                )
        return self._pool


async def _nothing(connection: Any) -> None:
    """Skip the reset: reads set no variable and take no lock, and asyncpg ends transactions itself."""


def _is_clean(connection: Any) -> bool:
    """Return whether a connection can serve another read."""
    try:
        return not (connection.is_closed() or connection.is_in_transaction())
    except asyncpg.InterfaceError:  # the server ended the connection, and the pool has taken it back
        return False


def snapshot(connection: Any) -> Any:
    """Return a transaction whose statements read the same state."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def drive(steps: Steps[T], connection: Any, statement: Statement | None = None) -> T:
    """Run a query over a connection, from a statement that the steps have already made, if any."""
    try:
        statement = statement or next(steps)
        while True:
            if isinstance(statement, Measured):
                rows = await _read(connection, statement)
            elif isinstance(statement, SnapshotStart) and not connection.is_in_transaction():
                async with snapshot(connection):
                    return await drive(steps, connection, statement)
            else:
                rows = await _fetch(connection, *statement)
            statement = steps.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result


async def _fetch(connection: Any, sql: str, parameters: Sequence[Any]) -> list[Any]:
    """Fetch the rows of a statement. One with a pattern is prepared for its values each time."""
    if PATTERN in sql:
        statement = await connection.prepare(sql, name="")
        return list(await statement.fetch(*parameters))
    rows: list[Any] = await connection.fetch(sql, *parameters)
    return rows


async def _read(connection: Any, statement: Measured) -> list[Any]:
    """Fetch the rows of a statement and measure them; chunk by chunk if a transaction allows a cursor."""
    (sql, parameters), measure = statement, statement.measure
    rows: list[Any] = []
    if not connection.is_in_transaction():
        rows = await _fetch(connection, sql, parameters)
        measure(rows)
        return rows
    if PATTERN in sql:
        cursor = await (await connection.prepare(sql, name="")).cursor(*parameters)
    else:
        cursor = await connection.cursor(sql, *parameters)
    while len(chunk := await cursor.fetch(CHUNK)) == CHUNK:
        measure(chunk)
        rows += chunk
    measure(chunk)
    rows += chunk
    return rows
