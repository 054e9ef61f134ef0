"""`voltgraph export ID`: writes the parameter values of a pipeline as a file of other programs."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.pipelines.client import Client, Key, Refused, connected
from app.cli.run import Server, find_server
from app.cli.terminal import printable, shown, stderr
from app.pipelines.results.parameter_sets import ParameterSetFormat

PATIENCE = 120.0
"""Seconds that a server in this process may take; it first imports what its jobs need."""
FORMATS = [each.value for each in ParameterSetFormat]


def export(
    id: Annotated[str, typer.Argument(help="Id of a pipeline.")],
    format: Annotated[str, typer.Option(help=f"Format: {', '.join(FORMATS)}.")] = FORMATS[0],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File or folder to write to; by default standard output.")
    ] = None,
    server: Server = None,
    key: Key = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the parameter values of a pipeline for PyBaMM, as BPX, or as CSV."""
    if format.lower() not in FORMATS:
        raise typer.BadParameter(f"--format takes {', '.join(FORMATS)}, not {format}.")
    if output is not None and not output.resolve().parent.is_dir():
        raise typer.BadParameter(f"The folder {output.parent} of --output does not exist.")
    settings = settings_with(database_url=database_url, request_timeout=PATIENCE)
    address = find_server(server, settings)
    found = asyncio.run(_read(id, format.upper(), connected(address, key, settings)))
    _write(found, output)
    for each in found["omitted"]:
        stderr.print(shown(printable(each["name"]), "yellow"), shown(printable(each["reason"])), soft_wrap=True)


async def _read(id: str, format: str, connecting: AbstractAsyncContextManager[Client]) -> dict[str, Any]:
    """Return the parameter set of a pipeline. Raises Refused."""
    async with connecting as client:
        pipeline = await client.send("ParameterSet", id=id, format=format)
    if pipeline is None:
        raise Refused(f"No pipeline has the id {id}.")
    found: dict[str, Any] | None = pipeline["parameterSet"]
    if found is None:
        raise Refused("No element of the pipeline has completed, so it has no parameter values yet.")
    return found


def _write(found: dict[str, Any], output: Path | None) -> None:
    if output is None:
        typer.echo(found["content"], nl=False)
        return
    file = output / found["fileName"] if output.is_dir() else output
    file.write_bytes(found["content"].encode())
    stderr.print(shown(f"{file} has {len(found['content']):,} characters."), soft_wrap=True)
