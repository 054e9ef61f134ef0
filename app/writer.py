"""The one connection that writes a SQLite file. What waits for it is committed together; each still stands or falls
alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

import aiosqlite
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app import events
from app.errors import Busy, VoltgraphError

T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]
Statements = list[tuple[str, Sequence[Sequence[Any]]]]
"""SQL texts in the driver's own words, each with the parameters of every time that it is run."""
Outcome = tuple[Any, list[events.Change]]
"""What a write returned, or the error that it raised; and what it changed."""

ROUND = 256
"""Most writes that are committed together."""


class NotUnique(VoltgraphError):
    """There is a row with that key already."""


class RolledBack(VoltgraphError):
    """SQLite undid a whole transaction because of one statement in it."""

    def __init__(self, cause: object) -> None:
        super().__init__("the transaction was undone")
        self.cause = cause if isinstance(cause, Exception) else self


class Waiting(NamedTuple):
    """A write that waits for its turn: work for a session, or statements and what they change."""

    done: asyncio.Future[Any]
    work: Work[Any] | None
    statements: Statements
    change: events.Change | None


class Writer:
    """Takes what waits in its order, and commits up to ROUND writes of one kind together."""

    def __init__(self, engine: AsyncEngine, hub: events.Hub, max_waiting: int) -> None:
        self._engine, self._hub, self._max_waiting = engine, hub, max_waiting
        self._driver: aiosqlite.Connection | None = None
        event.listen(engine.sync_engine, "connect", self._connected)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, work: Work[T]) -> T:
        result: T = await self._queued(work, [], None)
        return result

    async def store(self, statements: Statements, change: events.Change) -> None:
        await self._queued(None, statements, change)

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        await self._engine.dispose()

    def _connected(self, connection: Any, _: object) -> None:
        self._driver = connection.driver_connection

    def _queued(
        self, work: Work[Any] | None, statements: Statements, change: events.Change | None
    ) -> asyncio.Future[Any]:
        if len(self._waiting) >= self._max_waiting:
            raise Busy("Too many writes are waiting. Try again.")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(done, work, statements, change))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                _, run = next(groupby(self._waiting[:ROUND], lambda each: each.work is None))
                batch = list(run)
                del self._waiting[: len(batch)]
                if wanted := [each for each in batch if not each.done.done()]:
                    await self._write_round(wanted)
        finally:
            self._writing = None

    async def _write_round(self, batch: list[Waiting]) -> None:
        try:
            outcomes = await (self._work(batch) if batch[0].work else self._store(batch))
        except Exception as error:  # the transaction itself failed: nothing of it is stored
            if len(batch) > 1:
                for each in batch:
                    await self._write_round([each])
                return
            outcomes = [(error.cause if isinstance(error, RolledBack) else error, [])]
        loop = asyncio.get_running_loop()
        for each, (outcome, changes) in zip(batch, outcomes, strict=True):
            for change in changes:
                loop.call_soon(self._hub.publish, change)
            if each.done.done():  # its caller has gone
                continue
            if isinstance(outcome, Exception):
                each.done.set_exception(outcome)
            else:
                each.done.set_result(outcome)

    async def _work(self, batch: list[Waiting]) -> list[Outcome]:
        async with self._engine.begin() as connection:
            return [await _in_round(connection, each.work) for each in batch if each.work]

    async def _store(self, batch: list[Waiting]) -> list[Outcome]:
        if self._driver is None:
            async with self._engine.connect():
                pass
        assert self._driver is not None
        # A whole round in one visit to the connection's thread: a visit costs more than a statement does.
        visit: Any = self._driver._execute
        failures = await visit(_commit, self._driver._conn, [each.statements for each in batch])
        return [
            (failure, [each.change] if failure is None and each.change else [])
            for each, failure in zip(batch, failures, strict=True)
        ]


async def _in_round(connection: AsyncConnection, work: Work[Any]) -> Outcome:
    """What comes of one write of a round. RolledBack when SQLite undid the whole round for it, as it does when the
    disk is full: what would follow it was in no transaction, and what went before it is gone."""
    outcome = await _alone(connection, work)
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None or not driver.in_transaction:
        raise RolledBack(outcome[0])
    return outcome


async def _alone(connection: AsyncConnection, work: Work[Any]) -> Outcome:
    """What `work` returns and what it changed, or the error that it raised after what it did was undone."""
    try:
        async with (
            AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session,
            session.begin(),
        ):
            result = await work(session)
    except Exception as error:
        return error, []
    return result, events.noted(session)


def _commit(connection: sqlite3.Connection, batch: list[Statements]) -> list[Exception | None]:
    """Run all in one transaction: for each, why it was undone, or None. Savepoints cost as much as what they guard:
    there are some only once something has failed."""
    try:
        return _in_transaction(connection, batch, _run)
    except sqlite3.Error:
        return _in_transaction(connection, batch, _run_alone)


def _in_transaction(
    connection: sqlite3.Connection, batch: list[Statements], run: Callable[..., Exception | None]
) -> list[Exception | None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        failures = [run(connection, statements) for statements in batch]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return failures


def _run(connection: sqlite3.Connection, statements: Statements) -> None:
    for sql, rows in statements:
        connection.executemany(sql, rows)


def _run_alone(connection: sqlite3.Connection, statements: Statements) -> Exception | None:
    """Run the statements, or none of them. RolledBack when SQLite undid the whole transaction for one."""
    connection.execute("SAVEPOINT one")
    failure: Exception | None = None
    try:
        _run(connection, statements)
    except sqlite3.Error as error:
        if not connection.in_transaction:
            raise RolledBack(error) from None
        connection.execute("ROLLBACK TO one")
        failure = NotUnique() if error.sqlite_errorcode in UNIQUE else error
    connection.execute("RELEASE one")
    return failure


UNIQUE = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
