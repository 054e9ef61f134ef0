"""Writer of a SQLite file: one connection. Queued writes are committed together; each succeeds or fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple, TypeVar

import apsw
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import changes as events
from app.database.broker import Broker
from app.database.group_commit import GroupCommit
from app.database.inserts import Inserts, PipelineInsert
from app.database.interface import Work
from app.database.recoveries import Recoveries
from app.database.sqlite import driver as sqlite_driver
from app.errors import NotUnique, VoltgraphError

T = TypeVar("T")
WriteOutcome = tuple[Any, list[events.Change]]
"""Result of a write, or its error, and its changes."""
BUSY_TIMEOUT = 5000
"""Milliseconds to wait for a lock on the file."""
MOST_HERE = 4_000_000
"""Maximum size of a batch written on the event loop, as `PipelineInsert.size` counts it: one to two milliseconds."""
UNIQUE = (apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_UNIQUE)
WRITER = "writer"


class ShortWork(NamedTuple):
    """Write of a few short statements, which run on the event loop."""

    work: Work[Any]


class RolledBack(VoltgraphError):
    """SQLite rolled a whole transaction back because of one statement."""


class Writer:
    """Writer: runs writes by an ORM session, or inserts of new rows."""

    def __init__(
        self,
        engine: AsyncEngine,
        inserts: Inserts,
        broker: Broker,
        max_waiting: int,
        writing: Callable[[], AbstractContextManager[None]],
        recoveries: Recoveries,
    ) -> None:
        """Create a writer; it holds `writing` while it writes the file."""
        self._engine, self._texts, self._broker, self._writing = engine, inserts.texts, broker, writing
        self._rounds = GroupCommit[ShortWork | Work[Any] | PipelineInsert](self._commit, max_waiting)
        self._driver: sqlite_driver.Threaded | None = None
        self._recoveries = recoveries
        recoveries.watch(engine, WRITER)
        event.listen(engine.sync_engine, "connect", self._connected)
        event.listen(engine.sync_engine, "close", self._closed)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))

    async def write(self, work: Work[T], *, is_short: bool = False) -> T:
        result: T = await self._rounds.put(ShortWork(work) if is_short else work)
        return result

    def store(self, new: PipelineInsert) -> Awaitable[None]:
        return self._rounds.put(new)

    @property
    def waiting(self) -> int:
        return self._rounds.waiting

    @property
    def failed_at(self) -> float:
        return self._rounds.failed_at

    async def close(self) -> None:
        await self._rounds.close()
        await self._engine.dispose()

    def _connected(self, connection: Any, _: object) -> None:
        self._driver = connection.driver_connection

    def _closed(self, *_: object) -> None:
        self._driver = None

    async def _commit(self, batch: list[Any]) -> list[Any]:
        with self._writing():
            outcomes = await (self._store(batch) if isinstance(batch[0], PipelineInsert) else self._work(batch))
        loop = asyncio.get_running_loop()
        for _, changes in outcomes:
            for change in changes:
                loop.call_soon(self._broker.publish, change)
        return [outcome for outcome, _ in outcomes]

    async def _work(self, batch: list[Work[Any] | ShortWork]) -> list[WriteOutcome]:
        driver = await self._clean()
        driver.is_inline = isinstance(batch[0], ShortWork)
        try:
            async with self._engine.begin() as connection:
                works = (each.work if isinstance(each, ShortWork) else each for each in batch)
                return [await _in_round(connection, work) for work in works]
        finally:
            driver.is_inline = False

    async def _store(self, batch: list[PipelineInsert]) -> list[WriteOutcome]:
        try:
            failures = await self._insert(batch)
        except apsw.Error:
            if self._driver is None or not sqlite_driver.raw(self._driver).in_transaction:
                raise
            failures = await self._insert(batch)  # by closing the connection, which is replaced: nothing was committed
        is_heard = self._broker.has_subscribers
        return [
            (failure, [new.change()] if is_heard and failure is None else [])
            for new, failure in zip(batch, failures, strict=True)
        ]

    async def _insert(self, batch: list[PipelineInsert]) -> list[Exception | None]:
        """Store a round in one visit to the connection's thread: a visit costs more than a statement does."""
        driver = await self._clean()
        own = sqlite_driver.raw(driver).own
        commit = _finish if _begun_here(own, self._texts, batch) else _commit
        return list(await sqlite_driver.run_in_thread(driver, commit, own, self._texts, batch))

    async def _clean(self) -> Any:
        """Return the driver's connection outside of a transaction. If an open transaction cannot be rolled back, the
        connection is replaced."""
        if self._driver is not None and sqlite_driver.raw(self._driver).in_transaction:
            sqlite_driver.raw(self._driver).rollback()
            if not sqlite_driver.raw(self._driver).is_closed:  # otherwise the pool would count the replacement
                self._recoveries.add(WRITER, "a transaction was left open")
        if self._driver is None or sqlite_driver.raw(self._driver).is_closed:
            async with self._engine.connect():
                pass
        return self._driver


