"""Elements checked and run as the engine does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pybamm
from ionworks_schema.serialize import deserialize_parameter_value, serialize_parameters

from app.battery import BatteryExecutor
from app.execution.executor import Fault, Job, JobFailed, Outcome, Progress, Values
from app.models.enums import ElementType, JobErrorCode

EXECUTOR = BatteryExecutor()
TYPES = {
    "entry": ElementType.DIRECT_ENTRY,
    "calculation": ElementType.CALCULATION,
    "validation": ElementType.VALIDATION,
}


def job(config: dict[str, Any]) -> Job:
    word = config.get("element_type", "entry")
    kind = TYPES.get(word) if isinstance(word, str) else None
    return Job("element", kind or ElementType.DATA_FIT, config)


def entry(name: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"element_type": "entry"} | ({"name": name} if name else {}) | fields


def values(**by_name: Any) -> dict[str, Any]:
    return entry(values=by_name)


def calculation(name: str, **fields: Any) -> dict[str, Any]:
    return {"element_type": "calculation", "type": name} | fields


def faults(config: dict[str, Any]) -> list[Fault]:
    return EXECUTOR.check([job(config)])[0]


def pipeline_faults(elements: dict[str, Any]) -> dict[str, list[Fault]]:
    """Results of each element of a pipeline by name."""
    return dict(zip(elements, EXECUTOR.check([job(config) for config in elements.values()]), strict=True))


def places(config: dict[str, Any]) -> list[tuple[str | int, ...]]:
    return [fault.path for fault in faults(config)]


def result(config: dict[str, Any], inputs: Values | None = None) -> dict[str, Any]:
    assert faults(config) == []
    return _received(EXECUTOR.run(job(config), inputs or {}, _ignore))


def run(elements: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Run the elements of a pipeline in order; return their results."""
    assert not any(pipeline_faults(elements).values())
    inputs: Values = {}
    results = {}
    for name, config in elements.items():
        results[name] = _received(EXECUTOR.run(job(config), inputs, _ignore))
        inputs |= results[name]["parameter_values"]
    return results


def _received(outcome: Outcome) -> dict[str, Any]:
    """Convert a value as the wire does."""
    return dict(json.loads(json.dumps(outcome.result, allow_nan=False)))


def made(config: dict[str, Any], inputs: Values | None = None) -> Values:
    """Return the parameter values that an element passes on."""
    return dict(result(config, inputs)["parameter_values"])


def failure(config: dict[str, Any], inputs: Values | None = None) -> JobFailed:
    try:
        EXECUTOR.run(job(config), inputs or {}, _ignore)
    except JobFailed as failed:
        return failed
    raise AssertionError("it ran")


def missing(config: dict[str, Any], inputs: Values | None = None) -> list[str]:
    """Return the parameters that a failure names as missing."""
    failed = failure(config, inputs)
    assert failed.code is JobErrorCode.MODEL_ERROR
    assert failed.detail is not None
    names: list[str] = failed.detail["missing"]
    assert all(name in failed.message for name in names)
    return names


def evaluated(name: str, parameters: Values, *arguments: float) -> float:
    """Evaluate a function of the parameter values at a point, as a PyBaMM model does."""
    inputs = {str(index): pybamm.Scalar(value) for index, value in enumerate(arguments)}
    known = pybamm.ParameterValues({key: deserialize_parameter_value(value) for key, value in parameters.items()})
    return float(np.asarray(known.evaluate(pybamm.FunctionParameter(name, inputs))).item())


def parameter_set(name: str) -> Values:
    """Serialise a PyBaMM parameter set as the official client does."""
    return dict(json.loads(json.dumps(serialize_parameters(pybamm.ParameterValues(name)))))


def _ignore(progress: Progress) -> None:
    pass
