"""Costs: the distance of a model from data, as one number or as residuals whose squares add up to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.battery.checks.fields import (
    MAX_SUGGESTIONS,
    Check,
    Field,
    Path,
    Settings,
    number,
    settle,
    shown,
    suggestion,
    text,
)
from app.execution.executor import Fault

Array = np.ndarray
MAX_NAMES = 1_000
"""Maximum number of objectives or variables in a cost."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A cost of the residuals of one variable, (n,). `array` is None if it is not a sum of squares."""

    scalar: Callable[[Array], float]
    array: Callable[[Array], Array] | None


MEASURES: dict[str, Measure] = {
    "SSE": Measure(lambda r: float(r @ r), lambda r: r),
    "MSE": Measure(lambda r: float(r @ r) / r.size, lambda r: r / r.size**0.5),
    "RMSE": Measure(lambda r: (float(r @ r) / r.size) ** 0.5, None),
    "MAE": Measure(lambda r: float(np.abs(r).sum()) / r.size, lambda r: np.sign(r) * np.sqrt(np.abs(r) / r.size)),
    "Max": Measure(lambda r: float(np.abs(r).max()), lambda r: np.sqrt(np.abs(r).max(keepdims=True))),
    "ChiSquare": Measure(lambda r: float(r @ r), lambda r: r),
    "GaussianLogLikelihood": Measure(lambda r: float(r @ r) / 2, lambda r: r),
}
REFUSED_COSTS: dict[str, str] = {
    "DesignFunction": "it compares with no data",
    "MultiCost": "give one cost; weights of objectives and variables combine errors of one kind",
    "Wasserstein": "distances between distributions are not supported yet",
}
"""Reasons for refusing the other costs of the public schema."""
NORMALIZATIONS: dict[str, Callable[[Array], float]] = {
    "mean": lambda data: abs(float(np.mean(data))),
    "range": lambda data: float(np.ptp(data)),
    "sum_squares": lambda data: float(data @ data),
    "mean_squares": lambda data: float(data @ data) / data.size,
    "root_mean_squares": lambda data: (float(data @ data) / data.size) ** 0.5,
    "identity": lambda data: 1.0,
}
"""Scales that residuals are divided by, as functions of the data of a variable, (n,)."""

NAN_WORDS: dict[str, Callable[[Array], float]] = {"mean": np.nanmean, "min": np.nanmin}


@dataclass(frozen=True, slots=True)
class Cost:
    """A checked cost: one of MEASURES for each variable of each objective, weighted and summed."""

    kind: str
    normalization: str | float
    nan_values: str | float
    objective_weights: Mapping[str, float] = field(default_factory=dict)
    variable_weights: Mapping[str, float] = field(default_factory=dict)
    structure: Mapping[str, list[str] | None] | None = None
    sigma: Mapping[str, float | str] = field(default_factory=dict)
    effective: Settings = field(default_factory=dict)

    def __call__(self, model: Array, data: Array, scale: float | None = None) -> float:
        """Return the unweighted cost of one variable, for statistics. Both arrays are (n,); `scale` is computed by
        default."""
        residuals = (self.filled(model) - data) / (self.scale(data) if scale is None else scale)
        return MEASURES[self.kind].scalar(residuals)

    def scale(self, data: Array) -> float:
        """Return the scale of a variable's residuals; 0 if its data do not permit this normalisation."""
        if isinstance(self.normalization, str):
            return NORMALIZATIONS[self.normalization](data)
        return self.normalization

    def filled(self, model: Array) -> Array:
        """Replace NaN in the model's output; unchanged if no value is finite."""
        missing = np.isnan(model)
        if not missing.any() or missing.all():
            return model
        value = NAN_WORDS[self.nan_values](model) if isinstance(self.nan_values, str) else self.nan_values
        whole: Array = np.where(missing, value, model)
        return whole

    def takes(self, objective: str, variable: str) -> bool:
        """Return whether the cost includes a variable of an objective."""
        if self.structure is None:
            return True
        named = self.structure.get(objective, [])
        return named is None or variable in named

    def weight(self, objective: str, variable: str) -> float:
        return self.objective_weights.get(objective, 1.0) * self.variable_weights.get(variable, 1.0)


def parse_cost(config: Any, path: Path, normalization: str = "mean") -> tuple[Cost | None, list[Fault]]:
    """Check the configuration of a cost: an object, or a bare name. Return the cost, or every problem. `normalization`
    is the default; statistics use `identity` to keep the unit of the data."""
    given = {"type": config} if isinstance(config, str) else config
    if not isinstance(given, dict):
        return None, [Fault(f"A cost must be an object with a `type`, not {shown(config)}.", path)]
    kind, at = given.get("type"), path if isinstance(config, str) else (*path, "type")
    if not isinstance(kind, str) or kind not in FIELDS:
        if isinstance(kind, str) and kind in REFUSED_COSTS:
            return None, [Fault(f"{kind} is not supported: {REFUSED_COSTS[kind]}.", at)]
        return None, [
            Fault(f"Unknown cost {shown(kind)}{suggestion(kind, FIELDS)}; known are {', '.join(FIELDS)}.", at)
        ]
    settings, faults = settle(FIELDS[kind], {k: v for k, v in given.items() if k != "type"}, path)
    if settings.get("calculation_structure") is not None and settings.get("objective_names") is not None:
        message = "`objective_names` is the older form of `calculation_structure`. Keep the latter."
        faults.append(Fault(message, (*path, "objective_names")))
    return (None, faults) if faults else (_cost(kind, settings, normalization), [])


