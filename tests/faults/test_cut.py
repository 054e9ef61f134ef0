"""Silent network failures, as when a PostgreSQL server moves: connections that no peer closed time out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import make_url

from app.database.connect import database_url, open_database
from app.database.postgres import database as ours
from tests import servers
from tests.database.test_database import adding
from tests.database.test_store import new, stored

PATIENCE = 1.0
MOST = 20.0
"""Seconds in which a write must fail, on a machine that tests share."""


@dataclass
class Relay:
    """Relay to a server that can be cut: data on existing connections are lost, and no connection ends."""

    socket: Path
    _lost: set[object] = field(default_factory=set)
    _open: set[object] = field(default_factory=set)

    def cut(self) -> None:
        self._lost |= self._open

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = object()
        self._open.add(connection)
        away_reader, away_writer = await asyncio.open_unix_connection(self.socket)
        with suppress(ConnectionError):
            await asyncio.gather(
                self._carry(connection, reader, away_writer), self._carry(connection, away_reader, writer)
            )

    async def _carry(self, connection: object, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if connection not in self._lost:
                target.write(data)
        target.close()


@asynccontextmanager
async def relayed(postgres: servers.Postgres) -> AsyncIterator[tuple[str, Relay]]:
    """Return the address of a new database behind a relay."""
    url = make_url(postgres.new_database())
    relay = Relay(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    listening = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    address = url.difference_update_query(["host"]).set(host="127.0.0.1", port=port)
    yield address.render_as_string(hide_password=False), relay
    listening.close()
    await listening.wait_closed()


@pytest.mark.parametrize("is_new", [True, False])
async def test_writes_are_given_up_and_the_next_ones_are_done(
    postgres: servers.Postgres, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    monkeypatch.setattr(ours, "COMMAND_TIMEOUT", PATIENCE)
    async with relayed(postgres) as (address, relay), open_database(database_url(address), 100) as database:

        async def write(key: str) -> None:
            await (database.store(new(database, key)) if is_new else database.write(adding(key)))

        await write("before")
        relay.cut()
        start = monotonic()
        with pytest.raises(TimeoutError):
            await write("lost")
        assert monotonic() - start < MOST
        await write("after")
        assert await stored(database) == ["after", "before"]
        assert database.recoveries()["session"] >= 1
