"""Reads on SQLite that need no ORM: whole series of statements, each run by one of a few threads in one snapshot."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Steps = Generator[tuple[str, Sequence[Any]], list[Any], T]
"""What yields statements with their parameters, is sent the rows of each, and returns what it makes of them. So it
knows nothing of the driver that runs them."""
STATEMENTS = 512
"""Prepared statements that a connection keeps."""

Job = tuple[Steps[Any], asyncio.Future[Any]]


class Readers:
    """Threads with a connection each, started when first needed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], threads: int) -> None:
        self._connect, self._most = connect, threads
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def run(self, steps: Steps[T]) -> T:
        """What the steps return. Raises what they or SQLite raise."""
        loop = asyncio.get_running_loop()
        if not self._threads:
            self._threads = [threading.Thread(target=self._work, args=(loop,), daemon=True) for _ in range(self._most)]
            for thread in self._threads:
                thread.start()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put((steps, done))
        return await done

    async def close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        connection = self._connect()
        while (job := self._jobs.get()) is not None:
            steps, done = job
            try:
                outcome = drive(steps, connection.execute)
            except Exception as error:
                outcome = error
            loop.call_soon_threadsafe(_settle, done, outcome)
        connection.close()


def drive(steps: Steps[T], execute: Callable[[str, Sequence[Any]], sqlite3.Cursor]) -> T:
    """Run steps in one snapshot."""
    execute("BEGIN", ())
    try:
        statement = next(steps)
        while True:
            statement = steps.send(execute(*statement).fetchall())
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        execute("COMMIT", ())


def _settle(done: asyncio.Future[Any], outcome: Any) -> None:
    if done.done():  # its caller has gone
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
