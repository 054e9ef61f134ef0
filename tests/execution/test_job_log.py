"""Log of jobs: what a process writes, bounded and redacted, through each interface."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.redaction import Redaction
from app.database.sqlite.rounds import MOST_HERE
from app.execution.lease import Lease
from app.execution.streams.job_log import MAX_LINE, JobLog, Line
from app.models.columns import now
from app.models.enums import JobLogStream
from tests.api import operation
from tests.execution.conftest import Runs
from tests.execution.sandbox.test_probes import PROBE
from tests.schema.subscriptions.clients import stream
from tests.servers import ROOT, Server, serving

BYTES = 20_000
LIMITS = {"VOLTGRAPH_JOB_LOG_BYTES": str(BYTES), "VOLTGRAPH_JOB_RETRIES": "1", "VOLTGRAPH_LOG_FORMAT": "json"}


def lines_of(log: JobLog) -> list[tuple[str, str]]:
    return [(line.stream.name, line.text) for line in log.take(0)]


def test_lines_are_joined_from_parts_and_divided_when_long() -> None:
    log = JobLog(1 << 20, Redaction(["secret"]))
    for data in (b"a", b"b\nthe secret\r\nlast", b""):
        log.receive("STDOUT", data)
    log.receive("STDERR", b"x" * (MAX_LINE + 3) + b"\n\xff\0\n")
    assert lines_of(log) == [
        ("STDOUT", "ab"),
        ("STDOUT", "the ***"),
        ("STDOUT", "last"),
        ("STDERR", "x" * MAX_LINE),
        ("STDERR", "xxx"),
        ("STDERR", "\N{REPLACEMENT CHARACTER}" * 2),
    ]


def test_a_full_log_says_so_once_and_keeps_the_end_of_errors() -> None:
    log = JobLog(200, Redaction())
    assert log.receive("STDOUT", b"one\n")
    assert not log.receive("STDERR", b"two\nthree\nfour\n" * 10)
    assert not log.receive("STDERR", b"std::bad_alloc\n")
    log.note("ended")
    texts = [text for _, text in lines_of(log)]
    assert texts[:2] == ["one", "two"]
    assert [text for text in texts if "VOLTGRAPH_JOB_LOG_BYTES" in text] == [texts[-2]]
    assert texts[-1] == "ended"
    assert log.errors.endswith(b"std::bad_alloc\n")


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("logged")
    log = folder / "server.log"
    with serving(f"sqlite:///{folder}/runs.db", "app", log, **PROBE, **LIMITS) as server:
        yield server, log


@pytest.fixture
async def runs(logged: tuple[Server, Path]) -> AsyncIterator[Runs]:
    async with httpx.AsyncClient(base_url=logged[0].url, timeout=60) as http:
        yield Runs(http)


async def ran(runs: Runs, bomb: str, request_id: str = "req-1") -> dict[str, Any]:
    """Run an element, and return its job with the pipeline's id."""
    made = await runs.create(elements=[{"name": "e", "elementType": "CALCULATION", "jobConfig": {"bomb": bomb}}])
    runs.http.headers["x-request-id"] = request_id
    await runs.run("StartPipeline", id=made["id"])
    await runs.end(made["id"], 60)
    found = await runs.run("JobsOfNode", id=made["id"])
    return {"pipeline": made["id"], "job": found["elements"][0]["job"]["id"]}


async def test_output_and_warnings_come_back_in_pages(runs: Runs) -> None:
    job = (await ran(runs, "print"))["job"]
    answer = await runs.run("JobLog", id=job, maxLines=5000)
    lines = answer["log"]
    assert answer["status"] == "COMPLETED"
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    texts = {stream: [line["text"] for line in lines if line["stream"] == stream] for stream in ("STDOUT", "STDERR")}
    assert texts["STDOUT"][:2] == ["token vg_0123456789ab_***", "line 0"]
    assert texts["STDERR"] == ["postgresql://me:***@db/x"]
    assert [line["text"][:27] for line in lines if line["stream"] == "WARNING"] == ["UserWarning: this is odd (p"]
    assert "VOLTGRAPH_JOB_LOG_BYTES" in lines[-1]["text"]
    assert 200 < len(lines) < BYTES / 64 + 2
    page = (await runs.run("JobLog", id=job, after=7, maxLines=3))["log"]
    assert page == lines[7:10]
    rest = (await runs.http.get(f"/jobs/{job}/log", params={"after": 7, "limit": 3})).json()
    assert rest["is_terminal"] is True
    assert [(line["number"], line["text"]) for line in rest["lines"]] == [(x["number"], x["text"]) for x in page]
    assert (await runs.http.get("/jobs/nowhere/log")).status_code == 404
    assert (await runs.http.get(f"/jobs/{job}/log", params={"limit": 5001})).status_code == 422


