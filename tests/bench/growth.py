"""Duration of a page as tables and pages grow."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

import orjson

from tests.bench.load import ask, body, load
from tests.bench.report import Options, ratio, table, verdict
from tests.bench.rows import STATUSES, created_at
from tests.bench.running import sqlite, voltgraph
from tests.bench.works import PAGED

FEW, MANY, SMALL = 20_000, 1_000_000, 50_000
TARGET = 1.5
DEEP = 10_000
"""Number of pipelines before the deep page."""
PAGE = """query Page($filter: PipelineFilter, $after: String) { pipelines(filter: $filter, first: 20, after: $after) {
  nodes { id name status createdAt updatedAt } pageInfo { hasNextPage endCursor } } }"""
HOUR = {"createdAfter": created_at(10_000).isoformat(), "createdBefore": created_at(13_600).isoformat()}
FILTERS = {
    "first of a project": {"projectId": "@PROJECT@"},
    "first of a status": {"statuses": [STATUSES[-1]]},
    "first of two statuses": {"statuses": list(STATUSES[-2:])},
    "first of an hour": HOUR,
}


def tables(options: Options, folder: Path) -> str:
    """Measure the same pages over few and over many pipelines, in turn."""
    many = SMALL if options.small else MANY
    with voltgraph(sqlite(folder, FEW)) as small, voltgraph(sqlite(folder, many)) as large:
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
        nothing = body(PAGE, filter={"nameContains": "no such name"})
        slow = [_alone(options, each.url, nothing) for each in (small, large)]
        rows.append(
            ["whose names contain what none has", *(f"{ms:.1f}" for ms in slow), f"{slow[1] / slow[0]:.0f} x", ""]
        )
    return table(["page of 20", f"ms at {FEW:,}", f"ms at {many:,}", "ratio", "target"], rows)


def _alone(options: Options, url: str, body: bytes) -> float:
    """Return the milliseconds of single requests, without concurrent ones."""
    times = []
    for _ in range(options.rounds):
        start = perf_counter()
        ask(url, body)
        times.append(perf_counter() - start)
    return median(times) * 1e3


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
