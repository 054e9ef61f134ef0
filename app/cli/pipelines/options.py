"""Options of commands about the pipelines of a server, and the connection to it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from app.cli.run import Client, connected
from app.settings import Settings

Server = Annotated[
    str | None, typer.Option(help="URL of the server; by default that of VOLTGRAPH_HOST and VOLTGRAPH_PORT.")
]
Key = Annotated[str | None, typer.Option(envvar="VOLTGRAPH_KEY", help="API key, if the server needs one.")]


def connecting(server: str | None, key: str | None) -> AbstractAsyncContextManager[Client]:
    """Connect to a server, by default to that of the settings."""
    settings = Settings()
    return connected(server or f"http://{settings.host}:{settings.port}", key, settings)
