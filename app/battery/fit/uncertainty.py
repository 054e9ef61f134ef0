"""Uncertainty of a fit's parameters, from the derivatives of the errors at the optimum.

With errors of variance s_j^2 in term j, their Jacobian J_j and the weight a_j that the cost gives their squares, the
estimate has the covariance B^-1 M B^-1, where B = sum a_j J_j'J_j and M = sum a_j^2 s_j^2 J_j'J_j (White 1980,
doi:10.2307/1912934). That also holds if a variable is noisier or quieter than the cost assumes. Priors add their
precision to both.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import norm, t

from app.battery.costs import Array
from app.battery.fit.misfit import ADDED, Misfit
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.problem import FitModel, Point

SMALL = 1e-5
"""Step over which normalised values are taken to be linear, as a share of a parameter's size."""
LEVEL = 0.95
NEAR, BESIDE = 1e-6, 1e-2
"""Maximum distance from a bound of a parameter that is at it: the smaller of a share of the range and a share of the
parameter's size."""
SINGULAR = 1e-9
"""Information of a direction, relative to the strongest, below which the data do not determine it."""
ALONG = 1e-4
"""Maximum squared share along undetermined directions of a parameter that counts as determined."""
SILENT = {
    "Max": "the largest error alone does not determine the noise",
    "MAE": "the spread of least absolute errors does not follow from slopes",
}
"""Costs without an uncertainty."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Standard errors and confidence intervals by parameter, in physical units, and their correlation matrix in order.
    `absent` gives the reason for each other parameter."""

    errors: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    correlation: Array | None = None
    absent: dict[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return the fields of a result."""
        matrix = None if self.correlation is None else self.correlation.tolist()
        return {
            "standard_errors": dict(self.errors),
            "confidence_level": LEVEL,
            "confidence_intervals": {n: {"lower": low, "upper": high} for n, (low, high) in self.intervals.items()},
            "correlation": {"parameters": list(self.errors), "matrix": matrix},
            "uncertainty_absent": self.absent,
        }


def sides(coordinates: Coordinates, place: Array) -> Array:
    """Return the bound that each search coordinate is at, (d,): -1 the lower, 1 the upper, 0 none."""
    low, high = coordinates.low, coordinates.high
    size = coordinates.sizes(place)
    near = np.minimum(NEAR * np.where(np.isfinite(high - low), high - low, size), BESIDE * size)
    found: Array = np.where(place - low <= near, -1, np.where(high - place <= near, 1, 0))
    return found


def at_bounds(coordinates: Coordinates, place: Array) -> dict[str, str]:
    """Return the parameters that ended at a bound, with the bound."""
    found = {}
    for name, side in zip(coordinates.names, sides(coordinates, place).tolist(), strict=True):
        if side:
            is_upper = (side > 0) != coordinates.free[name].transform.falls
            found[name] = "upper" if is_upper else "lower"
    return found


@dataclass(frozen=True, slots=True)
class Estimate:
    """Normal approximation of the likelihood at a point, in search coordinates of the m parameters `inner`.

    `information` is the curvature of minus the log likelihood. `inverse` is its pseudo-inverse, without the directions
    that the data do not determine; those are the columns of `silent`, (m, s).
    """

    inner: list[int]
    information: Array
    inverse: Array
    covariance: Array
    silent: Array
    freedom: float

    @property
    def spread(self) -> Array:
        """Standard errors, (m,)."""
        spread: Array = np.sqrt(np.diag(self.covariance))
        return spread


def estimate(
    misfit: Misfit, coordinates: Coordinates, best: Point, slopes: Mapping[int, list[Array]]
) -> Estimate | None:
    """Compute the approximation from slopes of the errors of each term by coordinate; None if the noise cannot be
    estimated from them."""
    inner = list(slopes)
    if misfit.cost.kind in SILENT or misfit.size <= len(inner) or not inner:
        return None
    jacobians = [np.stack([slopes[index][k] for index in inner], axis=1) for k in range(len(misfit.terms))]
    prior = np.diag(misfit.precision(coordinates, best.place)[inner])
    if misfit.cost.kind in ADDED:
        return _told(misfit, coordinates, best, jacobians, prior, inner)
    return _estimated(misfit, best.errors or [], jacobians, prior, inner)


def uncertainty(
    model: FitModel, best: Point, slopes: Mapping[int, list[Array]], drowned: Collection[int] = ()
) -> Uncertainty:
    """Compute the uncertainty at the best point from central slopes of the errors. Slopes along the coordinates
    `drowned` are below the noise."""
    coordinates, misfit = model.coordinates, model.misfit
    names = coordinates.names
    if misfit.cost.kind in SILENT:
        return Uncertainty(absent=dict.fromkeys(names, SILENT[misfit.cost.kind]))
    absent = {name: f"it ended at its {side} bound" for name, side in at_bounds(coordinates, best.place).items()}
    inner = [index for index, name in enumerate(names) if name not in absent]
    absent |= {names[i]: "the model has no solution next to the optimum" for i in inner if i not in slopes}
    absent |= {names[i]: "the noise of the model's output hides its slope" for i in inner if i in drowned}
    inner = [index for index in inner if index in slopes and index not in drowned]
    found = estimate(misfit, coordinates, best, {index: slopes[index] for index in inner})
    if found is None:
        return Uncertainty(absent=absent | {names[i]: "the data are not more than the parameters" for i in inner})
    return _physical(model, best, found, absent)


def _told(
    misfit: Misfit, coordinates: Coordinates, best: Point, jacobians: list[Array], prior: Array, inner: list[int]
) -> Estimate:
    """Approximate with a known noise of each term. If the noise is a parameter, its information is 2 n / s^2."""
    information = sum(jacobian.T @ jacobian for jacobian in jacobians) + prior
    slopes = coordinates.slopes(best.values)
    for row, index in enumerate(inner):
        name = coordinates.names[index]
        size = sum(term.data.size for term in misfit.terms if term.noise == name)
        if size:  # the errors in units of the noise depend on it: the expected information is 2 n / s^2
            information[row, :] = information[:, row] = prior[row, :]
            information[row, row] += 2 * size * (slopes[index] / best.values[name]) ** 2
    inverse, silent = invert(information)
    return Estimate(inner, information, inverse, inverse, silent, math.inf)


def _estimated(misfit: Misfit, errors: list[Array], jacobians: list[Array], prior: Array, inner: list[int]) -> Estimate:
    """Approximate with the noise of each term estimated from its errors."""
    sizes = np.array([each.size for each in errors], float)
    squares = np.array([float(each @ each) for each in errors])
    weights = _weights(misfit, sizes, squares)
    crosses = np.array([jacobian.T @ jacobian for jacobian in jacobians])
    information = np.einsum("k,kij->ij", weights, crosses)
    rough, silent = invert(information)
    used = np.einsum("k,ij,kji->k", weights, rough, crosses)
    freedom = float(sizes.sum() - used.sum())
    scale = float(weights @ squares) / freedom
    if scale == 0:
        return Estimate(inner, information, rough, np.zeros_like(rough), silent, freedom)
    noise = squares / np.maximum(sizes - used, 1.0)
    bread, silent = invert(information / scale + prior)
    meat = np.einsum("k,kij->ij", weights**2 * noise / scale**2, crosses) + prior
    return Estimate(inner, information / scale + prior, bread, bread @ meat @ bread, silent, freedom)


def _weights(misfit: Misfit, sizes: Array, squares: Array) -> Array:
    """Return the weight of each term's squares in the cost at the optimum, up to a common factor."""
    weights: Array = np.array([term.weight for term in misfit.terms])
    if misfit.cost.kind == "MSE":
        weights = weights / sizes
    elif misfit.cost.kind == "RMSE":
        weights = weights / np.sqrt(sizes * np.maximum(squares, np.finfo(float).tiny))
    return weights


def invert(matrix: Array) -> tuple[Array, Array]:
    """Return the pseudo-inverse of an information matrix, (m, m), and its undetermined directions, (m, s).

    The parameters are scaled to equal size first.
    """
    if not np.isfinite(matrix).all():
        return np.zeros_like(matrix), np.eye(len(matrix))
    size = _sizes(matrix)
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    told = values > SINGULAR * max(values[-1], 0.0)
    kept = vectors[:, told]
    return (kept / values[told]) @ kept.T / np.outer(size, size), vectors[:, ~told] / size[:, None]


def _sizes(matrix: Array) -> Array:
    """Return the square root of each parameter's own information, (m,); 1 if it is 0."""
    sizes: Array = np.sqrt(np.maximum(np.nan_to_num(np.diag(matrix)), 0.0))
    sizes[sizes == 0] = 1.0
    return sizes


def _physical(model: FitModel, best: Point, found: Estimate, absent: dict[str, str]) -> Uncertainty:
    """Convert the approximation to standard errors of normalised values, such as fractions divided by their sum."""
    coordinates = model.coordinates
    slopes = _reported_slopes(model, best)[:, found.inner][found.inner]
    moved = slopes @ found.silent
    size = _sizes(found.information)
    known = (moved**2).sum(axis=1) < ALONG * ((slopes / size) ** 2).sum(axis=1)
    names = [coordinates.names[index] for index in found.inner]
    merged = [name for name, tells in zip(names, known, strict=True) if not tells]
    absent = absent | dict.fromkeys(merged, "the data do not distinguish it from others")
    covariance = (slopes @ found.covariance @ slopes.T)[np.ix_(known, known)]
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    kept = [index for index, tells in zip(found.inner, known, strict=True) if tells]
    errors = {coordinates.names[index]: each for index, each in zip(kept, spread.tolist(), strict=True)}
    correlation = None
    if (spread > 0).all():
        correlation = np.clip(covariance / np.outer(spread, spread), -1.0, 1.0)
    return Uncertainty(errors, _intervals(model, best, errors, found.freedom), correlation, absent)


def _reported_slopes(model: FitModel, best: Point) -> Array:
    """Return the derivative of each normalised value by each search coordinate, (d, d)."""
    coordinates = model.coordinates
    steps = SMALL * coordinates.lengths(best.values)
    columns = []
    for index, step in enumerate(steps.tolist()):
        name, place = coordinates.names[index], float(best.place[index])
        ends = [
            model.normalised(best.values | {name: coordinates.physical(index, place + side * step)}) for side in (1, -1)
        ]
        columns.append([(ends[0][each] - ends[1][each]) / (2 * step) for each in coordinates.names])
    slopes: Array = np.array(columns).T
    return slopes


def _intervals(
    model: FitModel, best: Point, errors: Mapping[str, float], freedom: float
) -> dict[str, tuple[float, float]]:
    """Return confidence intervals, symmetric in search coordinates."""
    coordinates, values = model.coordinates, model.normalised(best.values)
    reach = float(norm.ppf((1 + LEVEL) / 2) if math.isinf(freedom) else t.ppf((1 + LEVEL) / 2, freedom))
    slopes, places = coordinates.slopes(values), coordinates.unbounded(values)
    intervals = {}
    for name, error in errors.items():
        index = coordinates.names.index(name)
        width = reach * error / abs(float(slopes[index]))
        ends = sorted(coordinates.physical(index, float(places[index]) + side * width) for side in (-1, 1))
        if all(map(math.isfinite, ends)):
            intervals[name] = (ends[0], ends[1])
    return intervals
