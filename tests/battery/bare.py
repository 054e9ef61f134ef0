"""Fits as scripts on PyBaMM and SciPy, the baseline of the timings. Each does the same work as its element, and no
more.

As a program it prints, for each script, the times [s] that the element and the script took in turn, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pybamm
from scipy import optimize

from app.battery.expressions.symbols import decode
from app.battery.objectives.impedance import FREQUENCY, IMAGINARY, REAL
from app.execution.executor import Values
from tests.battery import test_fit_eis as eis
from tests.battery.measured import CURRENT, REFERENCE, TIME, VOLTAGE, elements
from tests.battery.work import EXECUTOR, job

Array = np.ndarray
Fit = Callable[[], dict[str, float]]
DISCHARGE = "b_current_driven_fit_validation"
HALF_CELL = "c_msmr_half_cell"
ROUNDS = 7


def inputs(pipeline: dict[str, Any], element: str) -> Values:
    """Return the values that an element found."""
    made: Values = {}
    for name, config in pipeline.items():
        if name == element:
            break
        made |= EXECUTOR.run(job(config), made, lambda progress: None).result["parameter_values"]
    return made


def element(config: dict[str, Any], values: Values) -> Fit:
    def fit() -> dict[str, float]:
        found: dict[str, float] = EXECUTOR.run(job(config), values, lambda progress: None).result["parameter_values"]
        return found

    return fit


def discharge(config: dict[str, Any], values: dict[str, Any]) -> Fit:
    """Fit one exchange-current density to a discharge."""
    columns = {name: np.array(column) for name, column in config["objectives"]["0.5 C"]["data"]["data"].items()}

    def fit() -> dict[str, float]:
        times, current = columns[TIME], float(columns[CURRENT][0])
        known = pybamm.ParameterValues(values | {"Current function [A]": current})
        known.update({REFERENCE: "[input]"}, check_already_exists=False)
        model = pybamm.lithium_ion.SPMe()
        model.events = []
        solver = pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8, output_variables=[VOLTAGE])
        simulation = pybamm.Simulation(model, parameter_values=known, solver=solver)

        def rmse(point: Array) -> float:
            inputs = {REFERENCE: float(point[0])}
            solution = simulation.solve(times[[0, -1]], t_interp=times, inputs=inputs)
            return float(np.sqrt(np.mean((solution[VOLTAGE].data - columns[VOLTAGE]) ** 2)))

        found = optimize.minimize(rmse, [1.0], method="Nelder-Mead", bounds=[(0.1, 10.0)], options={"maxiter": 20})
        return {REFERENCE: float(found.x[0])}

    return fit


def half_cell(config: dict[str, Any], values: dict[str, Any]) -> Fit:
    """Fit an MSMR electrode: six potentials, fractions and ideality factors, two capacities; with priors of the
    potentials."""
    columns = config["objectives"]["msmr"]["data"]["data"]
    voltage, capacity = (np.array(columns[name]) for name in ("Voltage [V]", "Capacity [A.h]"))
    thermal = float(pybamm.constants.R.value) * values["Ambient temperature [K]"] / 96485.33212
    names, given = list(config["parameters"]), list(config["parameters"].values())
    low, high = np.array([each["bounds"] for each in given]).T
    start = np.array([each["initial_value"] for each in given])
    logs = np.array([each.get("transform") == "Log10" for each in given])
    means = np.array([each["prior"]["mean"] for each in given[:6]])

    def into(point: Array) -> Array:
        place: Array = np.where(logs, np.log10(np.where(logs, point, 1.0)), point)
        return place

    def model(place: Array) -> tuple[Array, Array, Array]:
        point = np.where(logs, 10.0**place, place)
        potentials, shares, factors = point[0:6], point[6:12] / point[6:12].sum(), point[12:18]
        filled = (shares * (0.5 - 0.5 * np.tanh((voltage[:, None] - potentials) / (2 * factors * thermal)))).sum(axis=1)
        charge = point[18] * filled - point[19]
        return charge, np.gradient(voltage) / np.gradient(charge), potentials

    def fit() -> dict[str, float]:
        slope = np.gradient(voltage) / np.gradient(capacity)
        scales = abs(capacity.mean()), abs(slope.mean())
        size = np.abs(into(start))

        def residuals(place: Array, believing: bool) -> Array:
            charge, steepness, potentials = model(place * size)
            errors = np.concatenate([(charge - capacity) / scales[0], (steepness - slope) / scales[1]])
            weight = believing * np.sqrt(errors @ errors / errors.size)
            together: Array = np.concatenate([errors, weight * (potentials - means) / 0.01])
            return together

        place = into(start) / size
        for believing, roughly in ((False, 1e-2), (True, 1e-10)):
            place = optimize.least_squares(
                residuals,
                place,
                bounds=(into(low) / size, into(high) / size),
                args=(believing,),
                diff_step=1e-5,
                x_scale="jac",
                ftol=roughly,
                xtol=1e-10,
                gtol=1e-10,
                max_nfev=50,
            ).x
        point = np.where(logs, 10.0 ** (place * size), place * size)
        point[6:12] /= point[6:12].sum()
        return dict(zip(names, point.tolist(), strict=True))

    return fit


def spectrum(config: dict[str, Any], values: dict[str, Any]) -> Fit:
    """Fit three parameters of a full model to an impedance spectrum."""
    columns = {name: np.array(column) for name, column in eis.spectrum().items()}
    start, low, high = np.log10(list(eis.STARTS.values())).T
    size = np.where(start == 0, high - low, np.abs(start))

    def fit() -> dict[str, float]:
        known = pybamm.ParameterValues(values)
        known.update(dict.fromkeys(eis.STARTS, "[input]"), check_already_exists=False)
        model = pybamm.lithium_ion.DFN({"surface form": "differential"})
        simulation = pybamm.EISSimulation(model, parameter_values=known)
        scales = abs(columns[REAL].mean()), abs(columns[IMAGINARY].mean())

        def point(place: Array) -> dict[str, float]:
            return dict(zip(eis.STARTS, (10.0 ** (place * size)).tolist(), strict=True))

        def residuals(place: Array) -> Array:
            impedance = simulation.solve(columns[FREQUENCY], inputs=point(place)).impedance
            real, imaginary = impedance.real - columns[REAL], impedance.imag - columns[IMAGINARY]
            together: Array = np.concatenate([real / scales[0], imaginary / scales[1]])
            return together

        found = optimize.least_squares(
            residuals,
            start / size,
            bounds=(low / size, high / size),
            diff_step=1e-5,
            x_scale="jac",
            ftol=1e-10,
            xtol=1e-10,
            gtol=1e-10,
        )
        return point(found.x)

    return fit


FITS: dict[str, tuple[Callable[[], dict[str, Any]], str, Callable[[dict[str, Any], dict[str, Any]], Fit]]] = {
    "discharge": (lambda: elements(DISCHARGE), "fit", discharge),
    "half cell": (lambda: elements(HALF_CELL), "msmr", half_cell),
    "spectrum": (eis.pipeline, "fit", spectrum),
}
"""By name: the pipeline, its fit element, and the script."""


def timed(name: str) -> dict[str, Any]:
    """Return the results and the durations of an element and of a script, in turn."""
    pipeline, at, script = FITS[name]
    config, given = pipeline()[at], inputs(pipeline(), at)
    fits = {
        "element": element(config, given),
        "script": script(config, {key: decode(value) for key, value in given.items()}),
    }
    found = {who: fit() for who, fit in fits.items()}
    spent: dict[str, list[float]] = {who: [] for who in fits}
    for _ in range(ROUNDS):
        for who, fit in fits.items():
            before = perf_counter()
            fit()
            spent[who].append(perf_counter() - before)
    return {"found": found, "spent": spent}


if __name__ == "__main__":
    json.dump({name: timed(name) for name in sys.argv[1:] or FITS}, sys.stdout)
