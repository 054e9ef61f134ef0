"""`voltgraph worker`: run pipelines without serving the API."""

import asyncio
import signal

import typer
from sqlalchemy.engine import URL

from app import __version__
from app.cli.checks.extras import missing_battery
from app.cli.checks.isolation import require_isolation
from app.cli.checks.preflight import check_database
from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.terminal import console, shown
from app.database import telemetry
from app.database.connect import database_url as parsed
from app.database.connect import open_database, shown_url
from app.database.migrations import migrate
from app.execution.sandbox.isolation import isolation
from app.execution.sandbox.server_process import protect_process
from app.execution.worker import child_processes, working
from app.main import pools
from app.models.sql import is_file
from app.server.observability import logs
from app.server.observability.health import Health
from app.server.observability.listener import check_listener, listening
from app.server.observability.metrics import Metrics
from app.settings import Settings


def worker(database_url: DatabaseUrl = None) -> None:
    """Run pipelines without serving the API: an additional process or machine on PostgreSQL."""
    settings = settings_with(database_url=database_url)
    url = parsed(settings.database_url)
    if is_file(url):
        raise typer.BadParameter("A SQLite file has one process, `serve`, which runs its pipelines too.")
    check_listener(settings)
    telemetry.check()
    check_database(url)
    logs.configure(settings)
    require_isolation(settings)
    protect_process()
    asyncio.run(work(settings, url))


async def work(settings: Settings, url: URL) -> None:
    """Run pipelines until SIGINT or SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with telemetry.tracing():
        await _work(settings, url, ended)


async def _work(settings: Settings, url: URL, ended: asyncio.Event) -> None:
    await migrate(url)
    metrics = Metrics()
    async with (
        open_database(url, settings.max_waiting_writes, pools(settings)) as tables,
        listening(settings, metrics, tables, Health(tables), isolation(settings.sandbox)),
        child_processes(settings) as children,
        working(settings, url, tables, children, metrics.job),
    ):
        metrics.watch_database(tables)
        metrics.watch_isolation(isolation(settings.sandbox))
        started = f"Runs the pipelines of {shown_url(url)}"
        logs.print_start(settings, started, lambda: _announce(settings, started))
        await ended.wait()


def _announce(settings: Settings, started: str) -> None:
    console.print(shown(started), soft_wrap=True)
    console.print(shown(f"Version   {__version__}"))
    if advice := missing_battery(settings):
        console.print(shown(f"Battery   {advice}", "yellow"), soft_wrap=True)
