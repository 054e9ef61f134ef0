"""Parameterised model: built once and solved for many values of the free parameters.

Free parameters are PyBaMM's input parameters, with two exceptions: the length of a particle becomes 1 on a symbolic
mesh, which is equal to the plain mesh; for any other length the model is rebuilt in each call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pybamm

from app.battery.expressions.expression_size import require_bounded
from app.battery.functions import lacking, model_error
from app.battery.objectives.models.dependencies import equations, geometry, names_read
from app.battery.objectives.objective import Array, Simulate
from app.battery.objectives.simulation import initial_state

CURRENT = "Current function [A]"
"""Parameter set by the data."""
CANNOT_BUILD = (
    pybamm.ModelError,
    pybamm.DomainError,
    pybamm.OptionError,
    pybamm.DiscretisationError,
    pybamm.GeometryError,
    pybamm.ShapeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""Exceptions of PyBaMM for a model and values that do not fit together."""

Inputs = dict[str, float]
Solve = Callable[[Inputs], dict[str, Array]]
Build = Callable[[pybamm.ParameterValues, dict[str, Any]], Solve]
"""Creates a simulation from values, some of them inputs, on meshes by domain."""


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A model to simulate. `build` discretises it; `driven` is the placeholder of its current."""

    model: pybamm.BaseModel
    variables: Collection[str]
    driven: Any
    build: Build

    def names(self, values: Mapping[str, Any]) -> set[str]:
        """Return all parameters that can be read, including those that determine the initial state."""
        present = [name for name in initial_state.TARGETS if name in values]
        names = self._read(values) | set(initial_state.TARGETS)
        if present and initial_state.is_lithium_ion(self.model):
            names |= names_read(initial_state.state_symbols(self.model), values)
        return names

    def simulate(self, values: Mapping[str, Any], free: Collection[str]) -> Simulate:
        """Build the model; see Objective.simulate."""
        known = {name: value for name, value in values.items() if name not in free and not isinstance(value, str)}
        read = self.names({**known, **dict.fromkeys(free)})
        used = [name for name in free if name != CURRENT]  # the initial state may read more than `read` returns
        self._require(known, used)
        require_bounded(read, known)
        lengths = self._lengths(known)
        anew = {name for domain, names in lengths.items() if "particle" not in domain for name in used if name in names}
        meshes = {
            domain: pybamm.SymbolicUniform1DSubMesh
            for domain, names in lengths.items()
            if "particle" in domain and not names.isdisjoint(set(used) - anew)
        }
        rest = [name for name in used if name not in anew]
        if not anew:
            return self._ready(known, rest, meshes)
        return lambda given: self._ready(known | {name: given[name] for name in anew}, rest, meshes)(given)

    def _read(self, values: Mapping[str, Any]) -> set[str]:
        """Return the parameters that the equations and the geometry read."""
        symbols = list(equations(self.model, self.variables))
        symbols += [symbol for lengths in geometry(self.model).values() for symbol in lengths]
        return names_read(symbols, values) - {CURRENT}

    def _lengths(self, values: Mapping[str, Any]) -> dict[str, set[str]]:
        """Return the parameters in the lengths of each domain."""
        return {domain: names_read(symbols, values) for domain, symbols in geometry(self.model).items()}

    def _require(self, known: Mapping[str, Any], used: Collection[str]) -> None:
        present = {*known, *used}
        given = initial_state.target(self.model, present)
        needed = self._read(known)
        if given is not None and initial_state.is_plain(self.model):
            needed |= names_read(initial_state.state_symbols(self.model), known)
        if missing := sorted(needed - present):
            raise lacking(missing)

    def _ready(self, known: Mapping[str, Any], free: Collection[str], meshes: dict[str, Any]) -> Simulate:
        """Build the model and return the function that solves it."""
        try:
            values = pybamm.ParameterValues(dict(known) | {CURRENT: self.driven})
            values.update(dict.fromkeys(free, "[input]"), check_already_exists=False)
            find = self._initial(values, known, free)
            solve = self.build(values, meshes)
        except pybamm.SolverError:
            raise
        except CANNOT_BUILD as error:
            raise model_error(f"The model cannot be built: {_told(error)}") from error

        def simulate(given: Mapping[str, float]) -> dict[str, Array]:
            inputs = {name: float(given[name]) for name in free}
            return solve(inputs if find is None else inputs | find(inputs))

        return simulate

    def _initial(
        self, values: pybamm.ParameterValues, known: Mapping[str, Any], free: Collection[str]
    ) -> initial_state.State | None:
        """Set the initial state in `values`; if it depends on free parameters, return the function that computes it."""
        given = initial_state.target(self.model, {*known, *free})
        if given is None:
            return None
        fixed = initial_state.fixed_state(self.model, values, free, given)
        if fixed is not None:
            values.update(fixed, check_already_exists=False)
            return None
        find = initial_state.state(self.model, values.copy(), given)
        values.update(dict.fromkeys(initial_state.state_names(self.model), "[input]"), check_already_exists=False)
        return find


def _told(error: Exception) -> str:
    """Return an error's message; the text of a KeyError is its repr."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__
