"""What the server counts, as Prometheus reads it at /metrics.

Counting is an addition to a dictionary: it happens for every request. The library writes the text, when it is asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from starlette.responses import Response

from app import reading
from app.services import Services

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""In seconds."""
MOST_NAMES = 200
"""Operations that are told apart by name; names are the clients' own, and there is no end of them."""
OTHER = "other"


class Metrics:
    """Counts of one server."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._names = {OTHER}
        self._durations = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._counts: dict[str, tuple[str, Callable[[], dict[str, int]]]] = {}

    def gauge(self, name: str, told: str, read: Callable[[], float]) -> None:
        """Tell of something that is read when it is asked for."""
        self._gauges[name] = told, read

    def counts(self, name: str, told: str, read: Callable[[], dict[str, int]]) -> None:
        """Tell of counts by kind, which are read when they are asked for."""
        self._counts[name] = told, read

    def watch(self, services: Services) -> None:
        """Tell of what is held open."""
        sockets, subscriptions = services.sockets, services.subscriptions
        self.gauge("voltgraph_open_sockets", "WebSockets that are initialised.", lambda: sockets.held)
        self.gauge("voltgraph_subscriptions", "Subscriptions that are watched.", lambda: subscriptions.held)

    def request(self, operation: str, code: str, seconds: float) -> None:
        """Count a request: the operation's name, `OK` or the code of its first error, and how long it took."""
        if operation not in self._names:
            if len(self._names) >= MOST_NAMES:
                operation = OTHER
            self._names.add(operation)
        self._requests[operation, code] += 1
        self._durations[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "voltgraph_requests", "GraphQL requests by operation and code.", labels=["operation", "code"]
        )
        for labels, count in self._requests.items():
            requests.add_metric(labels, count)
        yield requests
        reached = list(accumulate(self._durations))
        buckets = [*zip(map(str, BOUNDS), reached, strict=False), ("+Inf", reached[-1])]
        told = "Seconds from a GraphQL request to its answer."
        yield HistogramMetricFamily("voltgraph_request_seconds", told, buckets=buckets, sum_value=self._seconds)
        for name, (told, read) in self._gauges.items():
            yield GaugeMetricFamily(name, told, read())
        for name, (told, kinds) in self._counts.items():
            family = CounterMetricFamily(name, told, labels=["kind"])
            for kind, count in kinds().items():
                family.add_metric([kind], count)
            yield family


router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Everything that is counted, in Prometheus' own form."""
    running = await reading.running(request.app.state.services.database)
    request.app.state.metrics.gauge("voltgraph_running_pipelines", "Pipelines that run.", lambda: running)
    registry = CollectorRegistry()
    registry.register(request.app.state.metrics)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
