"""`python -m app run FILE`: a GraphQL client that creates a pipeline, starts it and watches it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from app.cli.run_report import print_report
from app.cli.terminal import console, lines, printable, shown
from app.database.connect import FileInUse
from app.errors import VoltgraphError
from app.execution.sandbox.server_process import protect_process
from app.main import create_app
from app.server.bodies.strict_json import decode
from app.settings import QUERIES, Settings

LOOK = 0.3
"""Seconds between two polls of the progress."""
PATIENCE = 600.0
"""Seconds that one step of an upload may take."""
MAX_ANSWER = 500


class Refused(Exception):
    """The server refused a request; the message gives the reason."""


class Client:
    """Client that sends the operations of `queries/` to a server."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send(self, operation: str, **variables: Any) -> Any:
        """Return the value of an operation's only field. Raises Refused with every problem."""
        query = (QUERIES / f"{operation}.graphql").read_text()
        response = await self._http.post("/graphql", json={"query": query, "variables": variables})
        try:
            answer = response.json()
        except ValueError:
            raise Refused(f"{response.url} answered {response.status_code}, and no JSON: is it a Voltgraph?") from None
        if errors := answer.get("errors"):
            raise Refused("\n".join(error["message"] for error in errors))
        [result] = answer["data"].values()
        if isinstance(result, dict) and result.get("userErrors"):
            said = (f"{'.'.join(error['field'] or [])}: {error['message']}" for error in result["userErrors"])
            raise Refused("\n".join(said))
        return result

    async def put(self, url: str, content: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        """Upload a file to a signed address, which needs no key. Raises Refused."""
        response = await self._http.put(url, content=content, headers=headers, timeout=PATIENCE)
        if response.is_error:
            raise Refused(f"The upload was answered by {response.status_code}: {response.text[:MAX_ANSWER]}")


@asynccontextmanager
async def connected(server: str | None, key: str | None) -> AsyncIterator[Client]:
    """Connect to a server; without an address, to one in this process over the configured database."""
    headers = {"x-api-key": key} if key else {}
    if server is not None:
        async with httpx.AsyncClient(base_url=server, headers=headers, timeout=30) as http:
            yield Client(http)
        return
    app = create_app(Settings())
    protect_process()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), headers=headers, base_url="http://localhost")
    async with app.router.lifespan_context(app), http:
        yield Client(http)


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
        "options": {"liveProgressUpdates": live},
        "elementsByName" if isinstance(elements, dict) else "elements": elements,
    }


def run(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Pipeline file, as for POST /pipelines.")],
    server: Annotated[
        str | None, typer.Option(help="URL of a running server; by default a server in this process.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="VOLTGRAPH_KEY", help="API key, if the server needs one.")] = None,
) -> None:
    """Create a pipeline, start it and watch it. Ctrl-C cancels it."""
    try:
        completed = asyncio.run(run_file(file, server, key, console))
    except FileInUse as error:
        console.print(shown(f"{error}: give its address by --server"))
        raise typer.Exit(2) from None
    except (Refused, VoltgraphError, httpx.HTTPError) as error:
        console.print(shown(type(error).__name__, "red"), lines(str(error)))
        raise typer.Exit(2) from None
    raise typer.Exit(0 if completed else 1)


async def run_file(file: Path, server: str | None, key: str | None, console: Console) -> bool:
    """Create, start and watch the pipeline of a file. Return whether it completed."""
    async with connected(server, key) as client:
        pipeline = await run_input(client, read_input(file), console)
    return bool(pipeline["status"] == "COMPLETED")


async def run_input(client: Client, input: dict[str, Any], console: Console) -> dict[str, Any]:
    """Create, start and watch a pipeline, and print its results. Return it with its elements and their results."""
    created = (await client.send("CreatePipeline", input=input))["pipeline"]
    id = created["id"]
    console.print(shown(created["name"]), shown(id, "dim"), sep="  ")
    canceling = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, canceling.set)
    await client.send("StartPipeline", id=id)
    pipeline = await _watch(client, id, [e["name"] for e in created["elements"]], canceling, console)
    results = await client.send("PipelineResults", id=id)
    print_report(pipeline, results["elements"], console)
    return {**pipeline, "id": id, "name": created["name"], "elements": results["elements"]}


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
