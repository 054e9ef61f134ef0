"""Comparison of Voltgraph with other GraphQL servers over the same rows in SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from tests import servers
from tests.bench.load import LOAD_CORE, Load, load, pinned
from tests.bench.report import Options, ratio, table, verdict
from tests.bench.rows import fill_postgres, fill_sqlite
from tests.bench.running import NAMES, peer, sqlite, voltgraph
from tests.bench.works import WORKS, Work, verify

PIPELINES = 20_000
POSTGRES_TARGET = 1.2
POSTGRES_PEER = "mercurius"
MAIN = "jit"
"""Peer over SQLite that the targets refer to: the fastest."""
HEADINGS = ["work", "server", "requests/s", "p50 ms", "p99 ms", "answer B", "Voltgraph is", "target"]


def on_sqlite(options: Options, folder: Path) -> str:
    """Compare the works over SQLite files. All servers sync every commit to disk."""
    ours = sqlite(folder, PIPELINES)
    with ExitStack() as running:
        url = running.enter_context(voltgraph(ours)).url
        peers = {}
        for name in NAMES:
            fill_sqlite(folder / f"{name}.db", PIPELINES)
            peers[name] = running.enter_context(peer(name, str(folder / f"{name}.db")))
        return _compared(options, url, peers, {name: WORKS[name].target for name in options.works}, MAIN)


def on_postgres(options: Options, folder: Path) -> str:
    """Compare the works over two databases of one PostgreSQL server, which shares the load generator's core."""
    with postgres_pair() as (ours, theirs), voltgraph(ours) as server, peer(POSTGRES_PEER, theirs) as other:
        targets = dict.fromkeys((name for name in options.works if name != "update"), POSTGRES_TARGET)
        return _compared(options, server.url, {POSTGRES_PEER: other}, targets, POSTGRES_PEER)


@contextmanager
def postgres_pair() -> Iterator[tuple[str, str]]:
    """Databases of Voltgraph and of a peer."""
    with pinned(LOAD_CORE), servers.postgres(durable=True) as server:
        ours, theirs = server.new_database(), server.new_database(empty=True)
        asyncio.run(fill_postgres(ours, PIPELINES, peer=False))
        asyncio.run(fill_postgres(theirs, PIPELINES, peer=True))
        yield ours, theirs


def _compared(options: Options, url: str, peers: dict[str, str], targets: dict[str, float], main: str) -> str:
    rows = []
    for name, target in targets.items():
        work = WORKS[name]
        sizes = {other: verify(work, url, address, PIPELINES) for other, address in peers.items()}
        ours, theirs = _rounds(options, work, url, peers)
        rows.append([work.title, "Voltgraph", *_figures(ours), f"{sizes[main][0]:,}", "", ""])
        for other, loads in theirs.items():
            ratios = [mine.rate / its.rate for mine, its in zip(ours, loads, strict=True)]
            judged = verdict(median(ratios) >= target, f"≥ {target} x") if other == main else ""
            rows.append(["", NAMES[other], *_figures(loads), f"{sizes[other][1]:,}", ratio(ratios), judged])
    return table(HEADINGS, rows)


def _rounds(options: Options, work: Work, url: str, peers: dict[str, str]) -> tuple[list[Load], dict[str, list[Load]]]:
    """Run the loads of Voltgraph and of each peer in turn; loads before the first round warm up."""
    requests = {"": (url, work.ours)} | {name: (address, work.theirs) for name, address in peers.items()}
    loads: dict[str, list[Load]] = {name: [] for name in requests}
    for number in range(options.rounds + 1):
        for name, (address, body) in requests.items():
            done = load(address, body, options.seconds, PIPELINES)
            if number:
                loads[name].append(done)
    return loads.pop(""), loads


def _figures(loads: list[Load]) -> list[str]:
    return [
        f"{median(each.rate for each in loads):,.0f}",
        f"{median(each.p50 for each in loads):.2f}",
        f"{median(each.p99 for each in loads):.2f}",
    ]
