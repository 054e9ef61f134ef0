"""`voltgraph doctor`: check the installation, the settings and the database."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
import typer
from rich.table import Table
from sqlalchemy.engine import URL

from app import __version__
from app.cli.checks.extras import BATTERY, missing_battery
from app.cli.checks.preflight import check_database, check_port, with_keys
from app.cli.checks.settings import DatabaseUrl, settings_with, unknown_variables
from app.cli.terminal import console, shown
from app.database import telemetry
from app.database.connect import FileInUse, backend_of, server_of, shown_url
from app.database.connect import database_url as parsed
from app.database.migrations import head, pending
from app.errors import VoltgraphError
from app.execution.sandbox.isolation import isolation
from app.models.sql import is_file
from app.server.observability.listener import check_listener
from app.settings import Settings

OLDEST_POSTGRES = 15
"""Oldest major version of PostgreSQL that was tested."""
SEARCHES = ("pipeline_search", "pipeline_search_description")
"""Indexes that need the extension pg_trgm."""
State = Literal["ok", "warning", "error"]
Finding = tuple[State, str]
COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(database_url: DatabaseUrl = None) -> None:
    """Check the installation, settings, database and permissions. Exits with 3 if something prevents work."""
    settings = settings_with(database_url=database_url)
    table = Table("Check", "", "Finding")
    worst = False
    for name, check in CHECKS.items():
        for state, finding in _found(check, settings):
            table.add_row(name, shown(state, COLOURS[state]), shown(finding))
            worst = worst or state == "error"
    console.print(table)
    raise typer.Exit(3 if worst else 0)


def _found(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except FileInUse as error:
        yield "ok", f"{error}"
    except VoltgraphError as error:
        yield "error", str(error)


def _installation(settings: Settings) -> Iterator[Finding]:
    python = platform.python_version()
    yield "ok", f"voltgraph {__version__}, Python {python}, {sys.platform}, in {Path(sys.prefix)}"


def _settings(settings: Settings) -> Iterator[Finding]:
    given = sorted(settings.model_fields_set)
    yield "ok", "set: " + (", ".join(f"VOLTGRAPH_{name.upper()}" for name in given) or "none, all have their defaults")
    for name, near in unknown_variables():
        yield "warning", f"{name} is no setting" + (f": did you mean {near}?" if near else ".")


def _database(settings: Settings) -> Iterator[Finding]:
    url = parsed(settings.database_url)
    revision = check_database(url, writes=False)
    steps = pending(revision)
    yield "ok", f"{shown_url(url)} " + ("does not exist yet" if revision is None else f"at revision {revision}")
    if revision is not None and steps:
        yield "warning", f"{steps} migrations to revision {head()} are pending: the next start applies them."
    if is_file(url):
        yield from _file(url)
    else:
        yield from _server(*asyncio.run(_server_state(url)))


def _file(url: URL) -> Iterator[Finding]:
    file = Path(str(url.database))
    yield "ok", "one process at a time writes this file"
    if file.exists() and (mode := file.stat().st_mode & 0o077):
        yield "warning", f"other users may use {file} (mode {mode:03o} beyond its owner): chmod 600 {file}*"


def _server(found: tuple[int, ...], missing: list[str]) -> Iterator[Finding]:
    state: State = "ok" if found[0] >= OLDEST_POSTGRES else "warning"
    yield state, f"PostgreSQL {'.'.join(map(str, found))}; tested from {OLDEST_POSTGRES} on"
    if missing:
        indexes = " and ".join(missing)
        yield (
            "warning",
            f"texts are searched row by row without {indexes}: create pg_trgm, see docs/hosting/postgresql.md",
        )


async def _server_state(url: URL) -> tuple[tuple[int, ...], list[str]]:
    """Return the version of the server, and the missing indexes of texts if the tables exist."""
    engine = backend_of(url).check_engine(url)
    query = sa.text("SELECT to_regclass('pipeline') IS NULL OR to_regclass(:name) IS NOT NULL")
    try:
        async with engine.connect() as connection:
            missing = [each for each in SEARCHES if not await connection.scalar(query, {"name": each})]
            return tuple(map(int, connection.dialect.server_version_info or (0,))), missing
    finally:
        await engine.dispose()


def _keys(settings: Settings) -> Iterator[Finding]:
    url = parsed(settings.database_url)
    has_store = not is_file(url) or Path(f"{url.database}.keys").exists()
    count = sum(key.revoked_at is None for key in with_keys(url, lambda keys: keys.all())) if has_store else 0
    yield "ok", f"{count} valid" if count else "none: everybody on this machine may do everything"


def _port(settings: Settings) -> Iterator[Finding]:
    if server := server_of(parsed(settings.database_url)):
        yield "ok", f"the server of this database listens at {server}"
        return
    check_port(settings.host, settings.port)
    yield "ok", f"{settings.host}:{settings.port} is free"
    check_listener(settings, (settings.host, settings.port))
    if settings.metrics_port is not None:
        yield "ok", f"{settings.metrics_host}:{settings.metrics_port} is free for metrics"


def _traces(settings: Settings) -> Iterator[Finding]:
    telemetry.check()
    yield "ok", "sent by OpenTelemetry" if telemetry.is_wanted(os.environ) else "off: no OTEL_* variable asks for them"


def _battery(settings: Settings) -> Iterator[Finding]:
    if advice := missing_battery(settings):
        yield "warning", advice
        return
    for name in BATTERY:
        try:
            yield "ok", f"{name} {version(name)}"
        except PackageNotFoundError:
            yield "warning", f"{name} is not installed; the executor {settings.executor} may not need it."


def _sandbox(settings: Settings) -> Iterator[Finding]:
    given = isolation(settings.sandbox)
    yield "ok" if given.level == "full" else "warning", f"isolation of jobs: {given.level}"
    for warning in given.warnings:
        yield "warning", warning
    if settings.sandbox == "required" and settings.workers and given.level != "full":
        yield "error", "VOLTGRAPH_SANDBOX=required prevents the start on this kernel."


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "Installation": _installation,
    "Settings": _settings,
    "Database": _database,
    "Keys": _keys,
    "Port": _port,
    "Traces": _traces,
    "Battery": _battery,
    "Sandbox": _sandbox,
}
"""Checks by their titles, in the order of the table."""
