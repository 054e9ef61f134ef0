"""Pings of WebSockets, whose timer is shared."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.server.connections.pings import TICK, Pings
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live
from tests.server.test_connections import until_closed

INTERVAL, PATIENCE = 0.2, 30.0


class Pinged:
    """Stand-in for a WebSocket that notes when it sends pings."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times: list[float] = []
        self._error = error

    def send_keepalive_ping(self) -> None:
        self.times.append(asyncio.get_running_loop().time())
        if self._error:
            raise self._error


async def test_each_one_pings_once_after_its_delay_and_fails_alone() -> None:
    loop, pings, errors = asyncio.get_running_loop(), Pings(), []
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    soon, failing, also_soon, later, removed = Pinged(), Pinged(ValueError()), Pinged(), Pinged(), Pinged()
    start = loop.time()
    for socket, delay in ((later, 0.05 + 3 * TICK), (failing, 0.05), (soon, 0.05), (also_soon, 0.05), (removed, 0.05)):
        tick = pings.add(socket, loop, delay)
    pings.remove(removed, tick)
    async with asyncio.timeout(PATIENCE):
        while not later.times:  # noqa: ASYNC110  stand-ins have no event for this
            await asyncio.sleep(0.01)
    assert [len(each.times) for each in (soon, failing, also_soon, later, removed)] == [1, 1, 1, 1, 0]
    assert soon.times[0] - start >= 0.05
    assert later.times[0] - start >= 0.05 + 3 * TICK
    assert [type(error) for error in errors] == [ValueError]


@pytest.fixture
async def live(sqlite_url: str) -> AsyncIterator[Live]:
    async with clients.live(sqlite_url) as running:
        running.server.config.ws_ping_interval, running.server.config.ws_ping_timeout = INTERVAL, 1.0
        yield running


def protocol_of(live: Live) -> Any:
    """Return the protocol of the only WebSocket."""
    [protocol] = [each for each in live.server.server_state.connections if hasattr(each, "handle_ping")]
    return protocol


async def test_a_client_that_answers_is_pinged_again_and_again(live: Live) -> None:
    async with clients.socket(live.url, ping_interval=None) as opened:
        protocol = protocol_of(live)
        sent: set[float] = set()
        async with asyncio.timeout(PATIENCE):
            while len(sent) < 4:
                sent.add(protocol.ping_sent_at)
                await asyncio.sleep(INTERVAL / 4)
        await opened.subscribe("{ viewer { organizationId } }")
        assert await opened.next()


async def test_a_client_that_answers_no_ping_is_disconnected(live: Live) -> None:
    async with clients.socket(live.url, ping_interval=None) as opened:
        opened.connection.transport.pause_reading()
        await until_closed(live, 0)
        opened.connection.transport.abort()


async def test_a_closed_connection_is_not_kept_until_its_ping(live: Live) -> None:
    live.server.config.ws_ping_interval = 1000.0
    async with clients.socket(live.url, ping_interval=None):
        protocol = weakref.ref(protocol_of(live))
        assert protocol() is not None
    await until_closed(live, 0)
    async with asyncio.timeout(PATIENCE):
        while protocol() is not None:
            await asyncio.sleep(0.05)
            gc.collect()
