"""`voltgraph serve`: serve both APIs."""

import asyncio
import socket
from functools import partial
from typing import Annotated

import typer

from app import __version__
from app.auth.caller import is_loopback
from app.auth.keys import open_keys
from app.cli.checks.extras import missing_battery
from app.cli.checks.isolation import require_isolation
from app.cli.checks.preflight import check_database, check_port
from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.terminal import console, shown
from app.database import telemetry
from app.database.connect import database_url as parsed
from app.database.connect import record_server, shown_url
from app.execution.sandbox.server_process import protect_process
from app.main import create_app
from app.server.observability import logs
from app.server.observability.listener import check_listener
from app.server.uvicorn import Server
from app.settings import ANY, Settings

OPEN = "none: everybody on this machine may do everything. `voltgraph keys create` makes one."
OPEN_TO_ALL = "[yellow]none: everybody who reaches this address may do everything."
ADVICE = "Make one with `voltgraph keys create`, or set VOLTGRAPH_ALLOW_ANYONE=true."
ANY_PAGE = (
    "[red]VOLTGRAPH_CORS_ORIGINS[/red] allows every origin, and no API key exists: name the origins, or create a key."
)


def new_server(settings: Settings, kind: type[Server] = Server) -> Server:
    """Create the server with its application."""
    app, url = create_app(settings), parsed(settings.database_url)

    async def announce(host: str, port: int) -> None:
        base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        record_server(url, reachable(base))
        logs.print_start(
            settings,
            f"serves {base}/graphql",
            partial(tell, base, host, await app.state.services.authenticator.need_keys()),
        )

    def tell(base: str, host: str, has_keys: bool) -> None:
        if settings.console:
            console.print(f"Console   {base}/console", highlight=False)
        console.print(f"GraphiQL  {base}/graphql\nREST      {base}/openapi.json", highlight=False)
        if not has_keys:
            console.print(f"Keys      {OPEN if is_loopback(host) else OPEN_TO_ALL}", highlight=False, soft_wrap=True)
        console.print(shown(f"Database  {shown_url(url)}"), soft_wrap=True)
        console.print(shown(f"Version   {__version__}"))
        if settings.workers and (advice := missing_battery(settings)):
            console.print(shown(f"Battery   {advice}", "yellow"), soft_wrap=True)

    return kind(app, settings, announce)


def reachable(base: str) -> str:
    """Return the address at which this machine reaches a server that may listen on all addresses."""
    return base.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [VOLTGRAPH_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one. [VOLTGRAPH_PORT]")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the API. Brings the database up to date first."""
    settings = settings_with(host=host, port=port, database_url=database_url)
    check_port(settings.host, settings.port)
    check_listener(settings, (settings.host, settings.port))
    telemetry.check()
    check_database(parsed(settings.database_url))
    if not (settings.allow_anyone or _only_here(settings.host) or asyncio.run(_has_keys(settings))):
        console.print(
            shown(f"{settings.host} can be reached from other machines, and no API key exists.", "red"), ADVICE
        )
        raise typer.Exit(2)
    if ANY in settings.origins and not asyncio.run(_has_keys(settings)):
        console.print(ANY_PAGE, highlight=False, soft_wrap=True)
        raise typer.Exit(2)
    logs.configure(settings)
    require_isolation(settings)
    protect_process()
    new_server(settings).run()


def _only_here(host: str) -> bool:
    """Return whether a host name resolves to loopback addresses only."""
    try:
        return all(is_loopback(str(info[4][0])) for info in socket.getaddrinfo(host, None))
    except OSError:
        return False


async def _has_keys(settings: Settings) -> bool:
    async with open_keys(parsed(settings.database_url)) as keys:
        return await keys.any()
