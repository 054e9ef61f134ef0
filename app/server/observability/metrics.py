"""Metrics of the server, in Prometheus' format at /metrics.

Each request only increments a dictionary entry; the library formats the text when it is scraped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database.interface import Database
from app.execution.sandbox.isolation import Isolation
from app.server.connections.connection_limit import Connections
from app.server.observability.request_log import route_of
from app.server.services import Services

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Histogram buckets of requests, in seconds."""
JOB_BOUNDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0, 30_000.0)
"""Histogram buckets of jobs, in seconds."""
MOST_NAMES = 200
"""Maximum number of operation names with a label of their own, besides the reserved ones. Clients choose the names, so
their number is unbounded."""
LONGEST_NAME = 64
"""Maximum characters of an operation's name in a label."""
OTHER = "other"


class Metrics:
    """Metrics of one server."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._labels = {OTHER: OTHER, "": ""}
        """Labels by operation name. Reserved names are present before any request."""
        self._left = MOST_NAMES
        self._answers: Counter[tuple[str, str, str]] = Counter()
        self._jobs = Histogram(
            "voltgraph_job_seconds",
            "Seconds of jobs of this process, by element type and outcome.",
            ["element_type", "outcome"],
            registry=None,
            buckets=JOB_BOUNDS,
        )
        self._durations = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._counts: dict[str, tuple[str, str, Callable[[], dict[str, int]]]] = {}

    def gauge(self, name: str, told: str, read: Callable[[], float]) -> None:
        """Register a gauge, read when it is scraped."""
        self._gauges[name] = told, read

    def counts(self, name: str, told: str, read: Callable[[], dict[str, int]], label: str = "kind") -> None:
        """Register counters by kind, read when they are scraped."""
        self._counts[name] = told, label, read

    def watch(self, services: Services) -> None:
        """Register the gauges of queues and open connections."""
        sockets, subscriptions = services.sockets, services.subscriptions
        self.watch_database(services.database)
        self.gauge("voltgraph_held_body_bytes", "Bytes of request bodies in memory.", lambda: services.bodies.held)
        self.gauge("voltgraph_open_sockets", "WebSockets that are initialised.", lambda: sockets.held)
        self.gauge("voltgraph_subscriptions", "Open subscriptions.", lambda: subscriptions.held)
        if services.isolation is not None:
            self.watch_isolation(services.isolation)

    def watch_isolation(self, confined: Isolation) -> None:
        """Register the isolation of jobs."""
        told = "Version of Landlock that confines jobs; 0 without it."
        self.gauge("voltgraph_sandbox_landlock", told, lambda: confined.landlock)
        self.gauge("voltgraph_sandbox_seccomp", "1 if seccomp confines jobs.", lambda: confined.seccomp)
        self.gauge("voltgraph_sandbox_root", "1 if jobs run as root.", lambda: confined.is_root)

    def watch_database(self, database: Database) -> None:
        """Register the metrics of a database's queues and connections."""
        self.gauge("voltgraph_waiting_writes", "Writes that wait.", lambda: database.waiting)
        self.gauge("voltgraph_waiting_reads", "Reads that wait.", lambda: database.waiting_reads)
        told = "Database connections that an error left in a wrong state, and that were rolled back or replaced."
        self.counts("voltgraph_connection_recoveries", told, database.recoveries, "connection")

    def watch_connections(self, connections: Connections) -> None:
        """Register the metrics of open connections, and of those that were ended early."""
        self.gauge("voltgraph_open_connections", "Open connections, including WebSockets.", lambda: connections.open)
        told = "Connections refused at the limit, or aborted by the write timeout."
        self.counts("voltgraph_ended_connections", told, lambda: connections.ended)

    def request(self, operation: str, code: str, seconds: float) -> None:
        """Count a request by its operation's name and its code (`OK` or the code of its first error), and its
        duration."""
        label = self._labels.get(operation)
        if label is None:
            label = self._new_label(operation)
        self._requests[label, code] += 1
        self._durations[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def _new_label(self, operation: str) -> str:
        """Return the label of a new name: the name itself while labels are left, otherwise OTHER."""
        if self._left == 0 or len(operation) > LONGEST_NAME or not operation.isprintable():
            return OTHER
        self._left -= 1
        return self._labels.setdefault(operation, operation)

    def reserve(self, operations: Iterable[str]) -> None:
        """Reserve labels for the operations that the server ships or trusts; other names cannot take them."""
        self._labels |= {
            name: name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in operations
        }

    def answer(self, method: str, route: str, status: int) -> None:
        """Count a response outside of GraphQL."""
        self._answers[method, route, str(status)] += 1

    def job(self, element_type: str, outcome: str, seconds: float) -> None:
        """Count a job that ended."""
        self._jobs.labels(element_type, outcome).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "voltgraph_requests", "GraphQL requests by operation and code.", labels=["operation", "code"]
        )
        for labels, count in self._requests.items():
            requests.add_metric(labels, count)
        yield requests
        answers = CounterMetricFamily(
            "voltgraph_rest_requests", "Other requests by route and status.", labels=["method", "route", "status"]
        )
        for route, count in self._answers.items():
            answers.add_metric(route, count)
        yield answers
        yield from self._jobs.collect()
        reached = list(accumulate(self._durations))
        buckets = [*zip(map(str, BOUNDS), reached, strict=False), ("+Inf", reached[-1])]
        told = "Seconds from a GraphQL request to its answer."
        yield HistogramMetricFamily("voltgraph_request_seconds", told, buckets=buckets, sum_value=self._seconds)
        for name, (told, read) in self._gauges.items():
            yield GaugeMetricFamily(name, told, read())
        for name, (told, label, kinds) in self._counts.items():
            family = CounterMetricFamily(name, told, labels=[label])
            for kind, count in kinds().items():
                family.add_metric([kind], count)
            yield family


class Counted:
    """Middleware that counts responses by route, which a client cannot choose freely."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = route_of(scope)
            self._metrics.answer(scope["method"] if route else OTHER, route or OTHER, status)


router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def scrape(request: Request) -> Response:
    """Return all metrics in Prometheus' format, also while the database is away."""
    return Response(await request.app.state.exposition.text(), media_type=CONTENT_TYPE_LATEST)