async def _in_round(connection: AsyncConnection, work: Work[Any]) -> WriteOutcome:
    """Run one write of a batch. Raises RolledBack if SQLite rolled the whole transaction back, as it does when the disk
    is full: later writes would run outside of a transaction, and earlier ones are lost."""
    outcome = await _alone(connection, work)
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None or not driver.in_transaction:
        raise _undone(outcome[0])
    return outcome


async def _alone(connection: AsyncConnection, work: Work[Any]) -> WriteOutcome:
    """Run `work` in a savepoint. Return its result and changes, or its error after its writes were undone."""
    try:
        async with (
            AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session,
            session.begin(),
        ):
            result = await work(session)
    except Exception as error:
        return error, []
    return result, events.recorded_changes(session)


def _undone(cause: Any) -> Exception:
    return cause if isinstance(cause, Exception) else RolledBack("the transaction was undone")


def _begun_here(connection: apsw.Connection, texts: list[str], batch: list[PipelineInsert]) -> bool:
    """Insert a few rows on the event loop, without the COMMIT, which waits for the disk. Return False, with nothing
    written, if there are too many, the file is locked, or a row is wrong.

    A thread takes longer: it releases the interpreter at each row and waits to get it back.
    """
    if sum(new.size for new in batch) > MOST_HERE:
        return False
    connection.set_busy_timeout(0)
    try:
        connection.execute("BEGIN IMMEDIATE")
        _together(connection, texts, batch)
    except apsw.Error:
        _roll_back(connection)
        return False
    except BaseException:
        _roll_back(connection)
        raise
    finally:
        connection.set_busy_timeout(BUSY_TIMEOUT)
    return True


def _finish(connection: apsw.Connection, texts: list[str], batch: list[PipelineInsert]) -> list[Exception | None]:
    """Commit the rows inserted on the event loop; returns as `_commit` does."""
    try:
        connection.execute("COMMIT")
    except apsw.Error:
        _roll_back(connection)
        return _commit(connection, texts, batch)
    return [None] * len(batch)


def _commit(connection: apsw.Connection, texts: list[str], batch: list[PipelineInsert]) -> list[Exception | None]:
    """Store a batch in one transaction; return for each item its error or None. Savepoints cost as much as the inserts,
    so they are used only after a failure."""
    try:
        return _in_transaction(connection, lambda: _together(connection, texts, batch))
    except apsw.Error:
        return _in_transaction(connection, lambda: [_or_not(connection, texts, new) for new in batch])


def _in_transaction(connection: apsw.Connection, run: Callable[[], list[Any]]) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        failures = run()
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return failures


def _roll_back(connection: apsw.Connection) -> None:
    """Roll back a transaction, unless SQLite already did. If that fails, the transaction stays open, and the connection
    is replaced before its next use."""
    if connection.in_transaction:
        with suppress(apsw.Error):
            connection.execute("ROLLBACK")


def _together(connection: apsw.Connection, texts: list[str], batch: list[PipelineInsert]) -> list[None]:
    for place, text in enumerate(texts):
        connection.executemany(text, [row for new in batch for row in new.by_table[place]])
    return [None] * len(batch)


def _or_not(connection: apsw.Connection, texts: list[str], new: PipelineInsert) -> Exception | None:
    """Store one item in a savepoint. Raises the error if SQLite rolled the whole transaction back."""
    connection.execute("SAVEPOINT one")
    failure: Exception | None = None
    try:
        _together(connection, texts, [new])
    except apsw.Error as error:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO one")
        failure = NotUnique() if getattr(error, "extendedresult", None) in UNIQUE else error
    connection.execute("RELEASE one")
    return failure
