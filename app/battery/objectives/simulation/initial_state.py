"""Initial state of charge of a simulation.

A model starts from the initial concentrations in the parameter values. If `Initial SOC [%]` or `Initial voltage [V]` is
given, the concentrations are computed from it, as `pybamm.set_initial_state` does: the stoichiometries at 0% and 100%
follow from the electrodes' capacities, the open-circuit voltage limits and the cyclable lithium, which the given
initial concentrations determine.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pybamm

from app.battery.expressions.parameter_names import ELECTRODES, initial_concentration
from app.battery.functions import model_error
from app.battery.objectives.models.dependencies import names_read

SOC, VOLTAGE = "Initial SOC [%]", "Initial voltage [V]"
TARGETS = (SOC, VOLTAGE)

State = Callable[[Mapping[str, float]], dict[str, float]]
"""Returns initial concentrations (voltages of an MSMR model) by parameter name, for values of the free parameters."""


def target(model: pybamm.BaseModel, present: Collection[str]) -> str | None:
    """Return the parameter that sets the initial state, if any. Raises JobFailed if it cannot."""
    found = [name for name in TARGETS if name in present]
    if len(found) > 1:
        raise model_error(f"{SOC} and {VOLTAGE} cannot both be there: the model starts from one of them.")
    if found and not is_lithium_ion(model):
        raise model_error(f"{found[0]} cannot be set for this model.")
    return found[0] if found else None


def state_symbols(model: pybamm.BaseModel) -> Iterator[Any]:
    """Yield the symbols that the initial state of a lithium-ion cell depends on, except those of its equations
    (hysteresis)."""
    param, electrodes = model.param, _electrodes(model)
    yield from (param.ocp_soc_0, param.ocp_soc_100, param.T_ref)
    if len(electrodes) == 2:
        yield param.Q_Li_particles_init
    for electrode in electrodes:
        domain = param.domain_params[electrode]
        composite = pybamm.lithium_ion.check_if_composite(model.options, electrode)
        for phase in (domain.prim, domain.sec) if composite else (domain.prim,):
            msmr = model.options["open-circuit potential"] == "MSMR"
            yield from (phase.Q_init, phase.c_max)
            yield phase.x(pybamm.Scalar(3.5), param.T_ref) if msmr else phase.U(pybamm.Scalar(0.5), param.T_ref)


def _electrodes(model: pybamm.BaseModel) -> tuple[str, ...]:
    return ELECTRODES if model.options["working electrode"] == "both" else ("positive",)


def is_lithium_ion(model: pybamm.BaseModel) -> bool:
    return isinstance(getattr(model, "param", None), pybamm.LithiumIonParameters)


def is_plain(model: pybamm.BaseModel) -> bool:
    """Return whether a model is a lithium-ion cell with two electrodes of one phase each, whose potentials are
    functions of stoichiometry."""
    if not is_lithium_ion(model):
        return False
    composite = (pybamm.lithium_ion.check_if_composite(model.options, electrode) for electrode in ELECTRODES)
    half = model.options["working electrode"] != "both"
    return not (half or any(composite) or model.options["open-circuit potential"] == "MSMR")


def state_names(model: pybamm.BaseModel) -> list[str]:
    """Return the names of the parameters that hold the initial state."""
    electrodes = _electrodes(model)
    if model.options["open-circuit potential"] == "MSMR":
        return [f"Initial voltage in {electrode} electrode [V]" for electrode in electrodes]
    names = []
    for electrode in electrodes:
        composite = pybamm.lithium_ion.check_if_composite(model.options, electrode)
        names += [
            initial_concentration(electrode, phase) for phase in (("primary", "secondary") if composite else ("",))
        ]
    return names


def fixed_state(
    model: pybamm.BaseModel, values: pybamm.ParameterValues, free: Collection[str], given: str
) -> dict[str, float] | None:
    """Return the initial state if PyBaMM computes it without the values of the free parameters; None if it depends on
    any.

    The symbols that PyBaMM evaluates differ between options and versions. The state is therefore computed without
    inputs, which fails if PyBaMM evaluates a free parameter. The known dependencies are checked first.
    """
    find = state(model, values.copy(), given)
    if not free:
        return find({})
    if not names_read([pybamm.Parameter(given), *state_symbols(model)], dict(values)).isdisjoint(free):
        return None
    wanted(given, values, {})
    try:
        with _silent_logger():
            return find({})
    except Exception:
        return None


@contextmanager
def _silent_logger() -> Iterator[None]:
    """Suppress PyBaMM's warnings about inputs without a value."""
    level = pybamm.logger.level
    pybamm.logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        pybamm.logger.setLevel(level)


def state(model: pybamm.BaseModel, values: pybamm.ParameterValues, given: str) -> State:
    """Return a function that computes the initial state from `given`, one of TARGETS. The function raises
    pybamm.SolverError if no such state exists."""
    names, plain = state_names(model), is_plain(model)
    own = pybamm.lithium_ion.ElectrodeSOHSolver(values, param=model.param, options=model.options) if plain else None

    def found(inputs: Mapping[str, float]) -> dict[str, float]:
        aim = wanted(given, values, inputs)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # a voltage outside of the limits is one
                warnings.simplefilter("ignore", DeprecationWarning)  # PyBaMM uses deprecated names of its own
                made = pybamm.lithium_ion.set_initial_state(
                    aim,
                    values,
                    inplace=False,
                    param=model.param,
                    options=model.options,
                    inputs=dict(inputs),
                    esoh_solver=own,
                )
        except (ValueError, UserWarning, ArithmeticError) as error:
            raise pybamm.SolverError(f"No initial state exists for {given} = {_number(aim):g}: {error}") from error
        return {name: float(made[name]) for name in names}

    return found


def wanted(given: str, values: pybamm.ParameterValues, inputs: Mapping[str, float]) -> float | str:
    """Return the target in PyBaMM's form: a fraction, or a text with a unit. Raises pybamm.SolverError if it is no
    percentage."""
    number = float(values.evaluate(pybamm.Parameter(given), inputs=dict(inputs)))
    if given == VOLTAGE:
        return f"{number:.17g} V"
    if not 0 <= number <= 100:
        raise pybamm.SolverError(f"{SOC} must be from 0 to 100, not {number:g}.")
    return number / 100


def _number(aim: float | str) -> float:
    """Convert a target back to the number in the configuration."""
    return float(aim.removesuffix(" V")) if isinstance(aim, str) else 100 * aim
