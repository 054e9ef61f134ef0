"""MSMRHalfCell: the capacity of an electrode against its open-circuit potential, in closed form.

Q(U) = Q sum_j X_j / (1 + exp(F (U - U0_j) / (w_j R T))) - Q_lower [A.h] with fractions X_j (species format `Xj`), or
the same with capacities Q_j for Q X_j (`Qj`). T is the ambient temperature. Source: Verbrugge et al. (2017),
doi:10.1149/2.0341708jes; Q_lower by the public schema, MSMRHalfCell.

dU/dQ of data and model are by the same differences along the data's rows. Where the voltage of the data stands still,
as it does at the resolution of a cycler, the difference of the model is 0/0: its limit is the slope in closed form,
-dQ/dU = sum_j Q X_j s_j (1 - s_j) F / (w_j R T) with the steps s_j = 1 / (1 + exp(...)).

Fractions only count relative to each other: where all are free, or none is, they are divided by their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np
import pybamm

from app.battery.calculations.microstructure import FARADAY
from app.battery.calculations.msmr import GAS_CONSTANT, SUM_TOLERANCE, site_names, stoichiometry
from app.battery.checks.fields import Settings
from app.battery.expressions.expression_size import require_bounded
from app.battery.expressions.parameter_names import AMBIENT_TEMPERATURE, of_electrode
from app.battery.functions import lacking, model_error
from app.battery.objectives.models.dependencies import names_read
from app.battery.objectives.objective import Array, Simulate

VOLTAGE, CAPACITY, DIFFERENTIAL = "Voltage [V]", "Capacity [A.h]", "Differential voltage [V/Ah]"
VARIABLES = (CAPACITY, DIFFERENTIAL)
MAX_SITES = 50
STILL = 1e-12
"""Volts from row to row up to which a voltage stands still: less than rounding makes of a curve's differences."""

Number = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True, slots=True)
class HalfCell:
    """Objective that compares an MSMR electrode with its open-circuit potential."""

    electrode: str
    fractions: bool
    """Whether sites have fractions; otherwise capacities."""
    parameters: Mapping[str, Any]
    voltages: Array
    """Voltages of all data, (m,). Model and data have the dU/dQ of the curve through them."""
    rise: Array
    """Central differences of the voltages, (m,)."""
    kept: Array
    """Indices of the compared rows, (n,)."""
    channels: dict[str, Array]
    data: dict[str, Array]
    effective: Settings
    kind: str = "MSMRHalfCell"
    axis: str = VOLTAGE
    notes: list[str] = field(default_factory=list)
    """Messages about how the data were loaded."""

    def parameter_names(self, values: Mapping[str, Any]) -> set[str]:
        names = {name for site in range(MAX_SITES) for name in self._site(site)} | set(self._plain())
        known = {**values, **self.parameters}
        return names_read(map(pybamm.Parameter, names), known) - set(self.parameters)

    def simulate(self, values: Mapping[str, Any], free: Collection[str]) -> Simulate:
        known = {**values, **self.parameters}
        own = [name for name in free if name not in self.parameters]
        present = {*known, *own}
        plain, sites = self._plain(), self._sites(present)
        names = [*plain, *(name for quantity in zip(*sites, strict=True) for name in quantity)]
        if missing := [name for name in names if name not in present]:
            raise lacking(missing)
        require_bounded(names, {name: value for name, value in known.items() if name not in own})
        numbers = [_number(name, known, own) for name in names]
        shares = [site[0] for site in sites]
        scaled = self.fractions and len({name in own for name in shares}) == 1
        if scaled and shares[0] not in own:
            _require_whole([_number(name, known, own)({}) for name in shares], self.electrode)

        def simulate(given: Mapping[str, float]) -> dict[str, Array]:
            found = np.array([number(given) for number in numbers])
            return self._answer(found[: len(plain)].tolist(), found[len(plain) :].reshape(3, -1), scaled)

        return simulate

    def normalised(self, values: Mapping[str, float]) -> dict[str, float]:
        """Divide fractions by their sum, if all are present."""
        shares = [site[0] for site in self._sites(values)]
        if not self.fractions or not all(name in values for name in shares):
            return dict(values)
        total = sum(values[name] for name in shares)
        return dict(values) | {name: values[name] / total for name in shares}

    def _answer(self, plain: list[float], sites: Array, scaled: bool) -> dict[str, Array]:
        """Compute the outputs for values of `_plain` and rows of shares, potentials and ideality factors, (3,
        sites)."""
        temperature, *total, lower = plain
        if scaled:
            sites[0] /= sites[0].sum()
        if temperature <= 0 or sites[2].min() <= 0:
            raise pybamm.SolverError("Ideality factors and the temperature must be greater than zero.")
        capacity = stoichiometry(self.voltages, sites, temperature)
        capacity = (total[0] if total else 1.0) * capacity - lower
        answer = {CAPACITY: capacity[self.kept]}
        if DIFFERENTIAL in self.data:
            slope = differential(self.rise, capacity)
            still = np.abs(self.rise) < STILL
            if still.any():
                scale = total[0] if total else 1.0
                slope[still] = -1 / (scale * steepness(self.voltages[still], sites, temperature))
            answer[DIFFERENTIAL] = slope[self.kept]
        if not all(np.isfinite(each).all() for each in answer.values()):
            raise pybamm.SolverError("The capacity, or the slope of the potential, is not finite.")
        return {name: answer[name] for name in self.data}

    def _plain(self) -> list[str]:
        """Return the names of the temperature, the capacity if sites have fractions, and the lower excess."""
        total = [of_electrode(self.electrode, "capacity [A.h]")] if self.fractions else []
        return [AMBIENT_TEMPERATURE, *total, of_electrode(self.electrode, "lower excess capacity [A.h]")]

    def _site(self, site: int) -> list[str]:
        return site_names(self.electrode, site, capacity=not self.fractions)

    def _sites(self, present: Collection[str]) -> list[list[str]]:
        """Return the names of each site, numbered from 0; at least one."""
        sites = (self._site(site) for site in range(MAX_SITES))
        return list(takewhile(lambda names: any(name in present for name in names), sites)) or [self._site(0)]


