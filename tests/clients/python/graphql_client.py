"""gql, by each of its transports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.python.official import MISSING

gql = pytest.importorskip("gql", reason=MISSING)
from gql.transport.aiohttp import AIOHTTPTransport  # noqa: E402  after what says why these tests are skipped
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport  # noqa: E402
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport  # noqa: E402
from gql.transport.requests import RequestsHTTPTransport  # noqa: E402
from gql.transport.websockets import WebsocketsTransport  # noqa: E402

Headers = dict[str, str]
HTTP: dict[str, Callable[[str, Headers], Any]] = {
    "requests": lambda url, headers: RequestsHTTPTransport(f"{url}/graphql", headers=headers),
    "httpx": lambda url, headers: HTTPXTransport(f"{url}/graphql", headers=headers),
    "httpx, async": lambda url, headers: HTTPXAsyncTransport(f"{url}/graphql", headers=headers),
    "aiohttp": lambda url, headers: AIOHTTPTransport(f"{url}/graphql", headers=headers),
}
SOCKETS: dict[str, Callable[[str, Headers], Any]] = {
    "websockets": lambda url, headers: WebsocketsTransport(_socket(url), headers=headers),
    "aiohttp, WebSocket": lambda url, headers: AIOHTTPWebsocketsTransport(_socket(url), headers=headers),
}
TRANSPORTS = HTTP | SOCKETS


def _socket(url: str) -> str:
    return f"{url.replace('http', 'ws', 1)}/graphql"


def client(transport: str, url: str, headers: Headers | None = None, **arguments: Any) -> Any:
    return gql.Client(transport=TRANSPORTS[transport](url, headers or {}), **arguments)


def request(document: str, **variables: Any) -> Any:
    return gql.GraphQLRequest(document, variable_values=variables)


async def ask(client: Any, document: str, **variables: Any) -> dict[str, Any]:
    """The data of an operation. TransportError."""
    asked = request(document, **variables)
    if isinstance(client.transport, RequestsHTTPTransport | HTTPXTransport):
        found: dict[str, Any] = await asyncio.to_thread(client.execute, asked)
    else:
        found = await client.execute_async(asked)
    return found
