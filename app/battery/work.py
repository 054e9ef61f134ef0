"""A checked element, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.battery.fields import Settings
from app.battery.recipes import Inputs, Made
from app.execution.executor import Fault, JobFailed, Progress, Series
from app.models import JobErrorCode

Report = Callable[[Progress], None]
Known = Mapping[str, Any]
"""Parameter values by name, decoded, as far as they are known before anything runs."""


@dataclass(frozen=True, slots=True)
class Product:
    """What an element comes to: the values that it hands on, and the other fields of its result."""

    values: Made
    kind: str = "PassthroughResult"
    fields: Settings = field(default_factory=dict)
    series: Sequence[Series] = ()


def _nothing(known: Known) -> list[Fault]:
    return []


@dataclass(frozen=True, slots=True)
class Work:
    """A checked element: its configuration with all defaults, and what it does.

    `sets` gives what it is known to hand on before it runs, in decoded form; None where that cannot be known. `unfit`
    tells what of the configuration does not fit the values of all elements before it.
    """

    effective: Settings
    make: Callable[[Inputs, Report], Product]
    sets: Callable[[], Made] | None = None
    unfit: Callable[[Known], list[Fault]] = _nothing


Plan = tuple[Work | None, list[Fault]]


def refused(faults: list[Fault]) -> JobFailed:
    """The refusal of a configuration, with each fault at its place."""
    detail = {"faults": [{"message": fault.message, "path": list(fault.path)} for fault in faults]}
    return JobFailed(JobErrorCode.CONFIGURATION_ERROR, " ".join(fault.message for fault in faults[:3]), detail)