def differential(rise: Array, capacity: Array) -> Array:
    """Return dU/dQ [V/Ah] along a curve, (n,), from the central differences of U; not finite where Q is constant."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slope: Array = rise / central(capacity)
    return slope


def steepness(voltages: Array, sites: Array, temperature: float) -> Array:
    """-dx/dU [1/V] of the filled share of all sites, (n,), for rows X_j, U0_j [V] and w_j, and T [K]; never 0."""
    shares, potentials, idealities = sites
    widths = GAS_CONSTANT * temperature / FARADAY * idealities[:, None]
    steps = np.exp(-np.abs(voltages - potentials[:, None]) / widths)
    filled = (shares[:, None] * steps / (widths * (1 + steps) ** 2)).sum(axis=0)
    found: Array = np.maximum(filled, np.finfo(float).tiny)
    return found


def central(values: Array) -> Array:
    """Return half the change from the row before to the row after, (n,); at the ends the change to the neighbour. Equal
    to np.gradient, which takes four times as long and would dominate a fit of such a curve."""
    change: Array = np.empty_like(values)
    change[1:-1] = (values[2:] - values[:-2]) / 2
    change[0], change[-1] = values[1] - values[0], values[-1] - values[-2]
    return change


def _number(name: str, values: Mapping[str, Any], free: Collection[str]) -> Number:
    """Check that a parameter is free, a number, or an expression of these."""
    if name in free:
        return lambda given: given[name]
    value = values[name]
    if isinstance(value, int | float):
        return lambda given: float(value)
    known = pybamm.ParameterValues({key: each for key, each in values.items() if not isinstance(each, str)})
    known.update(dict.fromkeys(free, "[input]"), check_already_exists=False)
    try:
        symbol = known.process_symbol(pybamm.Parameter(name))
    except (KeyError, ValueError, TypeError) as error:
        raise model_error(f"{name} must be a number here, but cannot be evaluated to one: {error}") from error
    return lambda given: float(symbol.evaluate(inputs=dict(given)))


def _require_whole(shares: list[float], electrode: str) -> None:
    if abs(sum(shares) - 1) > SUM_TOLERANCE:
        raise model_error(f"The occupancy fractions of the {electrode} electrode add up to {sum(shares):g}, not 1.")
