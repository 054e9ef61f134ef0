"""The boundary between the engine and the work of an element: the same for every element type.

An executor runs in a child process of its own. It is given JSON and gives JSON back; it knows no database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.models import ElementType, JobErrorCode, SeriesSource

Values = dict[str, Any]
"""Parameter values by name, as JSON: numbers, and functions as the client serialises them."""


@dataclass(frozen=True, slots=True)
class Job:
    """An element to check or to run. Its configuration is hostile until it has been checked."""

    name: str
    type: ElementType
    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a configuration; `path` leads to it there."""

    message: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `parameters` are physical values by name."""

    iteration: int | None = None
    cost: float | None = None
    best_cost: float | None = None
    parameters: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """The model against the data of one objective: channels of equal length by name, the axis first."""

    objective: str
    source: SeriesSource
    channels: dict[str, Sequence[float | None]]
    """None where there is no value."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job came to."""

    result: dict[str, Any]
    series: Sequence[Series] = ()


class JobFailed(Exception):
    """The job cannot be done; `code` and `message` say why, `detail` is for programs."""

    def __init__(self, code: JobErrorCode, message: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, detail


class Executor(Protocol):
    """What does the work of elements."""

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        """Everything wrong with each configuration of a pipeline, in order, without running anything of it."""

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        """What the job comes to; the `parameter_values` of its result are handed on. `inputs` are those of all elements
        before it, the later over the earlier. JobFailed when it cannot be done."""
