"""Command line: `python -m app`."""

import asyncio
import gc
import signal
import socket
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.engine import URL
from typer.core import TyperGroup

from app import database, keys_command, logs
from app.backup import back_up
from app.callers import is_loopback
from app.cors import ANY
from app.ending import take_no_more
from app.errors import VoltgraphError, WrongDocuments
from app.execution.engine import open_engine
from app.execution.worker import working
from app.keys import open_keys
from app.main import create_app, sdl
from app.migrations import migrate as bring_up_to_date
from app.protocol import LEAVE, Http
from app.run import Refused
from app.run import run as run_file
from app.settings import Settings
from app.terminal import lines, shown
from app.websocket_protocol import WebSocket

console = Console()


class Commands(TyperGroup):
    """Command group that reports every invalid setting and exits with status 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if error.title != Settings.__name__:
                raise
            for fault in error.errors(include_input=False, include_url=False):
                name, why = str(fault["loc"][0]).upper(), fault["msg"].removeprefix("Value error, ")
                console.print(shown(f"VOLTGRAPH_{name}", "red"), shown(why), soft_wrap=True)
            raise typer.Exit(2) from None
        except WrongDocuments as error:
            for why in error.faults:
                console.print(shown("VOLTGRAPH_TRUSTED_DOCUMENTS", "red"), shown(why), soft_wrap=True)
            raise typer.Exit(2) from None


cli = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, help="Voltgraph: pipelines for battery models."
)
cli.add_typer(keys_command.cli, name="keys")

OPEN = "none: everybody on this machine may do everything. `python -m app keys create` makes one."
OPEN_TO_ALL = "[yellow]none: everybody who reaches this address may do everything."
ADVICE = "Make one with `python -m app keys create`, or set VOLTGRAPH_ALLOW_ANYONE=true."
ANY_PAGE = (
    "[red]VOLTGRAPH_CORS_ORIGINS[/red] allows every origin, and no API key exists: name the origins, or create a key."
)
COLLECTED = (20_000, 20, 50)
"""Thresholds of the garbage collector: a page of results has about a thousand objects."""
LAST_CALL = 0.8
"""Drain window in seconds. Open connections may send further requests; each response carries `Connection: close`,
because a request sent while its socket is closed is lost. New connections are dropped meanwhile: their clients retry
after a second and are then refused."""
GRACE = 10
"""Seconds within which clients must read their responses at shutdown."""


class Server(uvicorn.Server):
    """uvicorn server that prints its addresses and drains before it shuts down."""

    def __init__(self, settings: Settings) -> None:
        self._app = create_app(settings)
        config = uvicorn.Config(
            self._app,
            settings.host,
            settings.port,
            log_level="warning",
            log_config=None,  # `logs` configures logging
            server_header=False,
            access_log=False,  # disabled by the log level, but uvicorn would format each line all the same
            http=Http,
            ws=WebSocket,
            ws_max_size=settings.max_body_bytes,
            timeout_graceful_shutdown=GRACE,
            ws_per_message_deflate=False,  # compression takes more memory than the rest of an idle socket
        )
        super().__init__(config)
        self._app.connections.watch(self.server_state.connections)
        self._database = database.database_url(settings.database_url)
        self._drain_delay = settings.drain_delay

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # objects created at start-up stay alive: the collector need not traverse them again
        gc.set_threshold(*COLLECTED)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            console.print(f"GraphiQL  {base}/graphql\nREST      {base}/openapi.json", highlight=False)
            if not await self._app.state.services.callers.need_keys():
                console.print(f"Keys      {OPEN if is_loopback(host) else OPEN_TO_ALL}", highlight=False)
            console.print(shown(f"Database  {self._database.render_as_string(hide_password=True)}"))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.started:
            self._app.state.services.health.draining = True
            self.server_state.default_headers = [*self.server_state.default_headers, LEAVE]
            await self._pause(self._drain_delay)
            take_no_more(listening for server in self.servers for listening in server.sockets)
            await self._pause(LAST_CALL, while_connected=True)
        self._app.graphql.close()
        await super().shutdown(sockets)

    async def _pause(self, seconds: float, *, while_connected: bool = False) -> None:
        """Wait while requests are served. Return early after a second signal, or, with `while_connected`, once no
        client is connected."""
        end = monotonic() + seconds
        while monotonic() < end and not self.force_exit:
            await asyncio.sleep(min(0.1, seconds))  # at least once: a connection may be waiting for accept()
            if while_connected and not self.server_state.connections:
                return


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [VOLTGRAPH_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one. [VOLTGRAPH_PORT]")] = None,
    database_url: Annotated[str | None, typer.Option(help="URL of the database. [VOLTGRAPH_DATABASE_URL]")] = None,
) -> None:
    """Serve the API. Brings the database up to date first."""
    given: dict[str, Any] = {"host": host, "port": port, "database_url": database_url}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    if not (settings.allow_anyone or _only_here(settings.host) or asyncio.run(_has_keys(settings))):
        console.print(
            shown(f"{settings.host} can be reached from other machines, and no API key exists.", "red"), ADVICE
        )
        raise typer.Exit(2)
    if ANY in settings.origins and not asyncio.run(_has_keys(settings)):
        console.print(ANY_PAGE, highlight=False)
        raise typer.Exit(2)
    logs.configure(settings)
    Server(settings).run()


def _only_here(host: str) -> bool:
    """Return whether a host name resolves to loopback addresses only."""
    try:
        return all(is_loopback(str(info[4][0])) for info in socket.getaddrinfo(host, None))
    except OSError:
        return False


async def _has_keys(settings: Settings) -> bool:
    async with open_keys(database.database_url(settings.database_url)) as keys:
        return await keys.any()


@cli.command()
def run(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Pipeline file, as for POST /pipelines.")],
    server: Annotated[
        str | None, typer.Option(help="URL of a running server; by default a server in this process.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="VOLTGRAPH_KEY", help="API key, if the server needs one.")] = None,
) -> None:
    """Create a pipeline, start it and watch it. Ctrl-C cancels it."""
    try:
        completed = asyncio.run(run_file(file, server, key, console))
    except database.FileInUse as error:
        console.print(shown(f"{error}: give its address by --server"))
        raise typer.Exit(2) from None
    except (Refused, VoltgraphError, httpx.HTTPError) as error:
        console.print(shown(type(error).__name__, "red"), lines(str(error)))
        raise typer.Exit(2) from None
    raise typer.Exit(0 if completed else 1)


@cli.command()
def worker() -> None:
    """Run pipelines without serving the API: an additional process or machine on PostgreSQL."""
    settings = Settings()
    url = database.database_url(settings.database_url)
    if url.drivername.startswith("sqlite"):
        raise typer.BadParameter("A SQLite file has one process, `serve`, which runs its pipelines too.")
    logs.configure(settings)
    asyncio.run(work(settings, url))


async def work(settings: Settings, url: URL) -> None:
    """Run pipelines until SIGINT or SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await bring_up_to_date(url)
    async with (
        database.open_database(url, settings.max_waiting_writes) as tables,
        open_engine(url) as engine,
        working(settings, url, tables, engine),
    ):
        console.print(shown(f"Runs the pipelines of {url.render_as_string(hide_password=True)}"))
        await ended.wait()


@cli.command()
def migrate() -> None:
    """Bring the database up to date, without serving it."""
    url = database.database_url(Settings().database_url)
    with database.exclusive(url):
        asyncio.run(bring_up_to_date(url))
    console.print(shown(f"{url.render_as_string(hide_password=True)} is up to date."))


@cli.command()
def backup(file: Annotated[Path, typer.Argument(dir_okay=False, help="Path of the copy.")]) -> None:
    """Copy the SQLite database and its keys, also while a server runs."""
    url = database.database_url(Settings().database_url)
    if not url.drivername.startswith("sqlite"):
        raise typer.BadParameter("PostgreSQL has pg_dump for this.")
    if not Path(str(url.database)).exists():
        raise typer.BadParameter(f"Unknown database {url.database}.")
    try:
        back_up(url, file)
    except FileExistsError as error:
        raise typer.BadParameter(f"{error} exists already.") from None
    console.print(shown(f"{file} is a copy of {url.database}."))


@cli.command()
def schema() -> None:
    """Print the GraphQL schema, as it is committed in schema/schema.graphql."""
    print(sdl(), end="")  # noqa: T201  the SDL itself, for a pipe


if __name__ == "__main__":
    cli()
