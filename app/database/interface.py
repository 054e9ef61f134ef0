"""Interfaces of a database and of a kind of database, and queries that do not depend on a driver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.broker import Broker
from app.database.recoveries import Recoveries
from app.database.writes.inserts import Inserts, PipelineInsert
from app.database.writes.mutations import SHORT
from app.database.writes.mutations import Steps as MutationSteps
from app.models.sql import Sql

T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]
Statement = tuple[str, Sequence[Any]]
"""A statement with its parameters."""
Steps = Generator[Statement, list[Any], T]
"""Query as a generator: yields SQL with parameters, receives the rows, and returns its result. The generator does not
depend on a driver."""
Copied = Callable[[int, int], None]
"""Called during a backup with the remaining and the total number of pages."""
CHUNK = 32
"""Number of rows that PostgreSQL sends between two calls of a measure."""
UNMEASURED = 2**18
"""Number of characters or bytes in long columns that SQLite reads between two calls of a measure."""
LONGEST = 10**9
"""Default limit of SQLite for the bytes of a value."""


class Measure(Protocol):
    """Called with each batch of rows as it is read. An exception ends the read."""

    @property
    def places(self) -> Sequence[int]:
        """Indexes of the columns of texts or bytes whose length only the measure bounds."""

    def __call__(self, rows: Sequence[Any]) -> None: ...


class Measured(tuple[str, Sequence[Any]]):
    """Statement whose rows can be long; `measure` is called with the rows as they are read."""

    measure: Measure


class SnapshotStart(tuple[str, Sequence[Any]]):
    """Statement whose result the following ones depend on: they read the same snapshot."""


def measured(statement: Statement, measure: Measure | None) -> Statement:
    """Attach a measure to a statement, if any."""
    if measure is None:
        return statement
    made = Measured(statement)
    made.measure = measure
    return made


class TooLong(Exception):
    """A value has more bytes than its query allows."""


class ReadBudget:
    """Scheduling state of one query. `is_single`: the query needs no transaction, because one statement is a snapshot
    by itself. `longest`: maximum bytes of a value. `resting`: number of runs that go straight to a thread."""

    __slots__ = ("is_single", "longest", "resting")

    def __init__(self, *, is_single: bool, longest: int = LONGEST) -> None:
        self.is_single, self.longest, self.resting = is_single, longest, 0


def unread(steps: Steps[T]) -> T:
    """Return the result of a query without statements."""
    try:
        next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    raise ValueError("it reads something")


class Database(Protocol):
    """Interface of a database."""

    broker: Broker
    """Broker of the committed changes of all processes; it receives them once `listen` has returned."""
    recoveries: Recoveries
    """Counters of connections that an error left in a wrong state."""

    @property
    def inserts(self) -> Inserts:
        """Builds the rows that `store` takes."""

    @property
    def reads_inline(self) -> bool:
        """Whether `run` needs no Task: it reads on the event loop, or waits for a thread."""

    async def listen(self) -> None:
        """Make sure that the broker receives changes. Idempotent."""

    def read(self) -> AsyncSession:
        """Return a session that only reads: `async with database.read() as session`. One task at a time may use it."""

    def limited(self) -> Database:
        """Return a view of this database whose reads leave connections to others: they wait for each other, however
        many there are."""

    @property
    def dialect(self) -> Dialect:
        """SQL dialect."""

    def run(self, begin: Callable[[], Steps[T]], pace: ReadBudget) -> Awaitable[T]:
        """Run a query of one or several statements in one snapshot, without the ORM."""

    async def write(self, work: Work[T], *, is_short: bool = False) -> T:
        """Run `work` in a transaction and return its result once it is committed. Nothing is stored if it raises.
        `is_short`: it has few rows and no long values, so that its statements may run on the event loop."""

    def store(self, new: PipelineInsert) -> Awaitable[None]:
        """Store new rows, all or none; done once they are committed. Raises NotUnique if a row with the same key
        exists."""

    def mutate(
        self, begin: Callable[[], MutationSteps[T]], size: int = SHORT, *, is_durable: bool = True
    ) -> Awaitable[T]:
        """Run a mutation in a transaction and return its result once it is committed. Nothing of it is stored if it
        raises. `begin` is called once for each attempt; `size` is an estimate of its duration, as `PipelineInsert.size`
        counts it. Unless `is_durable`, its commit does not wait for the disk: the next durable commit makes it durable
        too. Raises NotUnique if a row with the same key exists."""

    async def free_space(self) -> None:
        """Return a part of the space of deleted rows to the file system, if the database is a file; the rest is left to
        later calls. Other databases reuse it by themselves."""

    async def count_old_queue(self) -> int:
        """Count the rows that the queue of earlier versions left in this database."""

    async def remove_old_queue(self) -> int:
        """Remove some rows of the queue of earlier versions; return their number."""

    @property
    def waiting(self) -> int:
        """Number of queued writes."""

    @property
    def waiting_reads(self) -> int:
        """Number of queued queries."""

    @property
    def failed_at(self) -> float:
        """Time of the last failed write, by the monotonic clock."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pools:
    """Maximum connections of one process to a database server: for sessions, which write, and for plain reads."""

    sessions: int = 16
    readers: int = 8


class Backend(Protocol):
    """Kind of database."""

    sql: Sql
    """SQL of its dialect."""
    schemes: tuple[str, ...]
    """Schemes of its URLs, without a driver."""
    example: str
    """Form of its URLs."""

    def url(self, url: URL) -> URL:
        """Return a URL with the driver of this server. Raises ValueError for a URL that it cannot serve."""

    def open(self, url: URL, max_waiting: int, pools: Pools) -> Database:
        """Open the database at `url`, whose tables are up to date."""

    def migration_engine(self, url: URL) -> AsyncEngine:
        """Return an engine whose transactions include changes of tables."""

    def check_engine(self, url: URL) -> AsyncEngine:
        """Return an engine for a few reads, which wait for no writer of the database."""

    def lock_migration(self, connection: Connection) -> None:
        """Wait until no other process migrates the database; the lock ends with the transaction."""

    def compact(self, url: URL) -> None:
        """Rewrite a database that no process has open, so that its file has the size of its content. Does nothing if
        the database is a server."""

    def back_up(self, url: URL, target: Path, copied: Copied) -> None:
        """Copy the database and its API keys to a file. Raises NotImplementedError if another program does this, and
        FileExistsError."""
