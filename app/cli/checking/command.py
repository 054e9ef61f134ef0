"""`voltgraph check FILE…`: print the problems that runs of pipeline files would find before their first job."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from app.cli.checking.places import Place, find_place
from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.pipelines.client import Client, Key, Refused, connected
from app.cli.run import Server, find_server, read_input
from app.cli.terminal import console, shown, stderr
from app.errors import BadJson
from app.pipelines.elements import MARK

PATIENCE = 120.0
"""Seconds that a check in this process may take, which imports PyBaMM first."""
START = Place(1, 1)
FIELDS = {"elementsByName": ("elements",), "projectId": ("projectId", "project_id")}
"""Keys of a file for a field of the input, where they differ."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a file, with its path there."""

    path: tuple[str, ...]
    message: str
    place: Place | None = None


def check(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Pipeline files, as for POST /pipelines.")
    ],
    server: Server = None,
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Check pipeline files without running them. The exit status is 1 if a run of one would fail before its first
    job."""
    found = asyncio.run(_check_all(files, server, key, database_url))
    if as_json:
        answer = [{"file": str(file), "problems": [_told(each) for each in found[file]]} for file in files]
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())  # noqa: T201  only the answer, for a pipe
    else:
        for file in files:
            _print(file, found[file])
    raise typer.Exit(1 if any(found.values()) else 0)


async def _check_all(
    files: Sequence[Path], server: str | None, key: str | None, database_url: str | None
) -> dict[Path, list[Problem]]:
    async with _connected(files, server, key, database_url) as client:
        return {file: await _problems(client, file) for file in files}


@asynccontextmanager
async def _connected(
    files: Sequence[Path], server: str | None, key: str | None, database_url: str | None
) -> AsyncIterator[Client]:
    """Connect to a server; without an address, to one in this process, which runs nothing. Its database is an empty one
    unless a file references measurements; then it may be in use by a server, which is asked instead."""
    alone = {"workers": 0, "max_checks": 1, "check_timeout": PATIENCE, "request_timeout": PATIENCE}
    with tempfile.TemporaryDirectory(prefix="voltgraph-check-") as folder:
        if server is database_url is None and not any(MARK.encode() in file.read_bytes() for file in files):
            database_url, key = f"sqlite:///{folder}/empty.db", None
        settings = settings_with(database_url=database_url, **alone)
        address = find_server(server, settings)
        async with connected(address, key, settings) as client:
            yield client


async def _problems(client: Client, file: Path) -> list[Problem]:
    """Return the problems of one file, in the order of their places. Raises Refused if the server cannot check it."""
    try:
        input = read_input(file)
    except BadJson as error:
        return [Problem(tuple(map(str, each.path)), each.message) for each in error.problems] or [
            Problem((), error.message.replace("The body", "The file"))
        ]
    except Refused as error:
        return [Problem((), str(error))]
    answer = await client.ask("CheckPipeline", input=input)
    text = (await asyncio.to_thread(file.read_bytes)).decode()
    found = [Problem(path, message, find_place(text, path)) for path, message in _paths(text, input, answer)]
    return sorted(found, key=lambda each: each.place or START)


def _paths(text: str, input: dict[str, Any], answer: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path in the file and the message of each problem of an answer."""
    body = orjson.loads(text)
    for error in answer["userErrors"]:
        first, *rest = [*(error["field"] or []), ""][1:-1] or [""]
        names = [name for name in FIELDS.get(first, (first,)) if name in body]
        yield (*names[:1], *rest), error["message"]
    listed = input.get("elements")
    for problem in answer["problems"]:
        name = problem["element"]
        index = next((i for i, each in enumerate(listed) if each["name"] == name), 0) if listed else 0
        start = ("elements", str(index), "jobConfig") if listed else ("elements", name)
        yield (*start, *problem["path"]), problem["message"]


def _told(problem: Problem) -> dict[str, Any]:
    place = {} if problem.place is None else {"line": problem.place.line, "column": problem.place.column}
    return {"path": problem.path, "message": problem.message, **place}


def _print(file: Path, problems: Sequence[Problem]) -> None:
    """Print the problems of a file as compilers do, so that editors find their lines."""
    for each in problems:
        at = "" if each.place is None else f":{each.place.line}:{each.place.column}"
        path = f"{'.'.join(each.path)}: " if each.path else ""
        console.print(shown(f"{file}{at}:", "red"), shown(f"{path}{each.message}"), soft_wrap=True)
    said = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}" if problems else "no problems"
    stderr.print(shown(f"{file}: {said}.", "red" if problems else "green"), soft_wrap=True)
