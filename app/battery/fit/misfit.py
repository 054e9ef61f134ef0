"""Misfit: the total cost of a fit, prepared for repeated evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.battery.costs import MEASURES, Array, Cost
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.parameters.free_parameters import FreeParameter

GAUSSIAN = "GaussianLogLikelihood"
LARGEST_EXPONENT = 500.0
"""Maximum exponent of the factor by which a prior raises a cost, against overflow."""
SMALL = 1e-6
"""Step in search coordinates over which a prior's deviation is linear."""
EXPONENTS = {"SSE": 1.0, "MSE": 1.0, "RMSE": 0.5, "MAE": 0.5, "Max": 0.5}
"""Costs of noise with an unknown scale, and half the power of the scale in each."""
ADDED = {"ChiSquare": 1.0, GAUSSIAN: 0.5}
"""Costs that are a log-likelihood, and their factor of -2 log L."""

Outputs = Mapping[str, Mapping[str, Array]]
"""Outputs of models by objective and variable, each (n,)."""


@dataclass(frozen=True, slots=True)
class Term:
    """One variable of one objective. `noise` names the parameter of its standard deviation, if any."""

    objective: str
    variable: str
    data: Array
    scale: float
    weight: float
    noise: str | None


class Misfit:
    """Misfit of models and data, and of parameters and their priors."""

    def __init__(self, cost: Cost, data: Outputs, free: Mapping[str, FreeParameter]) -> None:
        self.cost, self._measure = cost, MEASURES[cost.kind]
        self.terms = [_term(cost, o, v, data[o][v]) for o in data for v in data[o]]
        self.terms = [term for term in self.terms if cost.takes(term.objective, term.variable) and term.weight > 0]
        self.size = sum(term.data.size for term in self.terms)
        self._priors = [
            (name, each.prior.distribution.deviation, math.sqrt(each.prior.weight))
            for name, each in free.items()
            if each.prior is not None and each.prior.distribution.deviation is not None
        ]

    @property
    def weighs(self) -> bool:
        """Return whether the weight of priors depends on the residuals."""
        return bool(self._priors) and self.cost.kind in EXPONENTS

    @property
    def rows(self) -> int:
        """Number of residuals."""
        return (len(self.terms) if self.cost.kind == "Max" else self.size) + len(self._priors)

    def errors(self, outputs: Outputs, values: Mapping[str, float]) -> list[Array]:
        """Return model minus data of each term, in units of its scale."""
        return [
            (self.cost.filled(outputs[term.objective][term.variable]) - term.data) / self.scale(term, values)
            for term in self.terms
        ]

    def square(self, values: Mapping[str, float]) -> float:
        """The weighted sum of the squares of the data, in units of their scales."""
        return math.fsum(
            term.weight * float(term.data @ term.data) / self.scale(term, values) ** 2 for term in self.terms
        )

    def scale(self, term: Term, values: Mapping[str, float]) -> float:
        return term.scale if term.noise is None else values[term.noise]

    def deviations(self, values: Mapping[str, float]) -> Array:
        """Return the deviation of each parameter from its prior in standard deviations, times the square root of the
        prior's weight."""
        found: Array = np.array([root * deviation(values[name]) for name, deviation, root in self._priors])
        return found

    def precision(self, coordinates: Coordinates, place: Array) -> Array:
        """Return the precision of the priors at a point: squared slopes of the deviations in search coordinates, shape
        (d,)."""
        found = np.zeros(place.size)
        for name, deviation, root in self._priors:
            index = coordinates.names.index(name)
            ends = [coordinates.physical(index, float(place[index]) + side * SMALL) for side in (-1, 1)]
            found[index] = (root * (deviation(ends[1]) - deviation(ends[0])) / (2 * SMALL)) ** 2
        return found

    def data_cost(self, errors: list[Array], values: Mapping[str, float]) -> float:
        """Return the cost of the data, without priors."""
        scalar = self._measure.scalar
        total = math.fsum(term.weight * scalar(each) for term, each in zip(self.terms, errors, strict=True))
        if self.cost.kind != GAUSSIAN:
            return total
        scales = [(term.data.size, self.scale(term, values)) for term in self.terms]
        return total + math.fsum(size * (math.log(2 * math.pi) / 2 + math.log(scale)) for size, scale in scales)

    def value(self, errors: list[Array], values: Mapping[str, float]) -> float:
        """Return the objective function: the cost of the data, raised by priors."""
        cost = self.data_cost(errors, values)
        if not self._priors:
            return cost
        misbelief = self._misbelief(self.deviations(values))
        return cost + misbelief if self.cost.kind in ADDED else cost * math.exp(min(misbelief, LARGEST_EXPONENT))

    def residuals(self, errors: list[Array], values: Mapping[str, float], priors: bool) -> Array:
        """Return residuals whose squares add up to `value`, up to a factor and a constant; those of priors are 0 unless
        requested."""
        array: Any = self._measure.array
        found = [math.sqrt(term.weight) * array(each) for term, each in zip(self.terms, errors, strict=True)]
        if self._priors:
            found.append(self._prior_residuals(found, self.deviations(values) * priors))
        residuals: Array = np.concatenate(found)
        return residuals

    def _prior_residuals(self, found: list[Array], deviations: Array) -> Array:
        """Return the deviations in units of the residuals. If the scale of the noise is unknown, the most likely one is
        used: S exp(P) = S + S (exp(P) - 1), the latter distributed among the deviations."""
        if self.cost.kind in ADDED:
            return deviations
        square = math.fsum(float(each @ each) for each in found)
        misbelief = min(self._misbelief(deviations), LARGEST_EXPONENT)
        share = math.expm1(misbelief) / misbelief if misbelief > 0 else 1.0
        residuals: Array = deviations * math.sqrt(square * share * EXPONENTS[self.cost.kind] / self.size)
        return residuals

    def _misbelief(self, deviations: Array) -> float:
        square = float(deviations @ deviations)
        kind = self.cost.kind
        return ADDED[kind] * square if kind in ADDED else EXPONENTS[kind] * square / self.size


def _term(cost: Cost, objective: str, variable: str, data: Array) -> Term:
    weight = cost.weight(objective, variable)
    given = cost.sigma.get(variable)
    if isinstance(given, str):
        return Term(objective, variable, data, 1.0, weight, given)
    return Term(objective, variable, data, cost.scale(data) if given is None else given, weight, None)
