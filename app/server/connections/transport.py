"""Transport that coalesces all writes of one event-loop turn into one system call."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from typing import Any

from app.server.connections.connection_limit import Connections

LARGE = 16 * 2**10
"""Maximum bytes of a body that is copied behind its head; a larger body is written on its own."""


class CoalescingTransport:
    """Transport that sends all data written within one event-loop turn at once, and aborts the connection on a write
    timeout."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, limits: Connections) -> None:
        self._transport, self._loop, self.limits = transport, loop, limits
        self._written: list[bytes] = []
        self._is_held = False
        self._deadline: asyncio.TimerHandle | None = None
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def write_now(self, head: bytes, content: bytes) -> None:
        if self._written:
            self._written += (head, content)
        elif len(content) < LARGE:
            self._transport.write(head + content)
        else:
            self._transport.writelines((head, content))

    def close(self) -> None:
        self._send()
        self._transport.close()
        self.expect_progress()

    def hold_reading(self) -> None:
        """Read nothing until `release_reading`, also if flow control resumes."""
        self._is_held = True
        self._transport.pause_reading()

    def release_reading(self, *, resume: bool) -> None:
        """End `hold_reading`. `resume` is False if flow control wants to wait."""
        self._is_held = False
        if resume:
            self._transport.resume_reading()

    def resume_reading(self) -> None:
        if not self._is_held:
            self._transport.resume_reading()

    def expect_progress(self) -> None:
        """Start the write timeout: abort the connection if the client reads nothing for that time. A slow client that
        reads some of the data continues, as with nginx's `send_timeout`."""
        if self._deadline is None and self._transport.get_write_buffer_size():
            waiting = self._unacknowledged()
            self._deadline = self._loop.call_later(self.limits.write_timeout, self._check_progress, waiting)

    def expect_nothing(self) -> None:
        """Stop the write timeout."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _check_progress(self, waited: int) -> None:
        self._deadline = None
        if not self._transport.get_write_buffer_size() or self._unacknowledged() < waited:
            self.expect_progress()
        else:
            self.limits.timed_out()
            self._transport.abort()

    def _unacknowledged(self) -> int:
        """Return the bytes that the client has not acknowledged: those in this transport and in the kernel's buffer,
        which reports no free space before a third of it is empty."""
        size: int = self._transport.get_write_buffer_size()
        try:
            queued = fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):  # the socket is closed, or the system has no such ioctl
            return size
        return size + int.from_bytes(queued, sys.byteorder)

    def _send(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.writelines(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class WriteTimeout(asyncio.Protocol):
    """Mixin of protocols over a `CoalescingTransport`: the write timeout runs while the transport's buffer is full."""

    transport: CoalescingTransport

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.expect_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.transport.expect_nothing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.transport.expect_nothing()
