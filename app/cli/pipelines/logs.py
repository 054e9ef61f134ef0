"""`voltgraph logs ID`: print the log of a job, or of all jobs of a pipeline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import httpx
import typer
from rich.text import Text

from app.cli.pipelines.client import Client, Refused
from app.cli.pipelines.options import Key, Server, connecting
from app.cli.terminal import console, lines, shown

LOOK = 1.0
"""Seconds between two polls of a log that is followed."""
ENDED = ("COMPLETED", "FAILED", "CANCELED")
STYLES = {"STDERR": "red", "WARNING": "yellow", "WORKER": "cyan"}


def logs(
    id: Annotated[str, typer.Argument(help="Id of a job, of an element, or of a pipeline.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print further lines until the jobs have ended.")
    ] = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Print the log of a job: standard output, standard error, warnings, and lines of the worker."""
    try:
        asyncio.run(print_logs(id, connecting(server, key), follow=follow))
    except (Refused, httpx.HTTPError) as error:
        console.print(shown(type(error).__name__, "red"), lines(str(error)))
        raise typer.Exit(2) from None


async def print_logs(id: str, connecting: AbstractAsyncContextManager[Client], *, follow: bool) -> None:
    """Print the logs of all jobs that an id names, in the order of their elements. Raises Refused."""
    async with connecting as client:
        jobs = _jobs(await client.send("JobsOfNode", id=id))
        if not jobs:
            raise Refused(f"No job has the id {id}, and no started pipeline or element.")
        for name, job_id in jobs:
            async for line in read_log(client, job_id, follow=follow):
                prefix = f"{name}  " if len(jobs) > 1 else ""
                console.print(_line(prefix, line), soft_wrap=True)


async def read_log(client: Client, job_id: str, *, follow: bool) -> AsyncIterator[dict[str, Any]]:
    """Yield the lines of the log of a job; with `follow`, until the job has ended."""
    after = 0
    while True:
        job = await client.send("JobLog", id=job_id, after=after)
        for line in job["log"]:
            after = line["number"]
            yield line
        if not job["log"]:
            if not follow or job["status"] in ENDED:
                return
            await asyncio.sleep(LOOK)


def _jobs(node: Any) -> list[tuple[str, str]]:
    """Return the names of elements and the ids of their jobs."""
    if node is None:
        return []
    if "element" in node:
        return [(node["element"]["name"], node["id"])]
    return [(each["name"], each["job"]["id"]) for each in node.get("elements", [node]) if each["job"]]


def _line(prefix: str, line: dict[str, Any]) -> Text:
    at = line["at"].replace("T", " ").removesuffix("Z")[:-3]
    text = Text.assemble((f"{at} ", "dim"), shown(prefix, "bold"))
    return text.append_text(shown(line["text"], STYLES.get(line["stream"], "")))
