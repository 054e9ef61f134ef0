"""Traces by OpenTelemetry: off unless a standard OTEL_* variable names an exporter. Off, a span costs one comparison.

A run has a trace of its own, whose id follows from the pipeline's: the queue need not carry a trace context. The span
that enqueues the pipeline has a link to the span of its first run.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from app.errors import VoltgraphError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

T = TypeVar("T")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP = "http/protobuf"
PIPELINE, ELEMENT, JOB, ATTEMPT = (
    "voltgraph.pipeline.id",
    "voltgraph.element.name",
    "voltgraph.job.id",
    "voltgraph.run.attempt",
)
tracer: Any = None
"""Tracer of this process; None while traces are off."""
_ids: ContextVar[tuple[int, int] | None] = ContextVar("ids", default=None)
"""Trace id and span id of the next span, if they are given."""


class WrongTelemetry(VoltgraphError):
    """The OTEL_* variables ask for something that this installation cannot do."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Return whether the OTEL_* variables turn traces on."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    return exporter != "none" and bool(exporter or any(environment.get(name) for name in ENDPOINTS))


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Check that traces can be sent as the OTEL_* variables ask. Raises WrongTelemetry."""
    if is_wanted(environment):
        _checked_provider(environment).shutdown()


@contextmanager
def tracing(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Trace until exit, if the OTEL_* variables ask for it; then send the pending spans. Raises WrongTelemetry."""
    global tracer
    if not is_wanted(environment):
        yield
        return
    provider = _checked_provider(environment)
    tracer = provider.get_tracer("voltgraph")
    try:
        yield
    finally:
        tracer = None
        provider.shutdown()


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[Any]:
    """Trace the work until exit as a child of the current span, with attributes. Without traces it yields None."""
    if tracer is None:
        yield None
        return
    with tracer.start_as_current_span(name, attributes=attributes) as current:
        yield current


@contextmanager
def request_span(name: str, headers: Mapping[str, str], **attributes: Any) -> Iterator[Any]:
    """Trace a request, as a child of the span in its header `traceparent`, if it has one. Requires traces to be on."""
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract(headers)
    with tracer.start_as_current_span(name, parent, SpanKind.SERVER, attributes) as current:
        yield current


@contextmanager
def enqueue_span(pipeline_id: str) -> Iterator[None]:
    """Trace putting a pipeline into the queue, with a link to its first run."""
    if tracer is None:
        yield
        return
    from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

    run = SpanContext(*_run_ids(pipeline_id, 1), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    attributes = {PIPELINE: pipeline_id}
    with tracer.start_as_current_span("enqueue", None, SpanKind.PRODUCER, attributes, [Link(run)]):
        yield


@contextmanager
def run_span(pipeline_id: str, attempt: int) -> Iterator[None]:
    """Trace a run of a pipeline, as the root of a trace."""
    if tracer is None:
        yield
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind

    attributes = {PIPELINE: pipeline_id, ATTEMPT: attempt}
    token = _ids.set(_run_ids(pipeline_id, attempt))
    with tracer.start_as_current_span("run", Context(), SpanKind.CONSUMER, attributes):
        _ids.reset(token)
        yield


async def wait(name: str, work: Awaitable[T]) -> T:
    """Wait for work within a span."""
    with span(name):
        return await work


def annotate(attributes: Mapping[str, Any]) -> None:
    """Add attributes to the current span. Requires traces to be on."""
    from opentelemetry.trace import get_current_span

    get_current_span().set_attributes(dict(attributes))


def _run_ids(pipeline_id: str, attempt: int) -> tuple[int, int]:
    """Return the trace id of a pipeline's runs, and the span id of one. Hashes, because samplers expect random ids."""
    trace = sha256(f"run of {pipeline_id}".encode()).digest()[:16]
    own = sha256(f"attempt {attempt} of {pipeline_id}".encode()).digest()[:8]
    return int.from_bytes(trace), int.from_bytes(own)


def _checked_provider(environment: Mapping[str, str]) -> TracerProvider:
    """Create the provider of the process' tracer. Raises WrongTelemetry."""
    try:
        return _provider(environment)
    except ImportError as error:
        message = f"OTEL_* variables ask for traces, but {error.name} is missing. Install the extra `telemetry`."
        raise WrongTelemetry(message) from error
    except ValueError as error:
        raise WrongTelemetry(
            f"An OTEL_* variable has a wrong value: {str(error)[:200].rstrip('.')}. Correct it."
        ) from error


def _provider(environment: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Random ids, unless `_ids` gives them."""

        def generate_trace_id(self) -> int:
            given = _ids.get()
            return super().generate_trace_id() if given is None else given[0]

        def generate_span_id(self) -> int:
            given = _ids.get()
            return super().generate_span_id() if given is None else given[1]

    name = environment.get("OTEL_SERVICE_NAME") or "voltgraph"
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}), id_generator=Ids())
    provider.add_span_processor(BatchSpanProcessor(_exporter(environment)))
    return provider


def _exporter(environment: Mapping[str, str]) -> SpanExporter:
    kind = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if kind == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), HTTP)
    if kind != "otlp" or protocol != HTTP:
        message = (
            f"OTEL_TRACES_EXPORTER may be otlp (over {HTTP}), console or none; got {kind!r:.50} over {protocol!r:.50}."
        )
        raise WrongTelemetry(message)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
