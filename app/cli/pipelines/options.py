"""Options of commands about the pipelines of a server, and the connection to it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from app.cli.pipelines.client import Client, Key, connected
from app.database.connect import database_url as parsed
from app.database.connect import server_of
from app.settings import Settings

__all__ = ["Key", "Server", "connecting"]
Server = Annotated[
    str | None,
    typer.Option(
        help="URL of the server; by default that which uses the database, or that of VOLTGRAPH_HOST and VOLTGRAPH_PORT."
    ),
]


def connecting(server: str | None, key: str | None) -> AbstractAsyncContextManager[Client]:
    """Connect to a server, by default to that which uses the database, or else to that of the settings."""
    settings = Settings()
    address = server or server_of(parsed(settings.database_url)) or f"http://{settings.host}:{settings.port}"
    return connected(address, key, settings)
