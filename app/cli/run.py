"""`voltgraph run FILE`: a GraphQL client that creates a pipeline, starts it and watches it."""

import asyncio
import signal
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from app.cli.checks.extras import missing_battery
from app.cli.checks.preflight import check_database
from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.pipelines.client import Client, Key, Refused, connected
from app.cli.pipelines.run_report import print_report
from app.cli.terminal import console, printable, shown, stderr
from app.database.connect import FileInUse
from app.database.connect import database_url as parsed
from app.server.bodies.strict_json import decode
from app.settings import Settings

LOOK = 0.3
"""Seconds between two polls of the progress."""
Server = Annotated[
    str | None,
    typer.Option(help="URL of a running server; by default that which uses the database, or one in this process."),
]


def find_server(server: str | None, settings: Settings) -> str | None:
    """Return the address of the server that was given, or of that which uses the file of the database; None if a server
    in this process can use the database. Raises NotUsable and FileInUse."""
    if server is not None:
        return server
    try:
        check_database(parsed(settings.database_url))
    except FileInUse as error:
        if error.server is None:
            raise
        stderr.print(shown(f"Server    {error}", "dim"), soft_wrap=True)
        return error.server
    if advice := missing_battery(settings):
        stderr.print(shown(f"Battery   {advice}", "yellow"), soft_wrap=True)
    return None


def read_input(file: Path) -> dict[str, Any]:
    """Read the input of createPipeline from a file: a body of POST /pipelines, or the input itself. Raises BadJson."""
    body = decode(file.read_bytes(), Settings().max_json_depth)
    if not isinstance(body, dict):
        raise Refused("The file must hold one JSON object.")
    elements = body.get("elements")
    options = body.get("options") or {}
    if not isinstance(options, dict):
        raise Refused("`options` must be an object.")
    live = options.get("live_progress_updates", options.get("liveProgressUpdates"))
    return {
        "projectId": body.get("projectId") or body.get("project_id") or "local",
        "name": body.get("name") or file.stem,
        "description": body.get("description"),
        "labels": body.get("labels"),
        "options": {"liveProgressUpdates": live},
        "elementsByName" if isinstance(elements, dict) else "elements": elements,
    }


def run(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Pipeline file, as for POST /pipelines.")],
    server: Server = None,
    key: Key = None,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the pipeline and all results to this JSON file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same JSON instead of tables.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Create a pipeline, start it and watch it. Ctrl-C cancels it."""
    if output is not None and not output.resolve().parent.is_dir():
        raise typer.BadParameter(f"The folder {output.parent} of --output does not exist.")
    settings = settings_with(database_url=database_url)
    address = find_server(server, settings)
    show = stderr if as_json else console
    results = asyncio.run(run_file(file, connected(address, key, settings), show))
    if not as_json:
        print_report(results, results["elements"], console)
    _write(results, output, as_json)
    raise typer.Exit(0 if results["status"] == "COMPLETED" else 1)


def _write(results: dict[str, Any], output: Path | None, as_json: bool) -> None:
    """Write the results as JSON to a file and to standard output, if either is wanted."""
    text = orjson.dumps(results, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if output is not None:
        output.write_bytes(text)
        stderr.print(shown(f"Results are in {output}."), soft_wrap=True)
    if as_json:
        print(text.decode(), end="")  # noqa: T201  only the results, for a pipe


async def run_file(file: Path, connecting: AbstractAsyncContextManager[Client], console: Console) -> dict[str, Any]:
    """Create, start and watch the pipeline of a file. Return it with the results of its elements."""
    input = read_input(file)
    async with connecting as client:
        return await run_input(client, input, console)


async def run_input(client: Client, input: dict[str, Any], console: Console) -> dict[str, Any]:
    """Create, start and watch a pipeline. Return it with its elements and their results."""
    created = (await client.send("CreatePipeline", input=input))["pipeline"]
    console.print(shown(created["name"]), shown(created["id"], "dim"), sep="  ")
    interrupted = catch_interrupt()
    await client.send("StartPipeline", id=created["id"])
    return await follow(client, created, interrupted, console)


def catch_interrupt() -> asyncio.Event:
    """Return an event that Ctrl-C sets, from now on, instead of ending the process."""
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    return interrupted


async def follow(client: Client, started: dict[str, Any], canceling: asyncio.Event, console: Console) -> dict[str, Any]:
    """Watch a started pipeline to its end. Return it with its elements and their results. The event cancels it."""
    id, names = started["id"], [element["name"] for element in started["elements"]]
    pipeline = await _watch(client, id, names, canceling, console)
    results = await client.send("PipelineResults", id=id)
    return {**pipeline, "id": id, "name": started["name"], "elements": results["elements"]}


async def _watch(
    client: Client, id: str, names: list[str], canceling: asyncio.Event, console: Console
) -> dict[str, Any]:
    """Show a progress bar per element until the pipeline is terminal, and return it. Ctrl-C cancels the pipeline."""
    said = TextColumn("{task.fields[said]}", markup=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), said)
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        tasks = [bars.add_task(printable(name), total=None, start=False, said="") for name in names]
        while True:
            if canceling.is_set():
                canceling.clear()
                with suppress(Refused):  # the pipeline has just ended: the next poll shows how
                    await client.send("CancelPipeline", id=id)
            pipeline: dict[str, Any] = await client.send("PipelineProgress", id=id)
            for task, element in zip(tasks, pipeline["elements"], strict=True):
                _show(bars, task, element)
            if pipeline["isTerminal"]:
                return pipeline
            await asyncio.sleep(LOOK)


def _show(bars: Progress, task: TaskID, element: dict[str, Any]) -> None:
    job = element["job"] or {}
    checkpoint = job.get("progress") or {}
    said = printable(element["status"].lower())
    if checkpoint.get("bestCost") is not None:
        said += f", iteration {checkpoint['iteration']}, best cost {checkpoint['bestCost']:.6g}"
    if element["status"] == "RUNNING":
        bars.start_task(task)
    ended = element["status"] not in ("PENDING", "RUNNING")
    bars.update(task, said=said, total=1 if ended else None, completed=1 if ended else 0)
    if ended:
        bars.stop_task(task)
