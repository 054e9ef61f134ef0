"""`voltgraph upload FILE`: uploads a measurement file, and prints the reference that configurations use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.pipelines.client import Client, Key, connected
from app.cli.run import Server, find_server
from app.cli.terminal import console, lines, printable, shown

CHUNK = 1 << 20
LOOK = 0.3
"""Seconds between two polls of the status."""
TERMINAL = ("READY", "FAILED")


def upload(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Parquet or a cycler's file.")],
    name: Annotated[str | None, typer.Option(help="Name of the measurement; by default that of the file.")] = None,
    project: Annotated[str | None, typer.Option(help="Project; by default `local`, or that of the cell.")] = None,
    cell: Annotated[str | None, typer.Option(help="Id of the cell (CellInstance) that was measured.")] = None,
    reader: Annotated[str | None, typer.Option(help="Cycler of the file, such as maccor; by default guessed.")] = None,
    server: Server = None,
    key: Key = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Upload a measurement, once; configurations refer to it as db:ID."""
    input = {"name": name or file.stem, "fileName": file.name, "bytes": file.stat().st_size, "reader": reader}
    input |= {"projectId": project or (None if cell else "local"), "cellInstanceId": cell}
    settings = settings_with(database_url=database_url)
    address = find_server(server, settings)
    measurement = asyncio.run(_upload(file, input, connected(address, key, settings)))
    _print(measurement)
    raise typer.Exit(0 if measurement["status"] == "READY" else 1)


async def _upload(file: Path, input: dict[str, Any], connecting: AbstractAsyncContextManager[Client]) -> dict[str, Any]:
    """Create the measurement, put its file, and return it when it is read."""
    async with connecting as client:
        created = await client.send("CreateMeasurement", input=input)
        id, target = created["measurement"]["id"], created["upload"]
        await client.put(target["url"], _chunks(file), target["headers"])
        await client.send("CompleteMeasurement", id=id)
        return await _wait(client, id)


async def _wait(client: Client, id: str) -> dict[str, Any]:
    while True:
        measurement: dict[str, Any] = await client.send("Measurement", id=id)
        if measurement["status"] in TERMINAL:
            return measurement
        await asyncio.sleep(LOOK)


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(CHUNK):  # a disk is faster than the network: no thread is needed
            yield block


def _print(measurement: dict[str, Any]) -> None:
    if measurement["status"] == "FAILED":
        console.print(shown("FAILED", "red"), lines(str(measurement["error"])))
        return
    table = Table("Column", "Least", "Greatest", "Missing")
    for column in measurement["columns"]:
        ends = ("" if column[end] is None else f"{column[end]:.6g}" for end in ("min", "max"))
        table.add_row(shown(column["name"]), *ends, str(column["missing"]))
    console.print(table)
    for change in measurement["changes"]:
        console.print(shown(printable(change), "dim"), soft_wrap=True)
    console.print(shown(f"{measurement['rows']:,} rows. Refer to them as db:{measurement['id']}"), soft_wrap=True)
