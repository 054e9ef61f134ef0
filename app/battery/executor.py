"""Runs elements on PyBaMM: Direct Entry and Calculation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pybamm

from app.battery.configuration import Work, plan
from app.battery.recipes import Inputs
from app.battery.symbols import encode
from app.execution.executor import Fault, Job, JobFailed, Outcome, Progress, Values
from app.models import JobErrorCode

log = logging.getLogger("voltgraph.battery")
PACKAGES = ("pybamm", "ionworks-schema")
CANNOT_BUILD = (pybamm.ModelError, pybamm.DomainError, pybamm.OptionError, pybamm.DiscretisationError)
"""What PyBaMM raises for a model that cannot be built."""


class BatteryExecutor:
    """The work of elements. What it supports is in BATTERY.md; all else is refused by name."""

    def check(self, job: Job) -> list[Fault]:
        return plan(job)[1]

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        work, faults = plan(job)
        if work is None:
            raise _refused(faults)
        try:
            return Outcome(_result(work, Inputs(inputs)))
        except JobFailed:
            raise
        except pybamm.SolverError as error:
            raise JobFailed(JobErrorCode.SOLVER_ERROR, f"The solver found no solution: {error}") from error
        except CANNOT_BUILD as error:
            raise JobFailed(JobErrorCode.MODEL_ERROR, f"The model cannot be built: {error}") from error
        except ArithmeticError as error:
            message = f"A number is too large or too small to calculate with: {error}."
            raise JobFailed(JobErrorCode.MODEL_ERROR, message) from error
        except RecursionError as error:
            raise JobFailed(JobErrorCode.MODEL_ERROR, "A parameter refers to itself, or nests too deep.") from error
        except Exception as error:
            log.exception("element %r failed", job.name)
            message = f"Something went wrong here: {type(error).__name__}."
            raise JobFailed(JobErrorCode.INTERNAL_ERROR, message) from error


def _refused(faults: list[Fault]) -> JobFailed:
    detail = {"faults": [{"message": fault.message, "path": list(fault.path)} for fault in faults]}
    return JobFailed(JobErrorCode.CONFIGURATION_ERROR, " ".join(fault.message for fault in faults[:3]), detail)


def _result(work: Work, inputs: Inputs) -> dict[str, Any]:
    """As the official client decodes it: a PassthroughResult."""
    return {
        "type": "PassthroughResult",
        "parameter_values": {name: encode(name, value) for name, value in work.make(inputs).items()},
        "effective_config": work.effective,
        "versions": {package: version(package) for package in PACKAGES},
    }
