"""A queue of many short runs, and the latency of the API while it drains."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import orjson

from tests import servers
from tests.bench.load import HEADERS, body
from tests.bench.report import Options, table, verdict
from tests.bench.running import sqlite
from tests.shaken import MODULE

QUEUED, FEW = 10_000, 2_000
PLACES = {
    "VOLTGRAPH_WORKERS": "4",
    "VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor",
    "VOLTGRAPH_RATE_LIMIT": "1000000000",
}
CREATE = body(
    "mutation Create($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { id } } }",
    input={"projectId": "p", "name": "x", "elements": [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {}}]},
)
LIST = body("{ pipelines(first: 20) { nodes { id name status } } }")
START = "mutation Start($ids: [ID!]!) { startPipelines(ids: $ids) { results { userErrors { code } } } }"
COUNT = body("{ pipelineCounts(filter: {statuses: [RUNNING]}) { count } }")
LEAST_RATE, MOST_MS = 10_000 / 240, 20.0
PAUSE, LOOK = 0.05, 1.0
"""Seconds between two requests whose latency is measured, and between two counts of the queue."""


def queue(options: Options, folder: Path) -> str:
    """Measure pipelines a second with four places on SQLite, and lists and creates in turn meanwhile."""
    number = FEW if options.small else QUEUED
    with (
        servers.serving(sqlite(folder, 0), MODULE, folder / "log", **PLACES) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as http,
    ):
        ids = [_data(http, CREATE)["createPipeline"]["pipeline"]["id"] for _ in range(number)]
        start = time.perf_counter()
        for first in range(0, number, 100):
            _data(http, body(START, ids=ids[first : first + 100]))
        latencies = list(_until_empty(http))
        rate = number / (time.perf_counter() - start)
    most = quantiles(latencies, n=100)[-1] * 1e3
    rows = [
        ["pipelines of one element a second", f"{rate:.1f}", verdict(rate >= LEAST_RATE, f">= {LEAST_RATE:.1f}")],
        ["API meanwhile, median ms", f"{median(latencies) * 1e3:.1f}", ""],
        ["API meanwhile, p99 ms", f"{most:.1f}", verdict(most < MOST_MS, f"< {MOST_MS:g}")],
    ]
    return table([f"{number:,} queued", "", "target"], rows)


def _until_empty(http: httpx.Client) -> Iterator[float]:
    """Send lists and creates until nothing runs any more; yield the seconds of each."""
    looked = time.perf_counter()
    while True:
        for request in (LIST, CREATE):
            start = time.perf_counter()
            _data(http, request)
            yield time.perf_counter() - start
            time.sleep(PAUSE)
        if time.perf_counter() - looked > LOOK:
            looked = time.perf_counter()
            if not any(each["count"] for each in _data(http, COUNT)["pipelineCounts"]):
                return


def _data(http: httpx.Client, request: bytes) -> Any:
    answer = orjson.loads(http.post("/graphql", content=request).content)
    assert "errors" not in answer, answer
    return answer["data"]
