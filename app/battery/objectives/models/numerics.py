"""Numerical settings: discretisation and solver of a model, overridden by those of a simulation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pybamm

from app.battery.checks.fields import Field, Path, Settings, absent, mapping, number, one_of, settle, shown, suggestion
from app.execution.executor import Fault

RTOL, ATOL = 1e-6, 1e-8
"""Default tolerances of the time integration."""
MAX_POINTS = 200
"""Maximum mesh points along one variable."""
MAX_VARIABLES = 100
"""Maximum number of spatial variables with configured mesh points."""
SPATIAL = frozenset(
    [f"{letter}_{domain}" for letter in "rR" for domain in ("n", "p")]
    + [f"{letter}_{domain}_{phase}" for letter in "rR" for domain in ("n", "p") for phase in ("prim", "sec")]
    + ["x_n", "x_s", "x_p", "y", "z"]
)
"""Spatial variables of PyBaMM's battery models."""
SOLVER = "IDAKLUSolver"


FIELDS = {
    "var_pts": Field(mapping, None),
    "solver": Field(mapping, None),
    **{name: Field(absent, None) for name in ("submesh_types", "spatial_methods", "geometry")},
}


@dataclass(frozen=True, slots=True)
class Numerics:
    """Configured mesh points by spatial variable, and the solver's tolerances."""

    points: dict[str, int] = field(default_factory=dict)
    rtol: float = RTOL
    atol: float = ATOL

    def solver(self, variables: list[str]) -> pybamm.BaseSolver:
        """Return a solver that computes these variables only."""
        options = {"silence_sundials_errors": True}  # failures raise an exception, which the caller reports
        return pybamm.IDAKLUSolver(rtol=self.rtol, atol=self.atol, output_variables=variables, options=options)

    def var_pts(self, model: pybamm.BaseModel) -> dict[Any, int]:
        """Return the model's mesh points, overridden by the configured ones; variables may be symbols of the model."""
        own = dict(model.default_var_pts)
        known = {getattr(variable, "name", variable): variable for variable in own}
        return own | {known.get(name, name): points for name, points in self.points.items()}

    def effective(self) -> Settings:
        solver = {"type": SOLVER, "rtol": self.rtol, "atol": self.atol}
        return ({"var_pts": self.points} if self.points else {}) | {"solver": solver}


def numerics(given: list[tuple[Any, Path]]) -> tuple[Numerics, list[Fault]]:
    """Check numerical settings, later ones over earlier ones. Return them and every problem."""
    points: dict[str, int] = {}
    tolerances: dict[str, float] = {}
    faults: list[Fault] = []
    for config, path in given:
        if config is None:
            continue
        if not isinstance(config, dict):
            faults.append(Fault(f"`{path[-1]}` {mapping(config)}.", path))
            continue
        settings, wrong = settle(FIELDS, config, path)
        wrong += points_faults(settings.get("var_pts") or {}, (*path, "var_pts"))
        wrong += _solver_faults(settings.get("solver"), (*path, "solver"))
        faults += wrong
        if not wrong:
            points |= settings["var_pts"] or {}
            solver = settings["solver"] or {}
            tolerances |= {name: solver[name] for name in ("rtol", "atol") if solver.get(name) is not None}
    return Numerics(points, **tolerances), faults


def points_faults(points: Mapping[str, Any], path: Path, known: Collection[str] = SPATIAL) -> list[Fault]:
    """Yield the problems of mesh points; `known` holds the existing spatial variables."""
    if len(points) > MAX_VARIABLES:
        return [Fault(f"At most {MAX_VARIABLES} numbers of mesh points are allowed.", path)]
    faults = [
        Fault(
            f"{shown(name)} is no spatial variable{suggestion(name, known)}; known are {', '.join(sorted(known))}.",
            (*path, name),
        )
        for name in points
        if name not in known
    ]
    return faults + [
        Fault(f"A number of mesh points must be an integer from 2 to {MAX_POINTS}, not {shown(value)}.", (*path, name))
        for name, value in points.items()
        if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= MAX_POINTS
    ]


def _solver_faults(config: dict[str, Any] | None, path: Path) -> list[Fault]:
    """Check a solver in PyBaMM's form: everything but its tolerances must have its default."""
    if config is None:
        return []
    known = pybamm.Serialise.serialise_solver(pybamm.IDAKLUSolver())
    tolerances = {"rtol": Field(number(1e-12, 1e-2), RTOL), "atol": Field(number(1e-14, 1e-2), ATOL)}
    fixed = {name: Field(one_of(value), value) for name, value in known.items() if name not in tolerances}
    return settle(fixed | tolerances, config, path)[1]
