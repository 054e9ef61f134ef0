"""`voltgraph start`, `cancel` and `rerun`: changes of the pipelines of a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.pipelines.client import Refused
from app.cli.pipelines.options import Key, Server, connecting
from app.cli.pipelines.run_report import print_report
from app.cli.run import catch_interrupt, follow
from app.cli.terminal import FAILED, console, lines, shown, stderr
from app.server.bodies.strict_json import decode
from app.settings import Settings

Ids = Annotated[list[str], typer.Argument(help="Ids of pipelines.")]


def start(ids: Ids, server: Server = None, key: Key = None) -> None:
    """Start pending pipelines. Exits with 1 if one was refused; the others are started nevertheless."""
    asyncio.run(_change_each("StartPipeline", ids, server, key))


def cancel(ids: Ids, server: Server = None, key: Key = None) -> None:
    """Cancel pipelines and stop their jobs. Exits with 1 if one was refused; the others are canceled nevertheless."""
    asyncio.run(_change_each("CancelPipeline", ids, server, key))


def rerun(
    id: Annotated[str, typer.Argument(help="Id of a pipeline that has ended.")],
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="First element that runs again; by default the first one that did not complete or has changed.",
        ),
    ] = None,
    changes: Annotated[
        Path | None,
        typer.Option(
            "--set",
            exists=True,
            dir_okay=False,
            help="JSON file of new configurations by element, or the changed pipeline file.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new pipeline.")] = None,
    starts: Annotated[bool, typer.Option("--start/--no-start", help="Start it at once.")] = True,
    idempotency_key: Annotated[
        str | None,
        typer.Option("--idempotency-key", help="Makes a retry safe: a repeat answers with the first rerun."),
    ] = None,
    watches: Annotated[
        bool, typer.Option("--watch", help="Watch it to its end and print its results. Ctrl-C cancels it.")
    ] = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Run an ended pipeline again as a new one, without the elements that completed."""
    if watches and not starts:
        raise typer.BadParameter("--watch needs a rerun that starts.")
    input: dict[str, Any] = {"from": first, "name": name, "start": starts}
    input["elements"] = None if changes is None else read_changes(changes)
    if idempotency_key is not None:
        input["idempotencyKey"] = idempotency_key
    results = asyncio.run(_rerun(id, input, server, key, watches=watches))
    if results is not None:
        print_report(results, results["elements"], console)
        raise typer.Exit(0 if results["status"] == "COMPLETED" else FAILED)


def read_changes(file: Path) -> list[dict[str, Any]]:
    """Read new configurations from a file: an object by element, or a pipeline whose `elements` hold them. Raises
    BadJson and Refused."""
    body = decode(file.read_bytes(), Settings().max_json_depth)
    elements = body.get("elements", body) if isinstance(body, dict) else body
    if isinstance(elements, dict):
        return [{"name": name, "jobConfig": config} for name, config in elements.items()]
    if isinstance(elements, list) and all(isinstance(each, dict) and "name" in each for each in elements):
        return [{"name": each["name"], "jobConfig": each.get("jobConfig")} for each in elements]
    raise Refused(f"{file} must hold an object of configurations by element, or a pipeline with `elements`.")


async def _change_each(operation: str, ids: list[str], server: str | None, key: str | None) -> None:
    """Change pipelines one by one, and print what became of each."""
    is_refused = False
    async with connecting(server, key) as client:
        for id in dict.fromkeys(ids):
            try:
                pipeline = (await client.send(operation, id=id))["pipeline"]
                console.print(shown(id), pipeline["status"].lower(), soft_wrap=True)
            except Refused as refused:
                is_refused = True
                stderr.print(shown(id, "red"), lines(str(refused)), soft_wrap=True)
    if is_refused:
        raise typer.Exit(FAILED)


async def _rerun(
    id: str, input: dict[str, Any], server: str | None, key: str | None, *, watches: bool
) -> dict[str, Any] | None:
    """Create a rerun and print its id; with `watches`, return it at its end."""
    async with connecting(server, key) as client:
        interrupted = catch_interrupt() if watches else asyncio.Event()
        pipeline = (await client.send("RerunPipeline", id=id, input=input))["pipeline"]
        reused = sum(element["isReused"] for element in pipeline["elements"])
        console.print(shown(pipeline["id"]), pipeline["status"].lower(), soft_wrap=True)
        taken = f"{reused} of {len(pipeline['elements'])} elements taken over"
        stderr.print(shown(pipeline["name"]), shown(taken, "dim"), sep="  ", soft_wrap=True)
        return await follow(client, pipeline, interrupted, stderr) if watches else None
