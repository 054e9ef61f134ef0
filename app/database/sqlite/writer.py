"""Writer of a SQLite file: one connection. Queued writes are committed together; each succeeds or fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import apsw
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import changes as events
from app.database.broker import Broker
from app.database.interface import Work
from app.database.recoveries import Recoveries
from app.database.sqlite import driver as sqlite_driver
from app.database.sqlite.checkpoints import Checkpoints
from app.database.sqlite.rounds import Item, Outcome, Round
from app.database.writes.group_commit import GroupCommit
from app.database.writes.inserts import Inserts, PipelineInsert
from app.database.writes.statements import compiled_writes
from app.errors import VoltgraphError

T = TypeVar("T")
WRITER = "writer"


class ShortWork(NamedTuple):
    """Write of a few short statements, which run on the event loop."""

    work: Work[Any]


class RolledBack(VoltgraphError):
    """SQLite rolled a whole transaction back because of one statement."""


class Writer:
    """Writer: runs writes by an ORM session, and rounds of inserts and mutations."""

    def __init__(
        self,
        engine: AsyncEngine,
        checkpoints: Checkpoints,
        inserts: Inserts,
        broker: Broker,
        max_waiting: int,
        writing: Callable[[], AbstractContextManager[None]],
        recoveries: Recoveries,
    ) -> None:
        """Create a writer; it holds `writing` while it writes the file."""
        self._checkpoints = checkpoints
        self._engine, self._inserts, self._broker, self._writing = engine, inserts.texts, broker, writing
        self._compiled = compiled_writes(engine.dialect)
        self._rounds = GroupCommit[ShortWork | Work[Any] | Item](self._commit, max_waiting, _kind)
        self._driver: sqlite_driver.Threaded | None = None
        self._lasting: dict[Any, Any] = {}
        """Memory of the rounds since the last other write."""
        self._recoveries = recoveries
        recoveries.watch(engine, WRITER)
        event.listen(engine.sync_engine, "connect", self._connected)
        event.listen(engine.sync_engine, "close", self._closed)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))

    async def write(self, work: Work[T], *, is_short: bool = False) -> T:
        result: T = await self._rounds.put(ShortWork(work) if is_short else work)
        return result

    def put(self, item: Item) -> Awaitable[Any]:
        """Queue new rows or a mutation."""
        return self._rounds.put(item)

    @property
    def waiting(self) -> int:
        return self._rounds.waiting

    @property
    def failed_at(self) -> float:
        return self._rounds.failed_at

    async def close(self) -> None:
        await self._rounds.close()
        await asyncio.to_thread(self._checkpoints.close)
        await self._engine.dispose()

    def _connected(self, connection: Any, _: object) -> None:
        self._driver = connection.driver_connection
        self._checkpoints.watch(sqlite_driver.raw(self._driver).own)

    def _closed(self, *_: object) -> None:
        self._driver = None

    async def _commit(self, batch: list[Any]) -> list[Any]:
        with self._writing():
            outcomes = await (self._store(batch) if isinstance(batch[0], Item) else self._work(batch))
        loop = asyncio.get_running_loop()
        for _, changes in outcomes:
            for change in changes:
                loop.call_soon(self._broker.publish, change)
        return [outcome for outcome, _ in outcomes]

    async def _work(self, batch: list[Work[Any] | ShortWork]) -> list[Outcome]:
        driver = await self._clean()
        self._lasting.clear()
        driver.is_inline = isinstance(batch[0], ShortWork)
        try:
            async with self._engine.begin() as connection:
                works = (each.work if isinstance(each, ShortWork) else each for each in batch)
                return [await _in_round(connection, work) for work in works]
        finally:
            driver.is_inline = False

    async def _store(self, batch: list[Item]) -> list[Outcome]:
        try:
            outcomes = await self._run_round(batch)
        except apsw.Error:
            if self._driver is None or not sqlite_driver.raw(self._driver).in_transaction:
                raise
            # By closing the connection, which is replaced: nothing was committed.
            outcomes = await self._run_round(batch)
        if self._broker.has_subscribers:
            for item, (error, changes) in zip(batch, outcomes, strict=True):
                if isinstance(item, PipelineInsert) and error is None:
                    changes.append(item.change())
        return outcomes

    async def _run_round(self, batch: list[Item]) -> list[Outcome]:
        """Store a round in one visit to the connection's thread: a visit costs more than a statement does."""
        driver = await self._clean()
        round_ = Round(sqlite_driver.raw(driver).own, self._inserts, self._compiled, batch, self._lasting)
        if any(isinstance(item, PipelineInsert) or item.is_durable for item in batch):
            return await self._visit(driver, round_)
        with _without_flush(sqlite_driver.raw(driver)):
            return await self._visit(driver, round_)

    async def _visit(self, driver: Any, round_: Round) -> list[Outcome]:
        commit = round_.finish if round_.begin_here() else round_.commit
        return list(await sqlite_driver.run_in_thread(driver, commit))

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


@contextmanager
def _without_flush(connection: sqlite_driver.Connection) -> Iterator[None]:
    """Let commits of a connection not wait for the disk. The next one that waits flushes theirs too: the log is a
    sequence, and a crash of the machine keeps a prefix of it."""
    connection.own.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        try:
            connection.own.execute("PRAGMA synchronous=FULL")
        except apsw.Error:  # in a transaction that cannot be ended: the connection is replaced
            with suppress(apsw.Error):
                connection.close()


def _kind(item: Any) -> object:
    """Return the kind of an item: inserts and mutations share rounds."""
    return Item if isinstance(item, Item) else type(item)


async def _in_round(connection: AsyncConnection, work: Work[Any]) -> Outcome:
    """Run one write of a batch. Raises RolledBack if SQLite rolled the whole transaction back, as it does when the disk
    is full: later writes would run outside of a transaction, and earlier ones are lost."""
    outcome = await _alone(connection, work)
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None or not driver.in_transaction:
        raise _undone(outcome[0])
    return outcome


async def _alone(connection: AsyncConnection, work: Work[Any]) -> Outcome:
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
