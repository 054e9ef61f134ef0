"""A transport that wakes its client as seldom as can be: each write is a call of the system."""

from __future__ import annotations

import asyncio
from typing import Any

LARGE = 16 * 2**10
"""Bytes of an answer that is not copied to stand behind its head."""


class Together:
    """A transport that sends at once all that is written within one turn of the event loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []
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

    def _send(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.writelines(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
