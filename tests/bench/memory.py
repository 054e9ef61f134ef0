"""Memory of answers, and the cost of large configurations that are not selected."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import orjson

from tests.bench.load import ask, body, load
from tests.bench.report import Options, ratio, table, verdict
from tests.bench.running import sqlite, voltgraph
from tests.bench.works import ONE, PAGED, WORKS

PIPELINES = 100
LARGE = orjson.dumps({"data": "x" * 2**20})
MOST_ADDED, MOST_MEMORY = 1.10, 20.0


def unselected(options: Options, folder: Path) -> str:
    """Measure a list of 50 x 4 without configurations, with short ones and with ones of 1 MB."""
    request = body(f"{{ pipelines(first: 50) {{ nodes {{ {ONE} }} }} }}")
    with voltgraph(sqlite(folder, PIPELINES)) as short, voltgraph(sqlite(folder, PIPELINES, LARGE)) as large:
        rounds = range(options.rounds + 1)  # the first round warms up
        rates = [[load(each.url, request, options.seconds, PIPELINES).rate for each in (short, large)] for _ in rounds][
            1:
        ]
    ratios = [of_short / of_large for of_short, of_large in rates]
    times = [f"{1e3 / median(each):.3f}" for each in zip(*rates, strict=True)]
    target = verdict(median(ratios) < MOST_ADDED, f"< {MOST_ADDED:.2f} x")
    return table(
        ["", "ms, short", "ms, 1 MB each", "ratio", "target"], [["list of 50 x 4", *times, ratio(ratios), target]]
    )


def resident(options: Options, folder: Path) -> str:
    """Measure the resident memory of the server: after start, the peak of its first list of 100 x 4, and after load."""
    with voltgraph(sqlite(folder, 20_000)) as server:
        pid = server.process.pid
        started = megabytes(pid, "VmRSS")
        ask(server.url, body(f"{{ pipelines(first: 1) {{ nodes {{ {PAGED} }} }} }}"))
        before = megabytes(pid, "VmRSS")
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # reset the peak
        ask(server.url, body(f"{{ pipelines(first: 100) {{ nodes {{ {PAGED} }} }} }}"))
        added = megabytes(pid, "VmHWM") - before
        rows = [
            ["after start", f"{started:.1f}", ""],
            ["added by a list of 100 x 4", f"{added:.1f}", verdict(added < MOST_MEMORY, f"< {MOST_MEMORY:.0f} MB")],
        ]
        for name, work in WORKS.items():
            load(server.url, work.ours, options.seconds, 20_000)
            rows.append([f"after {options.seconds} s of `{name}`", f"{megabytes(pid, 'VmRSS'):.1f}", ""])
    return table(["resident memory", "MB", "target"], rows)


def megabytes(pid: int, field: str) -> float:
    """Return a figure of the kernel: VmRSS (resident now) or VmHWM (peak)."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(field)]
    return int(line.split()[1]) / 1024
