"""Electrode state of health, by PyBaMM."""

from __future__ import annotations

from typing import Any

import pybamm

from app.battery.calculations.capacity import CAPACITY
from app.battery.calculations.geometry import electrode_area, electrodes_in_parallel
from app.battery.calculations.microstructure import ACTIVE, FARADAY, SECONDS_PER_HOUR, THICKNESS
from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import (
    AMBIENT_TEMPERATURE,
    AREA,
    CYCLABLE_LITHIUM,
    ELECTRODES,
    HEIGHT,
    IN_PARALLEL,
    INITIAL_TEMPERATURE,
    NOMINAL_CAPACITY,
    REFERENCE_TEMPERATURE,
    WIDTH,
    initial_concentration,
    maximum_concentration,
    of_electrode,
    open_circuit_voltage,
    stoichiometry_at,
)
from app.battery.functions import Inputs, Made, lacking, model_error
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode

OCP, ENTROPIC = "OCP [V]", "OCP entropic change [V.K-1]"
CELL_CAPACITY = "Cell capacity [A.h]"
NEUTRAL = {
    HEIGHT: 1.0,
    WIDTH: 1.0,
    IN_PARALLEL: 1.0,
    REFERENCE_TEMPERATURE: 298.15,
    AMBIENT_TEMPERATURE: 298.15,
    INITIAL_TEMPERATURE: 298.15,
}
"""Default values of parameters that PyBaMM's model reads although the results do not depend on them."""


def electrode_soh(settings: Settings, inputs: Inputs) -> Made:
    """The stoichiometries at 0% and 100% state of charge, the cell's capacity and its cyclable lithium [A.h].

    U_p(y) - U_n(x) meets the voltage limits, and Q_Li = x Q_n + y Q_p at both, at the reference temperature.
    Source: Mohtat et al. (2019), doi:10.1016/j.jpowsour.2019.03.104, by PyBaMM's ElectrodeSOHSolver.
    """
    known = settings["options"]["known value"]
    given = _capacities(known, inputs)
    solution = _solve(known, given, inputs)
    made: Made = {
        stoichiometry_at(electrode, percent): float(solution[f"{variable}_{percent}"])
        for electrode, variable in (("negative", "x"), ("positive", "y"))
        for percent in (0, 100)
    }
    return made | {CELL_CAPACITY: float(solution["Q"]), CYCLABLE_LITHIUM: float(solution["Q_Li"])}


def _capacities(known: str, inputs: Inputs) -> dict[str, float]:
    """Return Q_n, Q_p and the known one of Q and Q_Li [A.h]. Raises JobFailed with every missing name, including those
    that PyBaMM needs."""
    voltages = [open_circuit_voltage(percent) for percent in (0, 100)]
    needed = voltages + [of_electrode(electrode, OCP) for electrode in ELECTRODES]
    missing = [name for name in needed if name not in inputs]
    found = {f"Q_{electrode[0]}": _host_capacity(electrode, inputs, missing) for electrode in ELECTRODES}
    if known == "cell capacity":
        found["Q"] = _one(NOMINAL_CAPACITY, inputs, missing)
    elif CYCLABLE_LITHIUM in inputs:
        found["Q_Li"] = inputs.number(CYCLABLE_LITHIUM)
    else:
        shares = [_share(electrode, inputs, missing) for electrode in ELECTRODES]
        found["Q_Li"] = shares[0] * found["Q_n"] + shares[1] * found["Q_p"]
    if missing:
        raise lacking(list(dict.fromkeys(missing)))
    return found


def _one(name: str, inputs: Inputs, missing: list[str]) -> float:
    """Return a number; add its name to `missing` if there is none."""
    if name in inputs:
        return inputs.positive(name)[0]
    missing.append(name)
    return 1.0


def _host_capacity(electrode: str, inputs: Inputs, missing: list[str]) -> float:
    """Return the electrode's capacity, or c_max eps_AM L A n F / 3600."""
    if (name := of_electrode(electrode, CAPACITY)) in inputs:
        return inputs.positive(name)[0]
    product = electrodes_in_parallel(inputs) * FARADAY / SECONDS_PER_HOUR
    for quantity in (
        maximum_concentration(electrode),
        of_electrode(electrode, ACTIVE),
        of_electrode(electrode, THICKNESS),
    ):
        product *= _one(quantity, inputs, missing)
    area = electrode_area(inputs)
    return product * (_one(AREA, inputs, missing) if area is None else area)


def _share(electrode: str, inputs: Inputs, missing: list[str]) -> float:
    """Return the initial stoichiometry of the electrode."""
    name = initial_concentration(electrode)
    maximum = _one(maximum_concentration(electrode), inputs, missing)
    if name in inputs:
        return inputs.number(name) / maximum  # it may be empty
    missing.append(name)
    return 1.0


def _solve(known: str, given: dict[str, float], inputs: Inputs) -> dict[str, Any]:
    decoded = inputs.decoded()
    # The entropic change has no effect at the reference temperature, where PyBaMM solves.
    still = {of_electrode(electrode, ENTROPIC): 0.0 for electrode in ELECTRODES}
    try:
        values = pybamm.ParameterValues(NEUTRAL | decoded | still)
        solver = pybamm.lithium_ion.ElectrodeSOHSolver(values, known_value=known)
        solution: dict[str, Any] = solver.solve(given)
    except (pybamm.SolverError, ValueError) as error:  # ValueError: the message gives the reason
        message = f"The electrode state of health has no solution for these capacities and voltages: {error}"
        raise JobFailed(JobErrorCode.SOLVER_ERROR, message) from error
    except KeyError as error:  # parameters that an open-circuit potential reads
        raise model_error(f"A parameter is missing: {error.args[0]}") from error
    return solution
