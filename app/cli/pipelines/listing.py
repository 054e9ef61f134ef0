"""`voltgraph list`: the newest pipelines of a server."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from app.cli.pipelines.options import Key, Server, connecting
from app.cli.terminal import console, shown, stderr
from app.models.enums import PipelineStatus
from app.pipelines.lists.pagination import MAX_PAGE

Status = Enum("Status", {status.name: status.value for status in PipelineStatus}, type=str)  # type: ignore[misc]
"""Statuses by their words, as an option takes them."""
MOST = 10_000
"""Maximum number of pipelines that are listed."""


def list_pipelines(
    project: Annotated[str | None, typer.Option(help="Only pipelines of this project.")] = None,
    status: Annotated[
        list[Status] | None, typer.Option(case_sensitive=False, help="Only with this status; may be repeated.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only names that contain this, upper or lower case.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Maximum number of pipelines.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """List pipelines, newest first."""
    wanted = {"projectId": project, "nameContains": name, "statuses": [each.name for each in status or []] or None}
    filter = {field: value for field, value in wanted.items() if value is not None}
    rows, total = asyncio.run(_read(server, key, filter, limit))
    if as_json:
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())  # noqa: T201  only the answer, for a pipe
        return
    table = Table()
    table.add_column("Id", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Created (UTC)", no_wrap=True)
    table.add_column("Name", overflow="fold")
    for row in rows:
        at = row["createdAt"][:16].replace("T", " ")
        table.add_row(*map(shown, (row["id"], row["status"].lower(), at, row["name"])))
    console.print(table)
    if total > len(rows):
        stderr.print(f"{len(rows):,} of {total:,}; --limit takes more.", highlight=False)


async def _read(server: str | None, key: str | None, filter: dict[str, Any], limit: int) -> tuple[list[Any], int]:
    """Return the newest pipelines and the number of all. Raises Refused."""
    rows: list[Any] = []
    after: str | None = None
    async with connecting(server, key) as client:
        while True:
            first = min(limit - len(rows), MAX_PAGE)
            page = await client.send("Pipelines", filter=filter, first=first, after=after)
            rows += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if len(rows) >= limit or not page["pageInfo"]["hasNextPage"]:
                return rows, page["totalCount"]
