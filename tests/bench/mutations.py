"""Mutations of existing pipelines, beside a create: one each, and a hundred at once."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import orjson

from tests import servers
from tests.bench.load import HEADERS, SERVER_CORE, body, load, pinned
from tests.bench.report import Options, ratio, table, verdict
from tests.bench.rows import pipeline_id
from tests.bench.running import sqlite
from tests.bench.works import WORKS

PIPELINES = 200_000
RUNNING = {"VOLTGRAPH_WORKERS": "0", "VOLTGRAPH_MAX_QUEUED": "100000"}
SELECTED = "{ pipeline { id status } userErrors { code } }"
DELETED = "{ deletedPipelineId userErrors { code } }"
BODIES = {
    "create": WORKS["create"].ours,
    "update": body(
        f"mutation M($id: ID!, $n: String!) {{ updatePipeline(id: $id, input: {{name: $n}}) {SELECTED} }}",
        id="@ID@",
        n="@NAME@",
    ),
    "duplicate": body(f"mutation M($id: ID!) {{ duplicatePipeline(id: $id) {SELECTED} }}", id="@ID@"),
    "start": body(f"mutation M($id: ID!) {{ startPipeline(id: $id) {SELECTED} }}", id="@NEXT@"),
    "delete": body(f"mutation M($id: ID!) {{ deletePipeline(id: $id) {DELETED} }}", id="@NEXT@"),
}
LEAST = {"duplicate": 2000, "start": 2000, "delete": 2000}
"""Mutations per second that are asked for."""
MOST_MS, AT_ONCE = 100, 100


def single(options: Options, folder: Path) -> str:
    """Measure each mutation in turn, with the server's CPU time."""
    database = _pending(folder)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in BODIES}
    following = 1
    with pinned(SERVER_CORE), servers.serving(database, **RUNNING) as server:
        for _ in range(options.rounds):
            for name, request in BODIES.items():
                before = _cpu(server.process.pid)
                measured = load(server.url, request, options.seconds, PIPELINES, first=following)
                requests = measured.rate * options.seconds
                following += 0 if b"@NEXT@" not in request else int(requests * 1.5) + 100
                found[name].append((measured.rate, (_cpu(server.process.pid) - before) / requests * 1e6))
    rows = []
    for name, each in found.items():
        rates, costs = zip(*each, strict=True)
        shares = [rate / created for rate, (created, _) in zip(rates, found["create"], strict=True)]
        least = LEAST.get(name)
        target = "" if least is None else verdict(median(rates) >= least, f">= {least:,}/s")
        rows.append([name, f"{median(rates):,.0f}", f"{median(costs):.0f}", ratio(shares), target])
    return table(["", "/s", "CPU, us", "of the creates", "target"], rows)


def many(options: Options, folder: Path) -> str:
    """Measure mutations of a hundred pipelines, one request after the other."""
    rows = []
    fields = {"startPipelines": SELECTED, "cancelPipelines": SELECTED, "deletePipelines": DELETED}
    with (
        pinned(SERVER_CORE),
        servers.serving(_pending(folder), **RUNNING) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as http,
    ):
        for field, selected in fields.items():  # each over the same pipelines
            document = f"mutation M($ids: [ID!]!) {{ {field}(ids: $ids) {{ results {selected} }} }}"
            times = [_time(http, document, 1 + AT_ONCE * place) for place in range(10 * options.rounds)]
            target = verdict(median(times) < MOST_MS, f"< {MOST_MS} ms")
            rows.append([field, f"{median(times):.1f}", f"{max(times):.1f}", target])
    return table(["100 ids", "ms", "most", "target"], rows)


def _time(http: httpx.Client, document: str, first: int) -> float:
    """Send one request; return its milliseconds. Raises AssertionError if an entry was refused."""
    content = body(document, ids=[pipeline_id(first + place) for place in range(AT_ONCE)])
    start = perf_counter()
    answer = http.post("/graphql", content=content).content
    took = 1000 * (perf_counter() - start)
    [payload] = orjson.loads(answer)["data"].values()
    assert [each["userErrors"] for each in payload["results"]] == [[]] * AT_ONCE
    return took


def _pending(folder: Path) -> str:
    """Create a database whose pipelines are all pending."""
    url = sqlite(folder, PIPELINES)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("UPDATE pipeline SET status = 'PENDING'")
    connection.commit()
    connection.close()
    return url


def _cpu(pid: int) -> float:
    """Return the CPU time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
