"""The initial state of charge of a simulation.

A model starts from the initial concentrations among the parameter values. Where `Initial SOC [%]` or
`Initial voltage [V]` is there too, these are found from it, as `pybamm.set_initial_state` does: the stoichiometries at
0% and 100% follow from the electrodes' capacities, the open-circuit voltage limits and the cyclable lithium, which is
what the initial concentrations among the values hold.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pybamm

from app.battery.names import ELECTRODES, initial_concentration
from app.battery.objectives.reads import names_read
from app.battery.recipes import model_error

SOC, VOLTAGE = "Initial SOC [%]", "Initial voltage [V]"
TARGETS = (SOC, VOLTAGE)

State = Callable[[Mapping[str, float]], dict[str, float]]
"""Initial concentrations (of an MSMR model: voltages) by parameter name, for values of the free parameters."""


def target(model: pybamm.BaseModel, present: Collection[str]) -> str | None:
    """What the initial state is found from, if it is not given. JobFailed where that cannot be."""
    found = [name for name in TARGETS if name in present]
    if len(found) > 1:
        raise model_error(f"{SOC} and {VOLTAGE} cannot both be there: the model starts from one of them.")
    if found and not isinstance(getattr(model, "param", None), pybamm.LithiumIonParameters):
        raise model_error(f"{found[0]} cannot be set for this model.")
    return found[0] if found else None


def state_symbols(model: pybamm.BaseModel) -> Iterator[Any]:
    """What the state of a cell of two plain electrodes depends on."""
    param = model.param
    yield from (param.ocp_soc_0, param.ocp_soc_100, param.Q_Li_particles_init, param.T_ref)
    for electrode in (param.n, param.p):
        phase = electrode.prim
        yield from (electrode.Q_init, phase.c_max, phase.U(pybamm.Scalar(0.5), param.T_ref))


def is_plain(model: pybamm.BaseModel) -> bool:
    """Lithium-ion: two electrodes of one phase each, whose potentials are functions of stoichiometry."""
    if not isinstance(getattr(model, "param", None), pybamm.LithiumIonParameters):
        return False
    composite = (pybamm.lithium_ion.check_if_composite(model.options, electrode) for electrode in ELECTRODES)
    half = model.options["working electrode"] != "both"
    return not (half or any(composite) or model.options["open-circuit potential"] == "MSMR")


def state_names(model: pybamm.BaseModel) -> list[str]:
    """The parameters that hold the initial state."""
    electrodes = ELECTRODES if model.options["working electrode"] == "both" else ("positive",)
    if model.options["open-circuit potential"] == "MSMR":
        return [f"Initial voltage in {electrode} electrode [V]" for electrode in electrodes]
    names = []
    for electrode in electrodes:
        composite = pybamm.lithium_ion.check_if_composite(model.options, electrode)
        names += [
            initial_concentration(electrode, phase) for phase in (("primary", "secondary") if composite else ("",))
        ]
    return names


def depends(model: pybamm.BaseModel, values: Mapping[str, Any], free: Collection[str], given: str) -> bool:
    """Whether the state changes with the free parameters. One that is not plain is taken to."""
    if not free or not is_plain(model):
        return bool(free)
    return not names_read([pybamm.Parameter(given), *state_symbols(model)], values).isdisjoint(free)


def state(model: pybamm.BaseModel, values: pybamm.ParameterValues, given: str) -> State:
    """The state that `given`, one of TARGETS, stands for. It raises pybamm.SolverError where there is none."""
    names, plain = state_names(model), is_plain(model)
    own = pybamm.lithium_ion.ElectrodeSOHSolver(values, param=model.param, options=model.options) if plain else None

    def found(inputs: Mapping[str, float]) -> dict[str, float]:
        number = float(values.evaluate(pybamm.Parameter(given), inputs=dict(inputs)))
        wanted = _wanted(given, number)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # a voltage outside of the limits is one
                made = pybamm.lithium_ion.set_initial_state(
                    wanted,
                    values,
                    inplace=False,
                    param=model.param,
                    options=model.options,
                    inputs=dict(inputs),
                    esoh_solver=own,
                )
        except (ValueError, UserWarning, ArithmeticError) as error:
            raise pybamm.SolverError(f"There is no initial state for {given} = {number:g}: {error}") from error
        return {name: float(made[name]) for name in names}

    return found


def _wanted(given: str, number: float) -> float | str:
    """As PyBaMM takes it: a fraction, or a text with a unit."""
    if given == VOLTAGE:
        return f"{number:.17g} V"
    if not 0 <= number <= 100:
        raise pybamm.SolverError(f"{SOC} must be from 0 to 100, not {number:g}.")
    return number / 100
