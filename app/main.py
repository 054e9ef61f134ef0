"""The server as one ASGI application: GraphQL at /graphql, REST at /pipelines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

import schema
from app import health, metrics, rest
from app.connections import Connections
from app.cors import cors
from app.database import database_url, exclusive, open_database
from app.execution.engine import open_engine
from app.execution.worker import working
from app.explorer import Explorer
from app.host_rule import HostRule
from app.keys import open_keys
from app.metrics import Counted, Metrics
from app.migrations import migrate
from app.services import services
from app.settings import QUERIES, Settings
from app.tracing import Traced
from schema.http import GraphQLEndpoint


class Voltgraph(FastAPI):
    """FastAPI, with /graphql answered before its middleware and routing: they cost more than the answer does."""

    graphql: GraphQLEndpoint
    connections: Connections
    web: ASGIApp
    """All that FastAPI answers."""
    around: ASGIApp | None = None
    """What every request goes through first, where there is such."""

    @property
    def direct(self) -> GraphQLEndpoint | None:
        """What may be asked past ASGI; None where something stands before every request."""
        return self.graphql if self.around is None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.around is None:
            await self.inner(scope, receive, send)
        else:
            await self.around(scope, receive, send)

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer itself."""
        at = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] != "lifespan" else None
        if at == "/graphql":
            await self.graphql(scope, receive, send)
        else:
            await self.web(scope, receive, send)


def create_app(settings: Settings | None = None) -> Voltgraph:
    """The application. Its lifespan brings the database up to date, opens it, and closes it at the end."""
    settings = settings or Settings()
    explorer = Explorer(QUERIES)

    @asynccontextmanager
    async def lifespan(app: Voltgraph) -> AsyncIterator[None]:
        url = database_url(settings.database_url)
        with exclusive(url):
            await migrate(url)
            async with (
                open_database(url, settings.max_waiting_writes) as database,
                open_engine(url) as engine,
                open_keys(url, database.recoveries) as keys,
            ):
                app.state.services = services(settings, database, engine, keys)
                app.graphql.open(app.state.services)
                app.state.metrics.watch(app.state.services)
                async with (
                    aclosing(app.state.services.revocations),
                    working(settings, url, database, engine, app.state.metrics.job),
                ):
                    yield

    app = Voltgraph(title="Voltgraph", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.metrics = Metrics()
    app.connections = Connections(settings.max_connections, settings.write_timeout)
    app.state.metrics.watch_connections(app.connections)
    guarded = HostRule(partial(FastAPI.__call__, app), lambda: app.state.services.callers)
    app.web = Traced(Counted(guarded, app.state.metrics))
    app.graphql = GraphQLEndpoint(settings, explorer.page, app.state.metrics)
    app.state.settings = settings
    if settings.origins:
        app.around = cors(app.inner, settings.origins)
    if settings.log_format == "json":
        app.around = Traced(app.around or app.inner, logs=True)
    app.mount("/explorer", explorer.assets)
    app.include_router(health.router)
    app.include_router(metrics.router)
    rest.install(app)
    return app


def sdl() -> str:
    """The GraphQL schema in its own language."""
    return schema.schema.as_str() + "\n"
