"""Duration of a page as tables and pages grow."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

import orjson

from tests.bench.load import HEADERS, ask, body, load
from tests.bench.report import Options, ratio, table, verdict
from tests.bench.rows import STATUSES, created_at
from tests.bench.running import sqlite, voltgraph
from tests.bench.works import PAGED

FEW, MANY, SMALL = 20_000, 1_000_000, 50_000
TARGET = 1.5
SHORT, ALONE = 5.0, 20
"""Milliseconds of a single request that are short over any number of rows, and number of requests, of which the least
counts."""
LONG = 10.0
"""Seconds of single requests after which no further one is sent."""
PATIENT = {"VOLTGRAPH_REQUEST_TIMEOUT": "300"}
"""Settings of the server: the slowest filter is to be measured, not refused."""
DEEP = 10_000
"""Number of pipelines before the deep page."""
PAGE = """query Page($filter: PipelineFilter, $after: String) { pipelines(filter: $filter, first: 20, after: $after) {
  nodes { id name status createdAt updatedAt } pageInfo { hasNextPage endCursor } } }"""
COUNTS = "query Counts($filter: PipelineFilter) { pipelineCounts(filter: $filter) { status count } }"
ORDERED = """query Ordered($filter: PipelineFilter, $order: PipelineOrder) {
  pipelines(filter: $filter, orderBy: $order, first: 20) { nodes { id name status } pageInfo { hasNextPage } } }"""
HOUR = {"createdAfter": created_at(10_000).isoformat(), "createdBefore": created_at(13_600).isoformat()}
FILTERS = {
    "first of a project": {"projectId": "@PROJECT@"},
    "first of a status": {"statuses": [STATUSES[-1]]},
    "first of two statuses": {"statuses": list(STATUSES[-2:])},
    "first of an hour": HOUR,
}

RARE: dict[str, dict[str, object]] = {
    "a name, no match": {"nameContains": "no such name"},
    "a name, one match": {"nameContains": "e 19999"},
    "a common name": {"nameContains": "peline"},
    "two letters of a name, no match": {"nameContains": "zz"},
    "the start of a name, no match": {"nameStartsWith": "line"},
    "a description, no match": {"descriptionContains": "no such text"},
    "a common description": {"descriptionContains": "series"},
    "one letter of a description, no match": {"descriptionContains": "z"},
    "a name or a description, no match": {"or": [{"nameContains": "zzz"}, {"descriptionContains": "zzz"}]},
    "an element's name, no match": {"element": {"name": "none"}},
    "a part of an element's name, no match": {"element": {"nameContains": "none"}},
    "an element's type and name, never together": {"element": {"types": ["VALIDATION"], "name": "element 1"}},
    "an element's type, name and status": {
        "element": {"types": ["DATA_FIT"], "name": "element 2", "statuses": ["COMPLETED"]}
    },
    "a status with another one of an element, never together": {
        "statuses": ["PENDING"],
        "element": {"statuses": ["COMPLETED"]},
    },
    "an error code, no match": {"errorCodes": ["SOLVER_ERROR"]},
}
STATUS_ORDERS = [(status, direction) for status in ("PENDING", "COMPLETED") for direction in ("ASC", "DESC")]


def searches() -> dict[str, bytes]:
    """Return requests with filters and orders by their titles, each of which is sent alone."""
    found = {f"list by {title}": body(PAGE, filter=filter) for title, filter in RARE.items()}
    for status, direction in STATUS_ORDERS:
        order = {"field": "DURATION", "direction": direction}
        found[f"list of {status} by DURATION {direction}"] = body(ORDERED, filter={"statuses": [status]}, order=order)
    return found | {"counts of a project": body(COUNTS, filter={"projectId": "@PROJECT@"})}


def tables(options: Options, folder: Path) -> str:
    """Measure the same pages over few and over many pipelines, in turn."""
    many = SMALL if options.small else MANY
    with voltgraph(sqlite(folder, FEW), **PATIENT) as small, voltgraph(sqlite(folder, many), **PATIENT) as large:
        pages = {title: [body(PAGE, filter=filter)] * 2 for title, filter in FILTERS.items()}
        pages[f"the one after {DEEP:,} others"] = [body(PAGE, after=_deep(each.url)) for each in (small, large)]
        rows = []
        for title, bodies in pages.items():
            costs = []
            for number in range(options.rounds + 1):
                rates = [load(s.url, b, options.seconds, FEW).rate for s, b in zip((small, large), bodies, strict=True)]
                costs += [(1e3 / rates[0], 1e3 / rates[1])] if number else []
            ratios = [it / other for other, it in costs]
            times = [f"{median(cost):.3f}" for cost in zip(*costs, strict=True)]
            rows.append([title, *times, ratio(ratios), verdict(median(ratios) <= TARGET, f"≤ {TARGET} x")])
        for title, request in searches().items():
            few, more = (_alone(each.url, request) for each in (small, large))
            kept = more <= TARGET * few or more <= SHORT
            target = f"≤ {TARGET} x or {SHORT:g} ms"
            rows.append([title, f"{few:.3f}", f"{more:.3f}", f"{more / few:.2f} x", verdict(kept, target)])
    return table(["page of 20", f"ms at {FEW:,}", f"ms at {many:,}", "ratio", "target"], rows)


def _alone(url: str, body: bytes) -> float:
    """Return the least milliseconds of single requests over one connection, without concurrent ones."""
    request = body.replace(b"@PROJECT@", b"project-1")
    times: list[float] = []
    ask(url, request)  # raises if the answer has errors
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=300)) as connection:
        while len(times) < ALONE and sum(times) < LONG:
            start = perf_counter()
            connection.request("POST", "/graphql", request, HEADERS)
            connection.getresponse().read()
            times.append(perf_counter() - start)
    return min(times) * 1e3


def _deep(url: str) -> str:
    """Return the cursor behind DEEP pipelines."""
    cursor = None
    document = "query ($after: String) { pipelines(first: 100, after: $after) { pageInfo { endCursor } } }"
    for _ in range(DEEP // 100):
        cursor = orjson.loads(ask(url, body(document, after=cursor)))["data"]["pipelines"]["pageInfo"]["endCursor"]
    return str(cursor)


def pages(options: Options, folder: Path) -> str:
    """Measure lists of increasing length, with elements and their configurations."""
    document = (
        f"query ($p: ID!, $n: Int) {{ pipelines(filter: {{projectId: $p}}, first: $n) {{ nodes {{ {PAGED} }} }} }}"
    )
    rows = []
    with voltgraph(sqlite(folder, FEW)) as server:
        for size in (1, 10, 50, 100):
            request = body(document, p="@PROJECT@", n=size)
            loads = [load(server.url, request, options.seconds, FEW, connections=4) for _ in range(options.rounds)]
            rate = median(each.rate for each in loads)
            rows.append([str(size), f"{rate:,.0f}", f"{1e3 / rate:.3f}", f"{1e6 / rate / size:.1f}"])
    return table(["pipelines in a page", "requests/s", "ms", "µs each"], rows)
