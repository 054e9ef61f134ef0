"""Family of fits on generated data, each with a reference of its own: bare PyBaMM at tight tolerances, and SciPy.

A problem is a model, data that it made with noise, and the parameters that are fitted. The reference solves it from
several starts with a least-squares method of SciPy, by integrations that stop at every sample, and tells the least
cost, the estimates and their standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pybamm
from scipy import optimize

from tests.battery.work import parameter_set

Array = np.ndarray
TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
NEGATIVE, POSITIVE = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
HEAT = "Total heat transfer coefficient [W.m-2.K-1]"
TEMPERATURE = "Volume-averaged cell temperature [C]"
CONTACT, LAYER = "Contact resistance [Ohm]", "Negative electrode double-layer capacity [F.m-2]"
RTOL, ATOL = 1e-8, 1e-10
Formula = Callable[[Mapping[str, float]], dict[str, Array]]
"""Outputs by variable, for values of the free parameters."""


@dataclass(frozen=True)
class Start:
    """Where a fit of one parameter begins, and its bounds."""

    truth: float
    good: float
    bad: float
    low: float
    high: float


@dataclass
class Problem:
    """Data with noise, and what made them. `noise` is the standard deviation of each variable."""

    name: str
    objective: dict[str, Any]
    columns: dict[str, Array]
    formula: Formula
    starts: dict[str, Start]
    noise: dict[str, float]
    values: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    repeat: int = 0
    """Every so many rows one stands twice, as cyclers write it."""

    @cached_property
    def data(self) -> dict[str, Array]:
        rng = np.random.default_rng(self.seed)
        truth = self.formula({name: each.truth for name, each in self.starts.items()})
        return {name: y + self.noise[name] * rng.standard_normal(y.size) for name, y in truth.items()}

    def residuals(self, values: Mapping[str, float]) -> Array:
        """Errors in units of the means of the data, as the cost of a fit takes them, (n,)."""
        found = self.formula(values)
        together: Array = np.concatenate([(found[name] - y) / abs(y.mean()) for name, y in self.data.items()])
        return together

    def cost(self, values: Mapping[str, float]) -> float:
        """The cost that the reference gives values."""
        residuals = self.residuals(values)
        return float(residuals @ residuals)

    def reported(self, values: dict[str, float]) -> dict[str, float]:
        """Fractions of sites divided by their sum."""
        total = sum(value for name, value in values.items() if "occupancy fraction" in name)
        return {name: value / total if "occupancy fraction" in name else value for name, value in values.items()}

    def elements(self, optimizer: dict[str, Any], start: str, bounded: bool, **fields: Any) -> dict[str, Any]:
        """The pipeline: known values, and the fit."""
        parameters = {
            name: {"initial_value": getattr(each, start)} | ({"bounds": [each.low, each.high]} if bounded else {})
            for name, each in self.starts.items()
        }
        rows = np.arange(next(iter(self.data.values())).size)
        if self.repeat:
            rows = np.sort(np.concatenate([rows, rows[:: self.repeat]]))
        columns = {name: y[rows].tolist() for name, y in (self.columns | self.data).items()}
        objective = self.objective | {"data": {"data": columns, "options": {"remove_duplicates": bool(self.repeat)}}}
        fit = {"element_type": "data_fit", "objectives": {"one": objective}, "parameters": parameters}
        return {
            "known": {"element_type": "entry", "values": self.values},
            "fit": fit | {"optimizer": optimizer} | fields,
        }

    @cached_property
    def reference(self) -> Reference:
        return solve(self)


@dataclass(frozen=True)
class Reference:
    """The least cost, and by parameter the estimate and its standard error."""

    cost: float
    values: dict[str, float]
    errors: dict[str, float]


def solve(problem: Problem) -> Reference:
    """The best of several starts, in units of the truths."""
    names = list(problem.starts)
    truth = np.array([each.truth for each in problem.starts.values()])
    low, high = (np.array([getattr(each, end) for each in problem.starts.values()]) / truth for end in ("low", "high"))

    def residuals(point: Array) -> Array:
        return problem.residuals(dict(zip(names, (point * truth).tolist(), strict=True)))

    found = []
    for start in ("truth", "good", "bad"):
        begin = np.array([getattr(each, start) for each in problem.starts.values()]) / truth
        try:
            found.append(
                optimize.least_squares(
                    residuals,
                    np.clip(begin, low + 1e-9, high - 1e-9),
                    jac="3-point",
                    diff_step=1e-3,
                    x_scale="jac",
                    bounds=(low, high),
                    ftol=1e-12,
                    xtol=1e-10,
                    gtol=1e-12,
                    max_nfev=60,
                )
            )
        except pybamm.SolverError:
            continue
    best = min(found, key=lambda each: float(each.cost))
    change = _reported_slopes(problem, names, best.x * truth) * truth
    errors = np.sqrt(np.diag(change @ _covariance(problem, best.jac, best.fun) @ change.T))
    return Reference(
        2 * float(best.cost),
        problem.reported(dict(zip(names, (best.x * truth).tolist(), strict=True))),
        dict(zip(names, errors.tolist(), strict=True)),
    )


def _reported_slopes(problem: Problem, names: list[str], point: Array) -> Array:
    """Change of the values as reported with those of the search, (d, d)."""
    columns = []
    for index in range(point.size):
        ends = []
        for side in (1, -1):
            moved = point.copy()
            moved[index] *= 1 + side * 1e-5
            ends.append(list(problem.reported(dict(zip(names, moved.tolist(), strict=True))).values()))
        columns.append((np.array(ends[0]) - ends[1]) / (2e-5 * point[index]))
    slopes: Array = np.array(columns).T
    return slopes


def _covariance(problem: Problem, jacobian: Array, residuals: Array) -> Array:
    """Each variable has the noise that its own errors show (White 1980)."""
    ends = np.cumsum([y.size for y in problem.data.values()])[:-1]
    bread = np.linalg.pinv(jacobian.T @ jacobian)
    meat = sum(
        part.T @ part * float(errors @ errors) / (errors.size - np.trace(bread @ part.T @ part))
        for part, errors in zip(np.split(jacobian, ends), np.split(residuals, ends), strict=True)
    )
    covariance: Array = bread @ meat @ bread
    return covariance


def simulated(
    model: pybamm.BaseModel,
    values: pybamm.ParameterValues,
    times: Array,
    current: Array,
    variables: list[str],
    points: dict[str, int] | None = None,
) -> Callable[[list[str]], Formula]:
    """The model as PyBaMM solves it: it stops at every sample, unless the current is constant."""
    known = values.copy()
    constant = bool(np.all(current == current[0]))
    stops, first = np.unique(times, return_index=True)
    known["Current function [A]"] = (
        float(current[0]) if constant else pybamm.Interpolant(stops, current[first], pybamm.t)
    )
    model.events = []

    def of(names: list[str]) -> Formula:
        known.update(dict.fromkeys(names, "[input]"), check_already_exists=False)
        solver = pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL, output_variables=variables)
        simulation = pybamm.Simulation(
            model, parameter_values=known, solver=solver, var_pts=(model.default_var_pts | points) if points else None
        )

        def formula(given: Mapping[str, float]) -> dict[str, Array]:
            solution = simulation.solve(
                stops[[0, -1]] if constant else stops,
                t_interp=stops,
                inputs={name: float(given[name]) for name in names},
            )
            return {name: np.interp(times, stops, solution[name].data) for name in variables}

        return formula

    return of


def driven(
    name: str,
    model: pybamm.BaseModel,
    spec: Any,
    profile: tuple[Array, Array],
    starts: dict[str, Start],
    noise: dict[str, float],
    known: str = "Chen2020",
    changes: dict[str, Any] | None = None,
    points: dict[str, int] | None = None,
) -> Problem:
    """A current-driven problem."""
    times, current = profile
    values = pybamm.ParameterValues(known)
    values.update(changes or {}, check_already_exists=False)
    formula = simulated(model, values, times, current, list(noise), points)(list(starts))
    options: dict[str, Any] = {"model": spec, "objective variables": list(noise)}
    if points:
        options["simulation_kwargs"] = {"var_pts": points}
    return Problem(
        name,
        {"type": "CurrentDriven", "options": options},
        {TIME: times, CURRENT: current},
        formula,
        starts,
        noise,
        {key: value for key, value in (parameter_set(known) | (changes or {})).items() if key not in starts},
    )


def constant(current: float, step: float, end: float) -> tuple[Array, Array]:
    times = np.arange(0, end + step / 2, step)
    return times, np.full(times.size, current)


def stepped(blocks: list[tuple[float, float]], step: float, jump: float) -> tuple[Array, Array]:
    """Blocks of (current, seconds), a sample `jump` seconds after each begins."""
    times, currents = [0.0], [blocks[0][0]]
    for index, (current, length) in enumerate(blocks):
        start = sum(each[1] for each in blocks[:index])
        first = [start + jump] if index else []
        rows = [*first, *np.arange(start + step, start + length + step / 2, step).tolist()]
        times += rows
        currents += [current] * len(rows)
    return np.array(times), np.array(currents)


def smooth(step: float, end: float) -> tuple[Array, Array]:
    times = np.arange(0, end + step / 2, step)
    return times, 2.5 + 2.0 * np.sin(2 * np.pi * times / 400)


def msmr() -> Problem:
    """Two sites of a positive electrode against its capacity."""
    site = "Positive electrode host site "
    total, lower = "Positive electrode capacity [A.h]", "Positive electrode lower excess capacity [A.h]"
    voltages = np.linspace(3.5, 4.3, 161)
    thermal = pybamm.constants.R.value * 298.15 / 96485.33212
    starts = {total: Start(5.0, 4.6, 4.1, 4, 6)}
    for index, (potential, share, ideality) in enumerate([(3.73, 0.45, 1.4), (4.03, 0.55, 2.0)]):
        starts |= {
            f"{site}standard potential ({index}) [V]": Start(
                potential, potential + 0.02, potential - 0.08, potential - 0.1, potential + 0.1
            ),
            f"{site}occupancy fraction ({index})": Start(share, 0.5, 0.25, 0.05, 0.95),
            f"{site}ideality factor ({index})": Start(ideality, 1.2, 4.0, 0.3, 5),
        }

    def formula(given: Mapping[str, float]) -> dict[str, Array]:
        shares = [given[f"{site}occupancy fraction ({j})"] for j in range(2)]
        filled = sum(
            share
            / sum(shares)
            / (
                1
                + np.exp(
                    (voltages - given[f"{site}standard potential ({j}) [V]"])
                    / (given[f"{site}ideality factor ({j})"] * thermal)
                )
            )
            for j, share in enumerate(shares)
        )
        return {"Capacity [A.h]": given[total] * np.asarray(filled)}

    spec = {"type": "MSMRHalfCellModel", "electrode": "positive", "options": {"species format": "Xj"}}
    options = {"model": spec, "objective variables": ["Capacity [A.h]"]}
    return Problem(
        "MSMR",
        {"type": "MSMRHalfCell", "options": options},
        {VOLTAGE: voltages},
        formula,
        starts,
        {"Capacity [A.h]": 0.004},
        {"Ambient temperature [K]": 298.15, lower: 0.0},
    )


def impedance() -> Problem:
    """A contact resistance and a double layer from a spectrum."""
    frequencies = np.logspace(-1, 3, 21)
    starts = {CONTACT: Start(0.01, 0.015, 0.08, 1e-4, 0.2), LAYER: Start(0.3, 0.2, 3.0, 0.01, 10.0)}
    values = pybamm.ParameterValues("Chen2020")
    values.update(dict.fromkeys(starts, "[input]"), check_already_exists=False)
    options = {"surface form": "differential", "contact resistance": "true"}
    simulation = pybamm.EISSimulation(pybamm.lithium_ion.SPM(options), parameter_values=values)

    def formula(given: Mapping[str, float]) -> dict[str, Array]:
        found = simulation.solve(frequencies, inputs=dict(given)).impedance
        return {"Z_Re [Ohm]": found.real, "Z_Im [Ohm]": found.imag}

    return Problem(
        "EIS",
        {"type": "EIS", "options": {"model": {"type": "SPM", "options": options}}},
        {"Frequency [Hz]": frequencies},
        formula,
        starts,
        {"Z_Re [Ohm]": 2e-4, "Z_Im [Ohm]": 2e-4},
        {key: value for key, value in parameter_set("Chen2020").items() if key not in starts},
    )


def thevenin() -> Problem:
    """Pulses of a circuit, sampled at 10 Hz, with rows that stand twice."""
    starts = {
        "R0 [Ohm]": Start(9e-3, 5e-3, 6e-2, 0, 0.1),
        "R1 [Ohm]": Start(4e-3, 5e-3, 5e-2, 0, 0.1),
        "C1 [F]": Start(2000, 1000, 300, 100, 10_000),
    }
    model = pybamm.equivalent_circuit.Thevenin()
    changes: dict[str, Any] = {
        "Element-1 initial overpotential [V]": 0.0,
        "Entropic change [V/K]": 0.0,
        "Initial SoC": 0.6,
    }
    changes |= {"Cell capacity [A.h]": 3.0, "Nominal cell capacity [A.h]": 3.0}
    profile = stepped([(0.0, 2.0), (6.0, 8.0), (0.0, 10.0), (-3.0, 8.0), (0.0, 10.0)], 0.1, 0.01)
    spec = {"type": "Thevenin", "module": "equivalent_circuit"}
    problem = driven("Thevenin", model, spec, profile, starts, {VOLTAGE: 5e-4}, "ECM_Example", changes)
    problem.repeat = 7
    return problem


def problems() -> dict[str, Callable[[], Problem]]:
    """All problems by name; each is made when it is asked for."""
    lithium = pybamm.lithium_ion
    negative = Start(3.3e-14, 5e-14, 1e-12, 1e-16, 1e-10)
    narrow = Start(3.3e-14, 2e-14, 2e-13, 1e-15, 1e-12)
    positive = Start(4e-15, 6e-15, 3e-14, 1e-16, 1e-13)
    pulses = [(0.0, 60.0), (5.0, 300.0), (0.0, 600.0), (2.5, 300.0), (0.0, 600.0)]
    coarse = {"x_n": 5, "x_s": 4, "x_p": 5, "r_n": 6, "r_p": 6}
    half = pybamm.lithium_ion.SPM({"working electrode": "positive"})
    thermal = {"thermal": "lumped"}
    volt = {VOLTAGE: 1e-3}
    return {
        "SPM discharge": lambda: driven(
            "SPM discharge", lithium.SPM(), "SPM", constant(5.0, 30, 3000), {NEGATIVE: negative}, volt
        ),
        "SPM pulses": lambda: driven(
            "SPM pulses", lithium.SPM(), "SPM", stepped(pulses, 20, 1), {NEGATIVE: narrow, POSITIVE: positive}, volt
        ),
        "SPM smooth": lambda: driven("SPM smooth", lithium.SPM(), "SPM", smooth(2, 800), {NEGATIVE: negative}, volt),
        "SPMe slow": lambda: driven(
            "SPMe slow",
            lithium.SPMe(),
            "SPMe",
            stepped([(1.0, 6000.0), (0.0, 1200.0), (1.0, 4800.0)], 300, 10),
            {NEGATIVE: narrow},
            volt,
        ),
        "SPMe pulses": lambda: driven(
            "SPMe pulses", lithium.SPMe(), "SPMe", stepped(pulses, 10, 0.1), {POSITIVE: positive}, volt
        ),
        "SPMe thermal": lambda: driven(
            "SPMe thermal",
            lithium.SPMe(thermal),
            {"type": "SPMe", "options": thermal},
            constant(5.0, 20, 3000),
            {HEAT: Start(25.0, 20.0, 5.0, 0.1, 200.0)},
            volt | {TEMPERATURE: 0.05},
        ),
        "DFN": lambda: driven(
            "DFN",
            lithium.DFN(),
            "DFN",
            stepped([(5.0, 300.0), (0.0, 300.0)], 5, 0.1),
            {POSITIVE: positive},
            volt,
            points=coarse,
        ),
        "half cell": lambda: driven(
            "half cell",
            half,
            {"type": "SPM", "options": {"working electrode": "positive"}},
            constant(0.5e-3, 20, 1200),
            {POSITIVE: Start(1e-14, 2e-14, 1e-13, 1e-16, 1e-12)},
            volt,
            "Xu2019",
        ),
        "MSMR": msmr,
        "EIS": impedance,
        "Thevenin": thevenin,
    }
