"""Server-sent events of GraphQL, distinct connections mode.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from functools import partial

from graphql import OperationType
from starlette.types import Receive, Send

from app.server.faults import log_fault
from schema.answers.answer import Answer, EncodedAnswer, encoded
from schema.operations import Operation
from schema.transport.negotiation import EVENTS

Answers = AsyncGenerator[EncodedAnswer, None]
KEEP_ALIVE = 12.0
"""Seconds of silence after which a comment is sent, because proxies close idle connections."""
COMMENT = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
HEADERS = [
    (b"content-type", EVENTS + b"; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"accept"),
    (b"x-content-type-options", b"nosniff"),
]


class EventStreams:
    """Open event streams."""

    def __init__(self) -> None:
        self._listening: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """End all streams without `complete`, so that clients reconnect."""
        for client in self._listening:
            client.cancel()

    async def answer(self, operation: Operation | Answer, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if isinstance(operation, Operation) and operation.kind is OperationType.SUBSCRIPTION:
            await self._stream(operation.stream(), receive, send)
        else:
            # As with JSON, a query or a mutation is finished even if the client disconnects.
            if isinstance(operation, Answer):
                events = [EncodedAnswer(encoded(operation.body)).event]
            else:
                events = [answer.event async for answer in operation.stream()]
            await _write(send, b"".join(events) + COMPLETE)
        await _write(send, b"", more=False)

    async def _stream(self, answers: Answers, receive: Receive, send: Send) -> None:
        await _write(send, COMMENT)  # the first byte tells waiting clients that the stream is open
        lifetime = asyncio.timeout(None)
        client = asyncio.create_task(_watch(receive, send))
        client.add_done_callback(partial(_end, lifetime))
        self._listening.add(client)
        try:
            async with lifetime:
                await _write_all(answers, send)
        except Exception as error:
            if not lifetime.expired():
                log_fault(error)
        finally:
            self._listening.discard(client)
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)


async def _watch(receive: Receive, send: Send) -> None:
    """Wait until the client disconnects. Send comments meanwhile."""
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE):
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
        except TimeoutError:
            await _write(send, COMMENT)


def _end(lifetime: asyncio.Timeout, _: asyncio.Task[None]) -> None:
    """End a stream whose client disconnected."""
    with suppress(RuntimeError):  # the stream is already ending
        lifetime.reschedule(0)


async def _write_all(answers: Answers, send: Send) -> None:
    async with aclosing(answers):
        async for answer in answers:
            await _write(send, answer.event)
            del answer  # free it while waiting
    await _write(send, COMPLETE)


async def _write(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
