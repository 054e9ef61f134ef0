"""PostgreSQL: one pool of connections for reads and writes, and a second one for reads without the ORM."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import telemetry
from app.database.broker import Broker
from app.database.engines import PATIENCE, LimitedSession, engine
from app.database.interface import Pools, ReadBudget, Steps, Work
from app.database.postgres import old_queue
from app.database.postgres.inserts import PostgresInserts
from app.database.postgres.listener import Listener
from app.database.postgres.mutations import mutate
from app.database.postgres.reader import PostgresReader
from app.database.recoveries import Recoveries
from app.database.writes.group_commit import GroupCommit
from app.database.writes.inserts import PipelineInsert
from app.database.writes.mutations import SHORT
from app.database.writes.mutations import Steps as MutationSteps
from app.database.writes.statements import compiled_writes
from app.errors import NotUnique, VoltgraphError

T = TypeVar("T")
SESSION = "session"
COMMAND_TIMEOUT = 60.0
"""Timeout in seconds of a statement; its connection is closed too. Without it, the system detects a silent network
failure after a quarter of an hour, and all creates wait for the pending one."""

DEADLOCKS = 2
"""Number of times that a mutation is repeated after a deadlock, which only transactions that lock several rows have."""


class Postgres:
    """A PostgreSQL database."""

    reads_inline = False
    _limit: asyncio.Semaphore | None = None
    _run_limit: asyncio.Semaphore | None = None

    def __init__(self, url: URL, max_waiting: int, pools: Pools) -> None:
        timeout = {"command_timeout": COMMAND_TIMEOUT}
        self._pools = pools
        self._engine = engine(url, pools.sessions, json_deserializer=_as_it_is, connect_args=timeout)
        event.listen(self._engine.sync_engine, "checkout", _require_open)
        self.recoveries = Recoveries()
        self.recoveries.watch(self._engine, SESSION)
        arguments = dict(self._engine.dialect.create_connect_args(url)[1]) | timeout
        self._plain = PostgresReader(arguments, PATIENCE, self.recoveries, pools.readers)
        self.broker = Broker()
        self._listener = Listener(url, self.broker, self.recoveries)
        self.inserts = PostgresInserts(self._engine.dialect)
        self._compiled = compiled_writes(self._engine.dialect)
        self._rounds = GroupCommit[PipelineInsert](self._store, max_waiting)

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    def run(self, begin: Callable[[], Steps[T]], pace: ReadBudget) -> Awaitable[T]:
        if self._run_limit is not None:
            return self._run_limited(self._run_limit, begin, pace)
        return self._plain.run(begin, pace)

    async def _run_limited(self, limit: asyncio.Semaphore, begin: Callable[[], Steps[T]], pace: ReadBudget) -> T:
        async with limit:
            return await self._plain.run(begin, pace)

    async def listen(self) -> None:
        await self._listener.start()

    def read(self) -> AsyncSession:
        if self._limit is not None:
            return LimitedSession(self._limit, self._engine)
        return AsyncSession(self._engine, expire_on_commit=False)

    def limited(self) -> Postgres:
        view = copy(self)
        view._limit = asyncio.Semaphore(self._pools.sessions // 2)
        view._run_limit = asyncio.Semaphore(max(1, self._pools.readers // 2))
        return view

    async def write(self, work: Work[T], *, is_short: bool = False) -> T:
        if telemetry.tracer is None:
            return await self._write(work)
        with telemetry.span("write"):
            return await self._write(work)

    async def _write(self, work: Work[T]) -> T:
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            return await work(session)

    def store(self, new: PipelineInsert) -> Awaitable[None]:
        stored = self._rounds.put(new)
        return stored if telemetry.tracer is None else telemetry.wait("write", stored)

    async def mutate(self, begin: Callable[[], MutationSteps[T]], size: int = SHORT, *, is_durable: bool = True) -> T:
        """Run a mutation in a transaction of its own; again if it was the victim of a deadlock."""
        with telemetry.span("write"):
            for _ in range(DEADLOCKS):
                try:
                    return await self._mutate(begin, is_durable)
                except asyncpg.DeadlockDetectedError:
                    continue
            return await self._mutate(begin, is_durable)

    async def _mutate(self, begin: Callable[[], MutationSteps[T]], is_durable: bool) -> T:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                return await mutate(driver, self._compiled, begin(), is_durable=is_durable)
            except asyncpg.UniqueViolationError:
                raise NotUnique from None
            except (asyncpg.PostgresError, VoltgraphError, ValueError):  # rolled back, or never sent
                raise
            except BaseException as error:  # the statement may still be running on this connection
                await connection.invalidate(error)
                raise

    async def _store(self, batch: list[PipelineInsert]) -> list[Exception | None]:
        """Store a batch by one statement, which is a transaction in one round trip. Transactions that notify are
        serialised, so they should be few."""
        try:
            async with self._engine.connect() as connection:
                await self._insert(connection, batch)
        except asyncpg.PostgresError as error:  # the server refused the batch: each item may succeed alone
            if len(batch) > 1:
                raise
            return [NotUnique() if isinstance(error, asyncpg.UniqueViolationError) else error]
        except Exception as error:
            return [error] * len(batch)
        return [None] * len(batch)

    async def _insert(self, connection: AsyncConnection, batch: list[PipelineInsert]) -> None:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            await driver.fetch(*self.inserts.texts, *self.inserts.arrays(batch))
        except (asyncpg.PostgresError, ValueError):  # an error of the server, or of a statement that was never sent
            raise
        except BaseException as error:  # the statement may still be running on this connection
            await connection.invalidate(error)
            raise

    async def free_space(self) -> None:
        """Do nothing: autovacuum makes the space available to new rows."""

    async def count_old_queue(self) -> int:
        return await old_queue.count(self._engine)

    async def remove_old_queue(self) -> int:
        return await old_queue.remove(self._engine)

    @property
    def waiting(self) -> int:
        return self._rounds.waiting

    @property
    def waiting_reads(self) -> int:
        return self._plain.waiting

    @property
    def failed_at(self) -> float:
        return self._rounds.failed_at

    async def close(self) -> None:
        await self._rounds.close()
        await self._listener.close()
        await self._plain.close()
        await self._engine.dispose()


def _require_open(connection: Any, record: object, proxy: object) -> None:
    """Make the pool replace a connection that the server closed. Asking the server would take three round trips."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _as_it_is(text: str) -> str:
    """Keep JSON columns as text."""
    return text