async def test_a_crash_names_each_attempt_and_its_signal(runs: Runs) -> None:
    job = (await ran(runs, "crash"))["job"]
    lines = (await runs.run("JobLog", id=job))["log"]
    said = [(line["attempt"], line["text"]) for line in lines if line["stream"] == "WORKER"]
    assert [attempt for attempt, _ in said] == [1, 2]
    assert all("died" in text for _, text in said)


async def test_a_subscriber_hears_the_lines_and_the_end(runs: Runs) -> None:
    job = (await ran(runs, "print"))["job"]
    whole = (await runs.run("JobLog", id=job, maxLines=5000))["log"]
    assert await heard(runs, job, 10) == whole[10:]


async def test_a_subscriber_hears_lines_while_the_job_runs(runs: Runs) -> None:
    made = await runs.create(elements=[{"name": "e", "elementType": "CALCULATION", "jobConfig": {"bomb": "talk"}}])
    await runs.run("StartPipeline", id=made["id"])
    job = (await runs.run("JobsOfNode", id=made["id"]))["elements"][0]["job"]["id"]
    begun = []
    async with stream(runs.http, operation("JobLogged"), id=job) as events:
        lines = await events.data()
        begun = [lines[0]["text"], (await runs.run("JobLog", id=job))["status"]]
        while True:
            kind, result = await events.next()
            if kind == "complete":
                break
            lines += result["data"]["jobLog"]
    assert begun == ["first", "RUNNING"]
    assert [line["text"] for line in lines] == ["first", "last"]


async def test_an_unknown_job_has_no_log(runs: Runs) -> None:
    async with stream(runs.http, operation("JobLogged"), id="nothing") as events:
        _, result = await events.next()
    assert result["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def heard(runs: Runs, job: str, after: int) -> list[Any]:
    """Return all lines that a subscription sends until it completes."""
    lines: list[Any] = []
    async with stream(runs.http, operation("JobLogged"), id=job, after=after) as events:
        while True:
            kind, result = await events.next()
            if kind == "complete":
                return lines
            lines += result["data"]["jobLog"]


async def test_a_failure_is_traced_from_the_request_to_its_traceback(runs: Runs, logged: tuple[Server, Path]) -> None:
    made = await ran(runs, "fork", "req-4711")
    entries = [json.loads(line) for line in (await asyncio.to_thread(logged[1].read_text)).splitlines()]
    mine = [each for each in entries if each.get("pipeline") == made["pipeline"]]
    assert {each["request_id"] for each in mine} == {"req-4711"}
    assert "began" in mine[0]["message"]
    [failed] = [each for each in mine if "failed" in each["message"]]
    assert (failed["element"], failed["job"], failed["code"]) == ("e", made["job"], "INTERNAL_ERROR")
    assert "PermissionError" in failed["traceback"]


async def test_the_command_prints_the_log(runs: Runs, logged: tuple[Server, Path]) -> None:
    made = await ran(runs, "print")
    for id in (made["job"], made["pipeline"]):
        command = [sys.executable, "-m", "app", "logs", id, "-f", "--server", logged[0].url]
        environment = os.environ | {"COLUMNS": "200"}
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout
        assert "token vg_0123456789ab_***" in done.stdout
        assert "line 100" in done.stdout
    unknown = [sys.executable, "-m", "app", "logs", "nothing", "--server", logged[0].url]
    done = await asyncio.to_thread(subprocess.run, unknown, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "No job has the id nothing" in done.stdout) == (2, True)


async def test_the_size_of_a_write_counts_its_lines() -> None:
    """Many short lines take long to insert: a round with them must not run on the event loop."""
    sizes: list[int] = []

    class Counting:
        async def mutate(self, begin: object, size: int) -> None:
            sizes.append(size)

    database: Any = Counting()
    lease = Lease(database, "pipeline", 1, None)
    for number in (3, 1_000):
        await lease.keep_log("element", [Line(now(), JobLogStream.STDOUT, "x")] * number)
    assert sizes[0] < MOST_HERE < sizes[1]