def _cost(kind: str, settings: Settings, normalization: str) -> Cost:
    if "normalization" in settings and settings["normalization"] is None:
        settings["normalization"] = normalization
    names = settings.get("objective_names")
    return Cost(
        kind=kind,
        normalization=settings.get("normalization", "identity"),
        nan_values=settings["nan_values"],
        objective_weights=settings.get("objective_weights") or {},
        variable_weights=settings.get("variable_weights") or {},
        structure=settings["calculation_structure"] if names is None else dict.fromkeys(names),
        sigma=settings.get("sigma") or settings.get("variable_standard_deviations") or {},
        effective={"type": kind} | {name: value for name, value in settings.items() if value is not None},
    )


def scope_faults(cost: Cost, data: Mapping[str, Mapping[str, Array]], path: Path) -> list[Fault]:
    """Return the problems of a cost with its objectives; `data` by objective and variable, each (n,)."""
    variables = {variable for each in data.values() for variable in each}
    faults = [
        *_unknown(cost.objective_weights, data, "objective", (*path, "objective_weights")),
        *_unknown(cost.variable_weights, variables, "variable", (*path, "variable_weights")),
        *_unknown(cost.structure or {}, data, "objective", (*path, _structure_name(cost))),
        *_unknown(cost.sigma, variables, "variable", (*path, _sigma_name(cost))),
    ]
    for objective, names in (cost.structure or {}).items():
        at = (*path, _structure_name(cost), objective)
        faults += _unknown(names or (), data.get(objective, names or ()), "variable", at)
    counted = [(o, v) for o in data for v in data[o] if cost.takes(o, v) and cost.weight(o, v) > 0]
    if data and not counted and not faults:
        faults.append(Fault("The cost leaves nothing to compare.", path))
    if cost.kind in NOISY:
        lacking = sorted({variable for _, variable in counted} - set(cost.sigma))
        faults += [Fault(f"`{_sigma_name(cost)}` lacks {v}.", (*path, _sigma_name(cost))) for v in lacking]
    elif not faults:
        faults += _scale_faults(cost, data, counted, path)
    return faults


NOISY = {"ChiSquare": "variable_standard_deviations", "GaussianLogLikelihood": "sigma"}
"""Costs with a configured noise of each variable, and the field that holds it."""


def _sigma_name(cost: Cost) -> str:
    return NOISY.get(cost.kind, "sigma")


def _structure_name(cost: Cost) -> str:
    return "objective_names" if "objective_names" in cost.effective else "calculation_structure"


def _unknown(names: Any, known: Any, what: str, path: Path) -> list[Fault]:
    there = ", ".join(sorted(known)) or "none"
    message = "Unknown {} {}{}; known are {}."
    unknown = [each for each in names if each not in known]
    meant = [suggestion(each, known) for each in unknown[:MAX_SUGGESTIONS]] + [""] * len(unknown)
    return [
        Fault(message.format(what, shown(each), close, there), (*path, each))
        for each, close in zip(unknown, meant, strict=False)
    ]


def _scale_faults(
    cost: Cost, data: Mapping[str, Mapping[str, Array]], counted: list[tuple[str, str]], path: Path
) -> list[Fault]:
    wrong = [f"{v} of {o}" for o, v in counted if not 0 < cost.scale(data[o][v]) < np.inf]
    message = f"The `{cost.normalization}` of {', '.join(wrong)} is zero, and normalises nothing. Name another."
    return [Fault(message, (*path, "normalization"))] if wrong else []


def _word_or_number(words: Any, check: Check) -> Check:
    def either(value: Any) -> str | None:
        if isinstance(value, str):
            return None if value in words else f"takes {', '.join(words)} or a number; {shown(value)} is not supported"
        return check(value)

    return either


def _named(check: Check) -> Check:
    """Return a check of an object that applies `check` to each value."""

    def named(value: Any) -> str | None:
        if not isinstance(value, dict) or len(value) > MAX_NAMES:
            return f"must be an object of at most {MAX_NAMES} names, not {shown(value)}"
        return next((f"{problem} ({shown(name)})" for name, each in value.items() if (problem := check(each))), None)

    return named


def _names(value: Any) -> str | None:
    fits = isinstance(value, list) and len(value) <= MAX_NAMES and all(isinstance(each, str) for each in value)
    return None if fits else f"must be a list of names, not {shown(value)}"


def _noise(value: Any) -> str | None:
    return text(value) if isinstance(value, str) else number(above=0)(value)


SCOPE = {
    "calculation_structure": Field(_named(lambda value: None if value is None else _names(value)), None),
    "objective_names": Field(_names, None),
}
WEIGHTS = {name: Field(_named(number(0)), None) for name in ("objective_weights", "variable_weights")}
NAN_VALUES = _word_or_number(NAN_WORDS, number())
ERROR = {
    "normalization": Field(_word_or_number(NORMALIZATIONS, number(above=0)), None),
    "nan_values": Field(NAN_VALUES, "mean"),
    **WEIGHTS,
    **SCOPE,
}
FIELDS: dict[str, dict[str, Field]] = {
    **dict.fromkeys(("SSE", "MSE", "RMSE", "MAE", "Max"), ERROR),
    "ChiSquare": {
        "variable_standard_deviations": Field(_named(number(above=0))),
        "nan_values": Field(NAN_VALUES, "mean"),
        **SCOPE,
    },
    "GaussianLogLikelihood": {"sigma": Field(_named(_noise)), "nan_values": Field(NAN_VALUES, 1e6), **SCOPE},
}
"""Fields of each cost."""
