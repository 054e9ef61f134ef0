"""`python -m app worker`: run pipelines without serving the API."""

import asyncio
import signal

import typer
from sqlalchemy.engine import URL

from app.cli.isolation import require_isolation
from app.cli.terminal import console, shown
from app.database import telemetry
from app.database.connect import database_url, open_database
from app.database.migrations import migrate
from app.execution.sandbox.isolation import isolation
from app.execution.sandbox.server_process import protect_process
from app.execution.worker import working
from app.models.sql import is_file
from app.server.observability import logs
from app.server.observability.health import Health
from app.server.observability.listener import listening
from app.server.observability.metrics import Metrics
from app.settings import Settings


def worker() -> None:
    """Run pipelines without serving the API: an additional process or machine on PostgreSQL."""
    settings = Settings()
    url = database_url(settings.database_url)
    if is_file(url):
        raise typer.BadParameter("A SQLite file has one process, `serve`, which runs its pipelines too.")
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
        open_database(url, settings.max_waiting_writes) as tables,
        listening(settings, metrics, tables, Health(tables), isolation(settings.sandbox)),
        working(settings, url, tables, metrics.job),
    ):
        metrics.watch_database(tables)
        metrics.watch_isolation(isolation(settings.sandbox))
        started = f"Runs the pipelines of {url.render_as_string(hide_password=True)}"
        logs.print_start(settings, started, lambda: console.print(shown(started)))
        await ended.wait()
