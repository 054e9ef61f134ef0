"""Fits of models that are formulas: quick, with known results."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pybamm

from app.battery.checked_element import ElementResult, ParsedElement
from app.battery.costs import Array
from app.battery.fit import configuration as planning
from app.battery.functions import Inputs
from app.battery.objectives.objective import Simulate
from app.execution.executor import JobFailed, Progress

Formula = Callable[[Mapping[str, float]], Mapping[str, Any]]


class FormulaObjective:
    """Objective with data and a formula of named parameters."""

    kind, axis = "Formula", "x"

    def __init__(self, formula: Formula, data: Mapping[str, Any], reads: Collection[str]) -> None:
        self._formula, self._reads = formula, set(reads)
        self.data = {name: np.asarray(values, float) for name, values in data.items()}
        self.channels: dict[str, Array] = {"x": np.arange(len(next(iter(self.data.values()))), dtype=float)}
        self.effective: dict[str, Any] = {"type": self.kind}
        self.calls = 0
        self.built = 0
        self.given: set[str] = set()

    def parameter_names(self, values: Mapping[str, Any]) -> set[str]:
        found, ahead = set(), list(self._reads)
        while ahead:
            if (name := ahead.pop()) not in found:
                found.add(name)
                if isinstance(values.get(name), pybamm.Symbol):
                    ahead += [each.name for each in values[name].pre_order() if isinstance(each, pybamm.Parameter)]
        return found

    def simulate(self, values: Mapping[str, Any], free: Collection[str]) -> Simulate:
        self.built += 1
        self.given = set(free)
        fixed = {name: value for name, value in values.items() if isinstance(value, int | float)}

        def run(inputs: Mapping[str, float]) -> dict[str, Array]:
            self.calls += 1
            found = self._formula(fixed | dict(inputs))
            return {name: np.asarray(values, float) for name, values in found.items()}

        return run

    def normalised(self, values: Mapping[str, float]) -> dict[str, float]:
        return dict(values)


def solverless(values: Mapping[str, float]) -> Mapping[str, Any]:
    raise pybamm.SolverError("no solution")


def planned(monkeypatch: Any, objectives: Mapping[str, FormulaObjective], **config: Any) -> ParsedElement:
    monkeypatch.setattr(planning, "objectives", lambda given, path: (dict(objectives), []))
    monkeypatch.setattr(planning, "schema_faults", lambda config: [])
    return planning.parse_fit({"objectives": {name: {} for name in objectives}} | config)


def product(
    monkeypatch: Any,
    objectives: Mapping[str, FormulaObjective] | FormulaObjective,
    report: Callable[[Progress], None] = lambda progress: None,
    inputs: Mapping[str, Any] | None = None,
    **config: Any,
) -> ElementResult:
    """Return the result of a fit."""
    several = objectives if isinstance(objectives, Mapping) else {"formula": objectives}
    work, faults = planned(monkeypatch, several, **config)
    assert faults == []
    assert work is not None
    return work.make(Inputs(dict(inputs or {})), report)


def fails(monkeypatch: Any, objective: FormulaObjective, **config: Any) -> JobFailed:
    try:
        product(monkeypatch, objective, **config)
    except JobFailed as failure:
        return failure
    raise AssertionError("it ran")


def round_trip(fields: Any) -> Any:
    """Convert a value as the wire does."""
    return json.loads(json.dumps(fields, allow_nan=False))


def line(size: int = 50, noise: float = 0.0, seed: int = 0, a: float = 2.0, b: float = 0.5) -> FormulaObjective:
    """y = a + b x on 0 to 1, noise added."""
    x = np.linspace(0, 1, size)
    y = a + b * x + noise * np.random.default_rng(seed).standard_normal(size)
    return FormulaObjective(lambda p: {"y": p["a"] + p["b"] * x}, {"y": y}, {"a", "b"})


def valley() -> FormulaObjective:
    """Rosenbrock's valley as residuals (Rosenbrock 1960); the optimum is at (1, 1)."""
    return FormulaObjective(
        lambda p: {"y": [10 * (p["b"] - p["a"] ** 2), 1 - p["a"], 0.0]}, {"y": [0.0, 0.0, 0.0]}, {"a", "b"}
    )
