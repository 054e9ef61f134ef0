"""gql client, by each of its transports."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.clients.python.official import MISSING

gql = pytest.importorskip("gql", reason=MISSING)
from gql.dsl import DSLQuery, DSLSchema, dsl_gql  # noqa: E402  after the reason for skipping these tests
from gql.transport.aiohttp import AIOHTTPTransport  # noqa: E402
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport  # noqa: E402
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport  # noqa: E402
from gql.transport.requests import RequestsHTTPTransport  # noqa: E402
from gql.transport.websockets import WebsocketsTransport  # noqa: E402

__all__ = ["HTTP", "SOCKETS", "TRANSPORTS", "DSLQuery", "DSLSchema", "ask", "client", "dsl_gql", "gql", "request"]

HTTP = {
    "requests": RequestsHTTPTransport,
    "httpx": HTTPXTransport,
    "httpx, async": HTTPXAsyncTransport,
    "aiohttp": AIOHTTPTransport,
}
SOCKETS = {"websockets": WebsocketsTransport, "aiohttp, WebSocket": AIOHTTPWebsocketsTransport}
TRANSPORTS: dict[str, Any] = HTTP | SOCKETS


def client(transport: str, url: str, *, fetch_schema_from_transport: bool = False, **arguments: Any) -> Any:
    """Create a client of the server at an address; other arguments are those of the transport."""
    address = f"{url.replace('http', 'ws', 1) if transport in SOCKETS else url}/graphql"
    opened = TRANSPORTS[transport](address, **arguments)
    return gql.Client(transport=opened, fetch_schema_from_transport=fetch_schema_from_transport)


def request(document: str, **variables: Any) -> Any:
    return gql.GraphQLRequest(document, variable_values=variables)


async def ask(client: Any, document: str, **variables: Any) -> dict[str, Any]:
    """Return the data of an operation. Raises TransportError."""
    asked = request(document, **variables)
    if isinstance(client.transport, RequestsHTTPTransport | HTTPXTransport):
        found: dict[str, Any] = await asyncio.to_thread(client.execute, asked)
    else:
        found = await client.execute_async(asked)
    return found
