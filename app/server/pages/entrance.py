"""Entrance: `/` leads browsers to the console or to GraphiQL, and `/docs` lists what a server answers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from app import __version__

CONSOLE = {"console": "Console: pipelines, their fits and their data in a browser"}
"""The place of the console, unless it is off."""
PLACES = {
    "graphql": "GraphQL, and GraphiQL for browsers: all operations as tabs, the schema beside them",
    "openapi.json": "OpenAPI document of the REST API",
    "metrics": "Metrics for Prometheus",
    "readyz": "Readiness",
    "livez": "Version, while the process runs",
}
"""Paths of a server and their meaning. They are relative, so that they hold under the prefix of a proxy too."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Voltgraph</title>'
    "<style>body{{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}}</style>"
    "<h1>Voltgraph {version}</h1><ul>{items}</ul></html>"
)


def router(*, has_console: bool) -> APIRouter:
    """Return the routes of the entrance."""
    places = (CONSOLE if has_console else {}) | PLACES
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def root(request: Request) -> Response:
        """Redirect browsers to the first place; name the places for other clients."""
        vary = {"vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(next(iter(places)), 307, vary)
        return JSONResponse({"voltgraph": __version__} | places, headers=vary)

    @routes.get("/docs")
    async def docs() -> Response:
        """List the places of a server as a page without scripts."""
        items = "".join(f'<li><a href="{path}">/{path}</a>: {meaning}.</li>' for path, meaning in places.items())
        return HTMLResponse(
            PAGE.format(version=__version__, items=items),
            headers={"content-security-policy": POLICY, "x-content-type-options": "nosniff"},
        )

    return routes
