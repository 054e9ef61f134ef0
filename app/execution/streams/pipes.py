"""Pipes from a child process to its worker: the streams of its log, and the report of its end."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Protocol

from app.execution.messages import DESCRIPTORS

CHUNK = 1 << 16
PAUSE = 0.02
"""Seconds between two reads of a stream whose log is full: the process is slowed down instead of the server."""


class LogSink(Protocol):
    """Receiver of a job's log."""

    def receive(self, stream: str, data: bytes) -> bool:
        """Receive bytes of a stream, none at its end. Return whether further ones are wanted soon."""


class Discard:
    """Sink that ignores the log."""

    def receive(self, stream: str, data: bytes) -> bool:
        return False


class Pipes:
    """Pipes of one child process, read on the event loop."""

    def __init__(self, sink: LogSink) -> None:
        self._sink, self._loop = sink, asyncio.get_running_loop()
        ends = [os.pipe() for _ in DESCRIPTORS]
        self.write_ends = [write for _, write in ends]
        self._open = {read: name for name, (read, _) in zip(DESCRIPTORS, ends, strict=True)}
        self._said = b""
        self._drained, self._ended = asyncio.Event(), asyncio.Event()
        for read, name in self._open.items():
            os.set_blocking(read, False)
            self._loop.add_reader(read, self._read, read, name)

    def opened(self) -> None:
        """Close the write ends here, once the child process has them."""
        while self.write_ends:
            os.close(self.write_ends.pop())

    async def status(self, seconds: float) -> bytes:
        """Return the report of the process's end; empty after `seconds` without one."""
        await _within(seconds, self._ended)
        return self._said

    async def drained(self, seconds: float) -> None:
        """Wait until the streams of the log have ended, at most `seconds`."""
        await _within(seconds, self._drained)

    def close(self) -> None:
        """Close all ends."""
        self.opened()
        for read in list(self._open):
            self._end(read)

    def _read(self, read: int, name: str) -> None:
        try:
            data = os.read(read, CHUNK)
        except BlockingIOError:
            return
        if name == DESCRIPTORS[-1]:
            self._said += data
        elif not self._sink.receive(name, data) and data:
            self._loop.remove_reader(read)
            self._loop.call_later(PAUSE, self._resume, read, name)
        if not data:
            self._end(read)

    def _resume(self, read: int, name: str) -> None:
        if self._open.get(read) == name:
            self._loop.add_reader(read, self._read, read, name)

    def _end(self, read: int) -> None:
        self._loop.remove_reader(read)
        del self._open[read]
        os.close(read)
        names = set(self._open.values())
        if DESCRIPTORS[-1] not in names:
            self._ended.set()
        if names <= {DESCRIPTORS[-1]}:
            self._drained.set()


async def _within(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
