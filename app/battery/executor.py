"""Executor on PyBaMM."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version

import pybamm

from app.battery import configuration
from app.battery.checked_element import CheckedElement, ElementResult, refused
from app.battery.configuration import faults, parse_element
from app.battery.expressions.symbols import encode
from app.battery.functions import Inputs, explain_missing
from app.battery.objectives.models import named_models
from app.battery.warnings.objective_warnings import value_warnings
from app.execution.executor import Fault, Job, JobFailed, Outcome, Progress, Values
from app.models.enums import JobErrorCode

log = logging.getLogger("voltgraph.battery")
PACKAGES = ("pybamm", "ionworks-schema", "numpy", "scipy", "cma")
CANNOT_BUILD = (pybamm.ModelError, pybamm.DomainError, pybamm.OptionError, pybamm.DiscretisationError)
"""Exceptions of PyBaMM for a model that cannot be built."""


class BatteryExecutor:
    """Executor on PyBaMM. BATTERY.md lists what it supports; everything else is refused by name."""

    def __init__(self) -> None:
        named_models.prepare()
        configuration.prepare()

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        return faults(jobs)

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        work, wrong = parse_element(job)
        if work is None:
            raise refused(wrong)
        try:
            return _outcome(work, work.make(Inputs(inputs), report))
        except JobFailed as failure:
            raise explain_missing(failure, inputs) from failure
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
            message = f"Internal error: {type(error).__name__}."
            raise JobFailed(JobErrorCode.INTERNAL_ERROR, message) from error


def _outcome(work: CheckedElement, product: ElementResult) -> Outcome:
    """Build an outcome in the official client's form, with the effective configuration."""
    result = {
        "type": product.kind,
        "parameter_values": {name: encode(name, value) for name, value in product.values.items()},
        "warnings": [each.to_json() for each in value_warnings(product.values)],
        **product.fields,
        "effective_config": work.effective,
        "versions": {package: version(package) for package in PACKAGES},
    }
    return Outcome(result, product.series)
