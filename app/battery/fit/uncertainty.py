"""How well a fit knows its parameters: from the slope of the errors at the optimum.

With errors of variance s_j^2 in term j, their Jacobian J_j and the weight a_j that the cost gives their squares, the
estimate has the covariance B^-1 M B^-1, where B = sum a_j J_j'J_j and M = sum a_j^2 s_j^2 J_j'J_j (White 1980,
doi:10.2307/1912934). That holds too where a variable is noisier or quieter than the cost takes it to be. Priors add
their precision to both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import norm, t

from app.battery.costs import Array
from app.battery.fit.coordinates import Coordinates
from app.battery.fit.misfit import ADDED, Misfit
from app.battery.fit.problem import Point, Problem

STEP = 1e-3
"""Of the central differences, in search coordinates."""
LEVEL = 0.95
NEAR = 1e-6
"""How near a bound a parameter is at it, as a share of the range or of the coordinate."""
SINGULAR = 1e-9
"""The share of the strongest direction's information below which the data tell nothing of a direction."""
ALONG = 1e-4
"""How far, squared, a parameter may lie along such directions and still be known."""
SILENT = {
    "Max": "the largest error alone does not tell the noise",
    "MAE": "the spread of least absolute errors does not follow from slopes",
}
"""Costs that there is no uncertainty for."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Standard errors and confidence intervals by parameter, in physical units, and the correlation of those in order.

    `absent` says of each other parameter why it has none.
    """

    errors: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    correlation: Array | None = None
    absent: dict[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """As they are in a result."""
        matrix = None if self.correlation is None else self.correlation.tolist()
        return {
            "standard_errors": dict(self.errors),
            "confidence_level": LEVEL,
            "confidence_intervals": {n: {"lower": low, "upper": high} for n, (low, high) in self.intervals.items()},
            "correlation": {"parameters": list(self.errors), "matrix": matrix},
            "uncertainty_absent": self.absent,
        }


def at_bounds(coordinates: Coordinates, place: Array) -> dict[str, str]:
    """The parameters that ended at a bound, and at which."""
    found = {}
    for name, at, low, high in zip(coordinates.names, place, coordinates.low, coordinates.high, strict=True):
        near = NEAR * (high - low if math.isfinite(high - low) else max(1.0, abs(at)))
        falls = coordinates.free[name].transform.falls
        if at - low <= near:
            found[name] = "upper" if falls else "lower"
        elif high - at <= near:
            found[name] = "lower" if falls else "upper"
    return found


def uncertainty(problem: Problem, coordinates: Coordinates, misfit: Misfit, best: Point) -> Uncertainty:
    """At the best point. Two evaluations for each parameter that is not at a bound."""
    names = coordinates.names
    if misfit.cost.kind in SILENT:
        return Uncertainty(absent=dict.fromkeys(names, SILENT[misfit.cost.kind]))
    absent = {name: f"it ended at its {side} bound" for name, side in at_bounds(coordinates, best.place).items()}
    inner = [index for index, name in enumerate(names) if name not in absent]
    slopes = problem.slopes(best, inner, STEP)
    absent |= {names[i]: "the model has no solution next to the optimum" for i in inner if i not in slopes}
    inner = [index for index in inner if index in slopes]
    if misfit.size <= len(inner):
        return Uncertainty(absent=absent | {names[i]: "there are no more data than parameters" for i in inner})
    if not inner:
        return Uncertainty(absent=absent)
    jacobians = [np.stack([slopes[index][k] for index in inner], axis=1) for k in range(len(misfit.terms))]
    prior = np.diag(misfit.precision(coordinates, best.place)[inner])
    if misfit.cost.kind in ADDED:
        (covariance, known), freedom = _told(misfit, coordinates, best, jacobians, prior, inner), math.inf
    else:
        covariance, known, freedom = _estimated(misfit, best.errors or [], jacobians, prior)
    absent |= {names[i]: "the data do not tell it apart from others" for i in np.array(inner)[~known]}
    kept = [index for index, tells in zip(inner, known, strict=True) if tells]
    return _physical(coordinates, best, kept, covariance[np.ix_(known, known)], freedom, absent)


def _told(
    misfit: Misfit, coordinates: Coordinates, best: Point, jacobians: list[Array], prior: Array, inner: list[int]
) -> tuple[Array, Array]:
    """The covariance where the noise of each term is given, or is a parameter: 2 n / s^2 is known of that."""
    information = sum(jacobian.T @ jacobian for jacobian in jacobians) + prior
    slopes = coordinates.slopes(best.values)
    for row, index in enumerate(inner):
        name = coordinates.names[index]
        size = sum(term.data.size for term in misfit.terms if term.noise == name)
        if size:  # the errors, in units of the noise, do change with it; what is expected of that is in 2 n / s^2
            information[row, :] = information[:, row] = prior[row, :]
            information[row, row] += 2 * size * (slopes[index] / best.values[name]) ** 2
    return _inverse(information)


def _estimated(misfit: Misfit, errors: list[Array], jacobians: list[Array], prior: Array) -> tuple[Array, Array, float]:
    """The covariance where the noise of each term is taken from its errors, and the degrees of freedom left."""
    sizes = np.array([each.size for each in errors], float)
    squares = np.array([float(each @ each) for each in errors])
    weights = _weights(misfit, sizes, squares)
    crosses = np.array([jacobian.T @ jacobian for jacobian in jacobians])
    information = np.einsum("k,kij->ij", weights, crosses)
    rough, known = _inverse(information)
    used = np.einsum("k,ij,kji->k", weights, rough, crosses)
    freedom = float(sizes.sum() - used.sum())
    scale = float(weights @ squares) / freedom
    if scale == 0:
        return np.zeros_like(rough), known, freedom
    noise = squares / np.maximum(sizes - used, 1.0)
    bread, known = _inverse(information / scale + prior)
    meat = np.einsum("k,kij->ij", weights**2 * noise / scale**2, crosses) + prior
    return bread @ meat @ bread, known, freedom


def _weights(misfit: Misfit, sizes: Array, squares: Array) -> Array:
    """What the cost gives the squares of each term at the optimum, but for a common factor."""
    weights: Array = np.array([term.weight for term in misfit.terms])
    if misfit.cost.kind == "MSE":
        weights = weights / sizes
    elif misfit.cost.kind == "RMSE":
        weights = weights / np.sqrt(sizes * np.maximum(squares, np.finfo(float).tiny))
    return weights


def _inverse(matrix: Array) -> tuple[Array, Array]:
    """The inverse of information, and which parameters it tells something of, (d,).

    All are brought to one size first. A direction that the data say nothing of is left out, and with it each parameter
    that lies along it.
    """
    if not np.isfinite(matrix).all():
        return np.zeros_like(matrix), np.zeros(len(matrix), bool)
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    size[size == 0] = 1.0
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    told = values > SINGULAR * max(values[-1], 0.0)
    known = (vectors[:, ~told] ** 2).sum(axis=1) < ALONG
    kept = vectors[:, told]
    return (kept / values[told]) @ kept.T / np.outer(size, size), known


def _physical(
    coordinates: Coordinates, best: Point, inner: list[int], covariance: Array, freedom: float, absent: dict[str, str]
) -> Uncertainty:
    spread = np.sqrt(np.diag(covariance))
    slopes = coordinates.slopes(best.values)[inner]
    reach = float(norm.ppf((1 + LEVEL) / 2) if math.isinf(freedom) else t.ppf((1 + LEVEL) / 2, freedom))
    errors, intervals = {}, {}
    for index, each, slope in zip(inner, spread.tolist(), slopes.tolist(), strict=True):
        name, place = coordinates.names[index], float(best.place[index])
        errors[name] = each * abs(slope)
        ends = sorted(coordinates.physical(index, place + side * reach * each) for side in (-1, 1))
        if all(map(math.isfinite, ends)):
            intervals[name] = (ends[0], ends[1])
    correlation = None
    if (spread > 0).all():
        signed = spread * np.sign(slopes)
        correlation = np.clip(covariance / np.outer(signed, signed), -1.0, 1.0)
    return Uncertainty(errors, intervals, correlation, absent)
