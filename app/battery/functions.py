"""Named functions of elements: their fields, and the parameter values that they compute from these and from earlier
values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm

from app.battery.checks.fields import MAX_SUGGESTIONS, Field, Path, Settings, shown, suggestion
from app.battery.expressions.symbols import decode
from app.execution.executor import JobFailed, Values
from app.models.enums import JobErrorCode

Made = dict[str, Any]
"""Parameter values by name: numbers, functions and PyBaMM symbols."""


@dataclass(frozen=True, slots=True)
class ElementFunction:
    """An entry function or a calculation. `load` checks and loads the field `data` of a calculation over data."""

    fields: Mapping[str, Field]
    run: Callable[[Settings, Inputs], Made]
    load: Callable[[Any, Path], Any] | None = None


class Inputs:
    """Parameter values of all earlier elements."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def number(self, name: str) -> float:
        """Return a value that must be a number, or an expression that evaluates to one."""
        return self.numbers(name)[0]

    def numbers(self, *names: str) -> list[float]:
        """Return values that must be numbers. Raises JobFailed with every missing name."""
        self.require(*names)
        return [self._number(name) for name in names]

    def positive(self, *names: str) -> list[float]:
        """Return numbers that must be greater than zero."""
        numbers = self.numbers(*names)
        if wrong := [f"{name} is {value:g}" for name, value in zip(names, numbers, strict=True) if value <= 0]:
            raise model_error(f"These must be greater than zero: {', '.join(wrong)}.")
        return numbers

    def require(self, *names: str) -> None:
        if missing := [name for name in names if name not in self]:
            raise lacking(missing)

    def decoded(self) -> dict[str, Any]:
        """Return all values in PyBaMM's form."""
        made = {}
        for name, value in self._values.items():
            try:
                made[name] = decode(value)
            except ValueError as error:
                raise model_error(f"{name} cannot be read: {error}") from error
        return made

    def _number(self, name: str) -> float:
        value = self._values[name]
        if isinstance(value, dict):
            try:
                found = pybamm.ParameterValues(self.decoded()).evaluate(decode(value))
                return float(np.asarray(found).item())
            except Exception as error:
                raise model_error(f"{name} must be a number here, but cannot be evaluated to one: {error}") from error
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise model_error(f"{name} must be a number here, not {value!r:.80}.")
        return float(value)


def model_error(message: str) -> JobFailed:
    return JobFailed(JobErrorCode.MODEL_ERROR, message)


def explain_missing(failure: JobFailed, values: Mapping[str, Any]) -> JobFailed:
    """Extend a failure for missing parameters by similar names among `values`, and by values that are text."""
    missing = (failure.detail or {}).get("missing", [])[:MAX_SUGGESTIONS]
    found = []
    for name in missing:
        value = values.get(name)
        if isinstance(value, str):
            found.append(f"{name} is the text {shown(value)}, not a number.")
        elif name not in values and (close := suggestion(name, values)):
            found.append(f"{name} does not exist{close}.")
    new = [each for each in found if each not in failure.message]
    return JobFailed(failure.code, " ".join([failure.message, *new]), failure.detail) if new else failure


def lacking(names: list[str], note: str = "") -> JobFailed:
    """Return the failure for missing parameters."""
    message = f"Missing parameters: {', '.join(names)}.{note}"
    return JobFailed(JobErrorCode.MODEL_ERROR, message, {"missing": names})
