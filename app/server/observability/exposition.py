"""All metrics of a process in Prometheus' format: its own, those of the system, and those that the database knows."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator
from contextvars import Context
from importlib.metadata import PackageNotFoundError, version
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from app.database.interface import Database
from app.pipelines import repository
from app.pipelines.repository import AtWork
from app.server.faults import log_fault, log_unavailable
from app.server.observability.metrics import OTHER, Metrics

PATIENCE = 2.0
"""Timeout in seconds of reading the database for one scrape."""
BELIEVED = 1.0
"""Seconds for which a read counts; more frequent scrapes cause no further reads."""
MOST_ORGANIZATIONS = 20
"""Maximum number of organizations with labels of their own; those with the most pipelines. The rest is `other`."""
STATUSES = {True: "queued", False: "running"}
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Exposition:
    """Text of all metrics of a process. It needs no database: metrics that do are left out while it is away."""

    def __init__(self, metrics: Metrics, database: Database) -> None:
        self._metrics, self._database = metrics, database
        self._process = ProcessCollector(registry=None)
        self._reading: asyncio.Task[list[AtWork] | None] | None = None
        self._read: tuple[float, list[AtWork] | None] = -BELIEVED, None

    async def text(self) -> bytes:
        """Return the text of a scrape."""
        at_work = await self._at_work()
        registry = CollectorRegistry()
        for collector in (self._process, self._metrics, _Collected([_build_info(), *_database_metrics(at_work)])):
            registry.register(collector)
        return generate_latest(registry)

    async def _at_work(self) -> list[AtWork] | None:
        """Return the pipelines at work by organization; None if the database cannot be read in time."""
        if monotonic() - self._read[0] >= BELIEVED:
            self._reading = self._reading or asyncio.create_task(self._load(), context=Context())
            return await asyncio.shield(self._reading)
        return self._read[1]

    async def _load(self) -> list[AtWork] | None:
        found = None
        try:
            async with asyncio.timeout(PATIENCE):
                found = await repository.at_work(self._database)
        except Exception as error:
            if not log_unavailable(error):
                log_fault(error)
        self._read, self._reading = (monotonic(), found), None
        return found


class _Collected:
    """Collector of metrics that were read before the scrape."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._found = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._found


def _build_info() -> Metric:
    try:
        own = version("voltgraph")
    except PackageNotFoundError:  # run from a checkout that is not installed
        own = "unknown"
    labels = {"version": own, "python": platform.python_version()}
    info = GaugeMetricFamily("voltgraph_build_info", "Versions, as labels of a constant.", labels=list(labels))
    info.add_metric(list(labels.values()), 1)
    return info


def _database_metrics(at_work: list[AtWork] | None) -> Iterator[Metric]:
    told = "1 if the database could be read for this scrape. Metrics of pipelines are left out otherwise."
    yield GaugeMetricFamily("voltgraph_database_up", told, int(at_work is not None))
    if at_work is not None:
        yield from _totals(at_work)
        yield from _by_status(at_work)
        yield _by_organization(at_work)


def _totals(at_work: list[AtWork]) -> Iterator[Metric]:
    queued = sum(each.pipelines for each in at_work if each.is_queued)
    running = sum(each.pipelines for each in at_work)
    yield GaugeMetricFamily("voltgraph_running_pipelines", "Pipelines that run, or wait for a worker.", running)
    yield GaugeMetricFamily("voltgraph_queued_pipelines", "Running pipelines that wait for a worker.", queued)


def _by_status(at_work: list[AtWork]) -> Iterator[Metric]:
    count = GaugeMetricFamily("voltgraph_queue_pipelines", "Pipelines in the queue or at work.", labels=["status"])
    told = "Seconds since the start of the oldest pipeline in the queue or at work; 0 without one."
    oldest = GaugeMetricFamily("voltgraph_queue_oldest_seconds", told, labels=["status"])
    for is_queued, status in STATUSES.items():
        these = [each for each in at_work if each.is_queued is is_queued]
        count.add_metric([status], sum(each.pipelines for each in these))
        oldest.add_metric([status], max((each.oldest for each in these), default=0.0))
    yield count
    yield oldest


def _by_organization(at_work: list[AtWork]) -> Metric:
    told = "Pipelines in the queue or at work by organization; organizations with few are `other`."
    family = GaugeMetricFamily("voltgraph_organization_pipelines", told, labels=["organization", "status"])
    totals: dict[str, int] = {}
    for each in at_work:
        totals[each.organization_id] = totals.get(each.organization_id, 0) + each.pipelines
    named = set(sorted(totals, key=lambda name: (-totals[name], name))[:MOST_ORGANIZATIONS]) - {OTHER}
    counts: dict[tuple[str, str], int] = {}
    for each in at_work:
        label = each.organization_id if each.organization_id in named else OTHER
        key = label, STATUSES[each.is_queued]
        counts[key] = counts.get(key, 0) + each.pipelines
    for labels, number in counts.items():
        family.add_metric(labels, number)
    return family
