"""Interface of executors: the boundary between the queue and the work of an element, the same for every element type.

An executor runs in a child process of its own. It takes and returns JSON values; it has no access to the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.models.enums import ElementType, JobErrorCode, SeriesSource

Values = dict[str, Any]
"""Parameter values by name, as JSON: numbers, and functions in the client's serialisation."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """Normalised Parquet file of a measurement, which the job's process may read. `sha256` is that of the bytes that
    were uploaded."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Job:
    """An element to check or to run. Its configuration is untrusted until it has been checked."""

    name: str
    type: ElementType
    config: dict[str, Any]
    measurements: Mapping[str, DataFile] = field(default_factory=dict)
    """Files of the measurements that the pipeline references as `db:ID`, by id."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem of a configuration; `path` is its place there."""

    message: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a job. `parameters` are physical values by name."""

    iteration: int | None = None
    cost: float | None = None
    best_cost: float | None = None
    parameters: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """The data and the model's output of one objective: channels of equal length by name, the axis first."""

    objective: str
    source: SeriesSource
    channels: dict[str, Sequence[float | None]]
    """None marks a missing value."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a job."""

    result: dict[str, Any]
    series: Sequence[Series] = ()


class JobFailed(Exception):
    """A job failed; `code` and `message` give the reason, `detail` holds data for programs."""

    traceback: str | None = None
    """The traceback of the job's process, for the server's log."""

    def __init__(self, code: JobErrorCode, message: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, detail


class IngestError(Exception):
    """An uploaded file cannot be read; the message names the place for people."""


class Executor(Protocol):
    """Executor of elements."""

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        """Return the problems of each configuration of a pipeline, in order, without running any of it."""

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        """Run a job. `inputs` holds the parameter values of all earlier elements, later ones over earlier ones; the
        `parameter_values` of the result are passed on to later elements. Raises JobFailed."""
