"""The server as one ASGI application: GraphQL at /graphql, REST at /pipelines."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from functools import cache, partial
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import schema
from app import __version__, rest
from app.auth.keys import open_keys
from app.database import telemetry
from app.database.connect import database_url, exclusive, open_database
from app.database.interface import Pools
from app.database.migrations import migrate
from app.database.retention import purge_copies
from app.errors import VoltgraphError
from app.execution.checking.checker import Checker
from app.execution.on_demand import ChildrenOnDemand
from app.execution.reading.exporter import Exporter
from app.execution.reading.parts import Parts
from app.execution.worker import child_processes, working
from app.models.columns import now
from app.models.sql import is_file
from app.rest.host_rule import HostRule
from app.server.compression import Compressed
from app.server.connections.connection_limit import Connections
from app.server.cors import cors
from app.server.fast_path.interface import FastPathApplication
from app.server.observability import health, metrics
from app.server.observability.exposition import Exposition
from app.server.observability.listener import listening
from app.server.observability.metrics import Counted, Metrics
from app.server.observability.request_log import Traced
from app.server.observability.spans import Spanned
from app.server.pages import entrance
from app.server.pages.console import Console
from app.server.pages.explorer import Explorer
from app.server.pages.reference.document import completed
from app.server.services import services
from app.settings import QUERIES, Settings
from schema.transport.http import GraphQLEndpoint


class Voltgraph(FastAPI):
    """FastAPI application that dispatches /graphql before FastAPI's middleware and routing, which cost more than the
    response."""

    graphql: GraphQLEndpoint
    connections: Connections
    web: ASGIApp
    """The application behind every path but /graphql."""
    refusal: VoltgraphError | None = None
    """Error that a user can mend, and that kept the application from starting."""
    around: ASGIApp | None = None
    """Middleware around every request, if there is any."""
    fast_path: FastPathApplication | None = None
    """Application of the fast path; None if it is off, or if a middleware wraps every request."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, without the address of the server."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.around or self.inner)(scope, receive, send)

    def inner(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Dispatch a request."""
        if scope["type"] == "lifespan":
            return self.web(scope, receive, partial(self._report, send))
        if scope["path"].removeprefix(scope.get("root_path", "")) == "/graphql":
            return self.graphql(scope, receive, send)
        return self.web(scope, receive, send)

    async def _report(self, send: Send, message: Message) -> None:
        """Send a message of the lifespan, without the traceback of an error that the command line explains."""
        await send(message if self.refusal is None else {"type": message["type"]})


ABANDONED = timedelta(hours=1)
"""Age of an unfinished copy that no process of a shared database can be making any more."""


def create_app(settings: Settings | None = None) -> Voltgraph:
    """Create the application. Its lifespan migrates the database, opens it, and closes it at the end."""
    settings = settings or Settings()
    explorer = _explorer()

    @asynccontextmanager
    async def lifespan(app: Voltgraph) -> AsyncIterator[None]:
        has_started = False
        try:
            async with running(app):
                has_started = True
                yield
        except VoltgraphError as error:
            app.refusal = None if has_started else error
            raise

    @asynccontextmanager
    async def running(app: Voltgraph) -> AsyncIterator[None]:
        url = database_url(settings.database_url)
        with telemetry.tracing(), exclusive(url):
            await migrate(url)
            async with (
                open_database(url, settings.max_waiting_writes, pools(settings)) as database,
                open_keys(url, database.recoveries) as keys,
                Parts(settings, database) as parts,
                child_processes(settings) as children,
                ChildrenOnDemand(settings, children) as on_demand,
            ):
                checker, exporter = Checker(settings, database, on_demand), Exporter(settings, on_demand)
                app.state.services = services(settings, database, keys, parts, checker, exporter)
                app.graphql.open(app.state.services)
                app.state.metrics.watch(app.state.services)
                await app.state.services.key_audit.deliver()
                await purge_copies(database, now() - (timedelta(0) if is_file(url) else ABANDONED))
                app.state.exposition = Exposition(app.state.metrics, database)
                async with (
                    listening(
                        settings, app.state.metrics, database, app.state.services.health, app.state.services.isolation
                    ),
                    aclosing(app.state.services.authenticator.keys),
                    aclosing(app.state.services.revocations),
                    aclosing(app.state.services.key_audit),
                    working(settings, url, database, children, app.state.metrics.job),
                ):
                    yield

    app = Voltgraph(
        title="Voltgraph",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.metrics = Metrics()
    app.connections = Connections(settings.max_connections, settings.write_timeout)
    app.state.metrics.watch_connections(app.connections)
    guarded = HostRule(partial(FastAPI.__call__, app), lambda: app.state.services.authenticator)
    inner = Compressed(guarded) if settings.compression else guarded
    app.web = Traced(Counted(inner, app.state.metrics))
    app.graphql = GraphQLEndpoint(settings, explorer.page, app.state.metrics)
    app.state.settings = settings
    if settings.origins:
        app.around = cors(app.inner, settings.origins)
    if settings.log_format == "json":
        app.around = Traced(app.around or app.inner, logs=True)
    if telemetry.is_wanted(os.environ):
        app.around = Spanned(app.around or app.inner)
    if settings.fast_path and app.around is None:
        app.fast_path = app.graphql
    app.mount("/explorer", explorer.assets)
    if settings.console:
        serve_console(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(entrance.router(has_console=settings.console))
    rest.install(app)
    return app


@cache
def _explorer() -> Explorer:
    """Return the page, whose files all applications of a process share."""
    return Explorer(QUERIES)


@cache
def _console() -> Console:
    """Return the page, whose files all applications of a process share."""
    return Console()


def serve_console(app: FastAPI) -> None:
    """Add the console's page and its files."""
    console = _console()
    app.add_route("/console", console.page, include_in_schema=False)
    app.add_route("/console/", console.leave_folder, include_in_schema=False)
    app.mount("/console", console.assets)


def pools(settings: Settings) -> Pools:
    """Return the sizes of the connection pools."""
    return Pools(settings.postgres_sessions, settings.postgres_readers)


def sdl() -> str:
    """Return the GraphQL schema as SDL."""
    return schema.schema.as_str() + "\n"
