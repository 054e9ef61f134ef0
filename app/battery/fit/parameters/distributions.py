"""Distributions of parameters: priors, and distributions of starting points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from app.battery.checks.fields import Field, Path, Settings, number, settle, shown, suggestion
from app.execution.executor import Fault

SMALLEST = 1e-12
"""Smallest probability of a quantile: a normal distribution has none at 0 and 1."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Distribution of a physical value x. `deviation` is z(x), in standard deviations: -2 log of the density is z^2
    plus a constant. None if the density is constant within `low` and `high`, and zero outside."""

    kind: str
    centre: float
    quantile: Callable[[float], float]
    deviation: Callable[[float], float] | None = None
    low: float = -math.inf
    high: float = math.inf


def _normal(mean: float, std: float) -> Distribution:
    normal = NormalDist(mean, std)
    return Distribution("Normal", mean, lambda q: normal.inv_cdf(_inside(q)), lambda x: (x - mean) / std)


def _log_normal(mean: float, std: float) -> Distribution:
    normal = NormalDist(mean, std)
    # The density is that of log x: its mode is the median, in any search coordinate.
    return Distribution(
        "LogNormal",
        math.exp(mean),
        lambda q: math.exp(normal.inv_cdf(_inside(q))),
        lambda x: (math.log(x) - mean) / std if x > 0 else math.inf,
        low=0.0,
    )


def _uniform(lb: float, ub: float) -> Distribution:
    return Distribution("Uniform", (lb + ub) / 2, lambda q: lb + q * (ub - lb), low=lb, high=ub)


def _point_mass(value: float) -> Distribution:
    return Distribution("PointMass", value, lambda q: value, low=value, high=value)


def _inside(q: float) -> float:
    return min(max(q, SMALLEST), 1 - SMALLEST)


NUMBER, POSITIVE = Field(number()), Field(number(above=0))
KNOWN: dict[str, tuple[dict[str, Field], Callable[..., Distribution]]] = {
    "LogNormal": ({"mean": Field(number(-700, 700)), "std": Field(number(high=100, above=0))}, _log_normal),
    "Normal": ({"mean": NUMBER, "std": POSITIVE}, _normal),
    "PointMass": ({"value": NUMBER}, _point_mass),
    "Uniform": ({"lb": NUMBER, "ub": NUMBER}, _uniform),
}
REFUSED_DISTRIBUTIONS: dict[str, str] = {
    "Dirichlet": "a prior is of one parameter here",
    "MultivariateLogNormal": "a prior is of one parameter here",
    "MultivariateNormal": "a prior is of one parameter here",
}
"""Reasons for refusing the other distributions of the public schema."""


def distribution(config: Any, path: Path, allowed: tuple[str, ...]) -> tuple[Distribution | None, list[Fault]]:
    """Check a distribution, one of `allowed`. Return it, or every problem."""
    if not isinstance(config, Mapping):
        return None, [Fault(f"A distribution must be an object, not {shown(config)}.", path)]
    tag = "distribution" if "distribution" in config else "type"  # the older name
    kind = config.get(tag)
    if isinstance(kind, str) and kind in REFUSED_DISTRIBUTIONS:
        return None, [Fault(f"{kind} is not supported: {REFUSED_DISTRIBUTIONS[kind]}.", (*path, tag))]
    if not isinstance(kind, str) or kind not in allowed:
        return None, [
            Fault(
                f"`{tag}` takes {', '.join(allowed)}; {shown(kind)} is not supported{suggestion(kind, allowed)}.",
                (*path, tag),
            )
        ]
    fields, make = KNOWN[kind]
    settings, faults = settle(fields, {name: value for name, value in config.items() if name != tag}, path)
    if not faults and kind == "Uniform" and settings["lb"] >= settings["ub"]:
        faults.append(Fault("`ub` must be greater than `lb`.", (*path, "ub")))
    return (None, faults) if faults else (make(**settings), [])


@dataclass(frozen=True, slots=True)
class Prior:
    """A distribution and the weight of its -2 log density."""

    distribution: Distribution
    weight: float
    effective: Settings


def prior(config: Any, path: Path) -> tuple[Prior | None, list[Fault]]:
    """Check a prior in each of the client's forms: a bare distribution, or one with a weight, nested or flat."""
    if not isinstance(config, Mapping):
        return None, [Fault(f"A prior must be an object, not {shown(config)}.", path)]
    inner, at, rest = config, path, dict(config)
    if isinstance(config.get("distribution"), Mapping):
        inner, at = rest.pop("distribution"), (*path, "distribution")
    wrapped = {name: rest.pop(name) for name in ("regularizer_weight", "name") if name in rest}
    if "distribution" in config and "type" in rest:
        wrapped["type"] = rest.pop("type")
    if inner is config:
        inner, rest = rest, {}
    settings, faults = settle(WRAPPER, wrapped | rest, path)
    made, more = distribution(inner, at, ("Normal", "LogNormal", "Uniform"))
    faults += more
    if made is None or faults:
        return None, faults
    effective = {"distribution": dict(inner), "regularizer_weight": settings["regularizer_weight"]}
    return Prior(made, settings["regularizer_weight"], effective), []


def _is_prior(value: Any) -> str | None:
    return None if value == "Prior" else f"must be 'Prior', not {shown(value)}"


def _any_name(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be the name of one parameter"


WRAPPER = {
    "regularizer_weight": Field(number(0), 1.0),
    "type": Field(_is_prior, None),
    "name": Field(_any_name, None),
}
