"""`voltgraph fit FILE`: fits parameters of a model to a file of measurements, and keeps the configuration."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.fitting.configuration import STORED, configuration, read_columns, written
from app.cli.fitting.plot import plot, require_plotting
from app.cli.pipelines.client import Client, Key, Refused, connected
from app.cli.pipelines.run_report import print_report
from app.cli.run import Server, find_server, read_input, run_input
from app.cli.terminal import console, shown

POINTS = 5_000
"""Maximum points of the plot."""


def fit(
    file: Annotated[str, typer.Argument(help="Measurement file (CSV, Parquet or a cycler's), or db:ID.")],
    cell: Annotated[str, typer.Option(help="Parameter set of PyBaMM, such as Chen2020.")],
    free: Annotated[list[str], typer.Option(help="Free parameter as NAME=LOW..HIGH; repeatable.")],
    model: Annotated[str, typer.Option(help="Model of PyBaMM, such as SPM, SPMe or DFN.")] = "SPMe",
    initial_soc: Annotated[
        float | None, typer.Option(help="State of charge at the first row [%]; by default that of the parameter set.")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="Cycler of the file, such as maccor; by default guessed.")] = None,
    save: Annotated[
        Path | None, typer.Option(dir_okay=False, help="File for the configuration; by default FILE's name.fit.json.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite the configuration file.")] = False,
    plot: Annotated[Path | None, typer.Option(dir_okay=False, help="File for a plot: .png, .pdf or .svg.")] = None,
    project: Annotated[str, typer.Option(help="Project of the pipeline.")] = "local",
    server: Server = None,
    key: Key = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Fit parameters to a measurement, and keep the configuration that was run."""
    if plot is not None:
        require_plotting(plot)
    settings = settings_with(database_url=database_url)
    address = find_server(server, settings)
    config = _configuration(file, cell, model, free, reader, project, initial_soc)
    kept = _keep(config, file, save, overwrite)
    completed = asyncio.run(_run(kept, connected(address, key, settings), plot))
    raise typer.Exit(0 if completed else 1)


def _configuration(
    file: str, cell: str, model: str, free: list[str], reader: str | None, project: str, initial_soc: float | None
) -> dict[str, Any]:
    if file.startswith(STORED):
        data: Any = file
        name = "measurement"
    else:
        path = Path(file)
        if not path.is_file():
            raise Refused(f"{file} does not exist.")
        name = path.stem
    # free parameters are checked before the file is read, which takes seconds
    configuration(name, {}, cell, model, free, project=project, initial_soc=initial_soc)
    if not file.startswith(STORED):
        data, changes = read_columns(path, reader)
        for change in changes:
            console.print(shown(f"{path.name}: {change}", "dim"), soft_wrap=True)
    return configuration(name, data, cell, model, free, project=project, initial_soc=initial_soc)


def _keep(config: dict[str, Any], file: str, save: Path | None, overwrite: bool) -> Path:
    """Write the configuration to a file. Raises Refused instead of replacing another one."""
    target = save or Path(f"{Path(file.removeprefix(STORED)).stem}.fit.json")
    text = written(config)
    if target.exists() and not overwrite and target.read_text() != text:
        raise Refused(f"{target} exists with another content. Give --overwrite, or another file by --save.")
    target.write_text(text)
    console.print(shown(f"Configuration: {target}. Run it again by `voltgraph run {target}`."), soft_wrap=True)
    return target


async def _run(file: Path, connecting: AbstractAsyncContextManager[Client], target: Path | None) -> bool:
    async with connecting as client:
        pipeline = await run_input(client, read_input(file), console)
        print_report(pipeline, pipeline["elements"], console)
        if pipeline["status"] != "COMPLETED":
            return False
        if target is not None:
            await _plot(client, pipeline, target)
    return True


async def _plot(client: Client, pipeline: dict[str, Any], target: Path) -> None:
    [fitted] = [each for each in pipeline["elements"] if each["name"] == "fit"]
    [objective] = fitted["result"]["effective_config"]["objectives"]
    read = await client.send("ElementSeries", id=pipeline["id"], objective=objective, maxPoints=POINTS)
    [series] = [each["series"] for each in read["elements"] if each["name"] == "fit"]
    plot(series.get("series", series), pipeline["name"], target)
    console.print(shown(f"Plot: {target}"))
