"""Checked elements and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.battery.checks.fields import Settings
from app.battery.functions import Inputs, Made
from app.execution.executor import Fault, JobFailed, Progress, Series
from app.models.enums import JobErrorCode

Report = Callable[[Progress], None]
Known = Mapping[str, Any]
"""Decoded parameter values by name, as far as they are known before the run."""


@dataclass(frozen=True, slots=True)
class ElementResult:
    """Result of an element: the parameter values that it passes on, and the other fields."""

    values: Made
    kind: str = "PassthroughResult"
    fields: Settings = field(default_factory=dict)
    series: Sequence[Series] = ()


def _nothing(known: Known) -> list[Fault]:
    return []


@dataclass(frozen=True, slots=True)
class CheckedElement:
    """A checked element: its configuration with all defaults, and its function. `sets` holds the decoded values that it
    passes on, as far as they are known before the run; None if they are not. `unfit` returns the problems of the
    configuration with the values of all earlier elements."""

    effective: Settings
    make: Callable[[Inputs, Report], ElementResult]
    sets: Callable[[], Made] | None = None
    unfit: Callable[[Known], list[Fault]] = _nothing


ParsedElement = tuple[CheckedElement | None, list[Fault]]


def refused(faults: list[Fault]) -> JobFailed:
    """Return the failure for an invalid configuration, with each problem at its place."""
    detail = {"problems": [{"message": fault.message, "path": list(fault.path)} for fault in faults]}
    return JobFailed(JobErrorCode.CONFIGURATION_ERROR, " ".join(fault.message for fault in faults[:3]), detail)
