"""A GraphQL client of a server, by the operations of `queries/`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import typer

from app.errors import VoltgraphError
from app.settings import QUERIES, Settings

Key = Annotated[str | None, typer.Option(envvar="VOLTGRAPH_KEY", help="API key, if the server needs one.")]
PATIENCE = 600.0
"""Seconds that one step of an upload may take."""
MAX_ANSWER = 500


class Refused(VoltgraphError):
    """The server refused a request; the message gives the reason."""


class Client:
    """Client that sends the operations of `queries/` to a server."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send(self, operation: str, **variables: Any) -> Any:
        """Return the value of an operation's only field. Raises Refused with every problem."""
        result = await self.ask(operation, **variables)
        if isinstance(result, dict) and result.get("userErrors"):
            said = (f"{'.'.join(error['field'] or [])}: {error['message']}" for error in result["userErrors"])
            raise Refused("\n".join(said))
        return result

    async def ask(self, operation: str, **variables: Any) -> Any:
        """Return the value of an operation's only field, which may hold user errors. Raises Refused."""
        query = (QUERIES / f"{operation}.graphql").read_text()
        response = await self._http.post("/graphql", json={"query": query, "variables": variables})
        try:
            answer = response.json()
        except ValueError:
            raise Refused(f"{response.url} answered {response.status_code}, and no JSON: is it a Voltgraph?") from None
        if errors := answer.get("errors"):
            raise Refused("\n".join(error["message"] for error in errors))
        [result] = answer["data"].values()
        return result

    async def put(self, url: str, content: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        """Upload a file to a signed address, which needs no key. Raises Refused."""
        response = await self._http.put(url, content=content, headers=headers, timeout=PATIENCE)
        if response.is_error:
            raise Refused(f"The upload was answered by {response.status_code}: {response.text[:MAX_ANSWER]}")


@asynccontextmanager
async def connected(server: str | None, key: str | None, settings: Settings) -> AsyncIterator[Client]:
    """Connect to a server, by its base address or that of its /graphql; without an address, to one in this process."""
    headers = {"x-api-key": key} if key else {}
    if server is not None:
        async with httpx.AsyncClient(base_url=base_of(server), headers=headers, timeout=30) as http:
            yield Client(http)
        return
    from app.execution.sandbox.server_process import protect_process
    from app.main import create_app  # a client of another server does without, and begins two seconds earlier

    app = create_app(settings)
    protect_process()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), headers=headers, base_url="http://localhost")
    async with app.router.lifespan_context(app), http:
        yield Client(http)


def base_of(server: str) -> str:
    """Return the base of a server's address, which may be that of GraphQL, as the banner prints it."""
    return server.strip().rstrip("/").removesuffix("/graphql")
