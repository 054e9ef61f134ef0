"""Entrance: `/` leads browsers to the console or to GraphiQL; `/docs` lists what a server answers, with a reference of
the REST API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from app import __version__
from app.server.pages.reference.document import with_server
from app.server.pages.reference.page import reference

CONSOLE = {"console": "Console: pipelines, their fits and their data in a browser"}
"""The place of the console, unless it is off."""
PLACES = {
    "graphql": "GraphQL, and GraphiQL for browsers: all operations as tabs, the schema beside them",
    "docs": "Reference of the REST API",
    "openapi.json": "OpenAPI document of the REST API",
    "metrics": "Metrics for Prometheus",
    "readyz": "Readiness",
    "livez": "Version, while the process runs",
}
"""Paths of a server and their meaning. They are relative, so that they hold under the prefix of a proxy too."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 sans-serif;max-width:60em;margin:3em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0}"
    "td,th{text-align:left;vertical-align:top;padding:.2em .6em .2em 0;border-bottom:1px solid #8884}"
    "details{border-top:1px solid #8884;padding:.3em 0;overflow-x:auto}"
    "summary{cursor:pointer;overflow-wrap:anywhere}"
    "code,pre{font-size:.9em}pre{overflow-x:auto}summary b{display:inline-block;min-width:4.5em}"
)
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Voltgraph</title><style>{style}</style><h1>Voltgraph {version}</h1><ul>{items}</ul>{reference}</html>"
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
    async def docs(request: Request) -> Response:
        """List the places of a server, and its REST endpoints, as a page without scripts."""
        items = "".join(f'<li><a href="{path}">/{path}</a>: {meaning}.</li>' for path, meaning in places.items())
        made = reference(_document(request))
        return HTMLResponse(
            PAGE.format(style=STYLE, version=__version__, items=items, reference=made),
            headers={"content-security-policy": POLICY, "x-content-type-options": "nosniff"},
        )

    @routes.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        return JSONResponse(_document(request))

    return routes


def _document(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document with the address that the client uses."""
    return with_server(request.app.openapi(), str(request.base_url).rstrip("/"))
