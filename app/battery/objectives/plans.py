"""Configuration of CurrentDriven, Pulse and EIS objectives."""

from __future__ import annotations

from typing import Any

from app.battery.checks.fields import Field, Path, absent, flag, mapping, number, one_of, shown
from app.battery.checks.model_size import size_faults
from app.battery.objectives.configuration import STORED, anything, built, common, effective
from app.battery.objectives.data.clock import distinct_times
from app.battery.objectives.data.measurements import Loaded, Needs, measured
from app.battery.objectives.driven import CURRENT, TIME, VOLTAGE, Driven
from app.battery.objectives.impedance import FREQUENCY, IMAGINARY, REAL, Impedance
from app.battery.objectives.models.named_models import Model, parse_model
from app.battery.objectives.models.numerics import Numerics, numerics
from app.execution.executor import Fault

MAX_VARIABLES = 100
INTERPOLANT_ATOL, INTERPOLANT_RTOL = 1e-6, 1e-4
DOUBLE_LAYERS = ("differential", "algebraic")
"""Values of the option `surface form` that an impedance needs."""


def _variable_names(value: Any) -> str | None:
    if isinstance(value, list) and 0 < len(value) <= MAX_VARIABLES and all(isinstance(each, str) for each in value):
        return None if len(set(value)) == len(value) else f"names a variable twice: {shown(value)}"
    return f"must be a list of up to {MAX_VARIABLES} names, not {shown(value)}"


SIMULATED = {"model": Field(anything), "parameterized_model_id": STORED, "simulation_kwargs": Field(mapping, None)}
INTERPOLANT = {
    "interpolant_atol": Field(number(0), INTERPOLANT_ATOL),
    "interpolant_rtol": Field(number(0), INTERPOLANT_RTOL),
    "interpolant_lossless": Field(flag, False),
}
DRIVEN: dict[str, dict[str, Field]] = {
    "CurrentDriven": SIMULATED
    | INTERPOLANT
    | {
        "independent variable": Field(one_of("time"), "time"),
        "objective variables": Field(_variable_names, [VOLTAGE]),
        "interactive_preprocessing": Field(absent, None),
    },
    "Pulse": SIMULATED
    | INTERPOLANT
    | {"objective variables": Field(absent, None), "interactive_preprocessing": Field(absent, None)},
}
"""Options of current-driven objectives. The variables of a Pulse are a function, which cannot be sent."""


def driven_plan(config: dict[str, Any], path: Path) -> tuple[Driven | None, list[Fault]]:
    """Check a CurrentDriven or Pulse objective."""
    kind, at = config["type"], (*path, "options")
    settings, options, values, faults = common(config, path, DRIVEN[kind])
    variables = options.get("objective variables") or [VOLTAGE]
    model, wrong = parse_model(options["model"], (*at, "model")) if "model" in options else (None, [])
    numbers, bad = _numerics(options, at)
    faults += wrong + bad
    made, unfit = built(model, variables, (*at, "model"), (*at, "objective variables"))
    needs = Needs([*dict.fromkeys([TIME, CURRENT, *variables])], TIME, rising=True, repeats=True)
    loaded = measured(settings["data"], (*path, "data"), needs) if "data" in settings else Loaded()
    faults += unfit + loaded.faults + _size_faults(made, numbers, loaded, at)
    if faults or model is None or made is None:
        return None, faults
    columns, lossless = loaded.columns, options["interpolant_lossless"]
    parts = options | {"objective variables": variables} | _shown(model, numbers)
    objective = Driven(
        kind=kind,
        model=made,
        numerics=numbers,
        parameters=values,
        tolerances=(0.0, 0.0) if lossless else (options["interpolant_atol"], options["interpolant_rtol"]),
        channels={TIME: distinct_times(columns[TIME]), CURRENT: columns[CURRENT]},
        data={name: columns[name] for name in variables},
        effective=effective(settings, parts, loaded.options),
        notes=loaded.notes,
    )
    return objective, []


def impedance_plan(config: dict[str, Any], path: Path) -> tuple[Impedance | None, list[Fault]]:
    """Check an EIS objective. A model without `surface form` gets `differential`, because impedances need double
    layers."""
    at = (*path, "options")
    settings, options, values, faults = common(config, path, SIMULATED)
    double_layer = {"surface form": DOUBLE_LAYERS[0]}
    model, wrong = parse_model(options["model"], (*at, "model"), double_layer) if "model" in options else (None, [])
    numbers, bad = _numerics(options, at)
    faults += wrong + bad + _double_layer_faults(model, (*at, "model", "options", "surface form"))
    made, unfit = built(model, [VOLTAGE, CURRENT], (*at, "model"), (*at, "model"))
    needs = Needs([FREQUENCY, REAL, IMAGINARY], FREQUENCY, distinct=True, positive=True, rows=1)
    loaded = measured(settings["data"], (*path, "data"), needs) if "data" in settings else Loaded()
    faults += unfit + loaded.faults + _size_faults(made, numbers, loaded, at)
    if faults or model is None or made is None:
        return None, faults
    objective = Impedance(
        model=made,
        numerics=numbers,
        parameters=values,
        channels={FREQUENCY: loaded.columns[FREQUENCY]},
        data={name: loaded.columns[name] for name in (REAL, IMAGINARY)},
        effective=effective(settings, options | _shown(model, numbers), loaded.options),
        notes=loaded.notes,
    )
    return objective, []


def _numerics(options: dict[str, Any], path: Path) -> tuple[Numerics, list[Fault]]:
    """Return the model's numerical settings, overridden by the simulation's."""
    model = options.get("model")
    with_model = model.get("simulation_settings") if isinstance(model, dict) else None
    given = [(with_model, (*path, "model", "simulation_settings"))]
    return numerics([*given, (options.get("simulation_kwargs"), (*path, "simulation_kwargs"))])


def _size_faults(model: Any, numbers: Numerics, loaded: Loaded, path: Path) -> list[Fault]:
    """Check the size of a model that was built, together with its data."""
    rows = max((column.size for column in loaded.columns.values()), default=0)
    return [] if model is None else size_faults(model, numbers.var_pts(model), rows, (*path, "model"))


def _shown(model: Model, numbers: Numerics) -> dict[str, Any]:
    return {"model": model.effective, "simulation_kwargs": numbers.effective()}


def _double_layer_faults(model: Model | None, path: Path) -> list[Fault]:
    form = None if model is None else model.options.get("surface form", "false")
    if model is None or form in DOUBLE_LAYERS:
        return []
    return [
        Fault(f"An impedance needs double layers: `surface form` takes {' or '.join(map(repr, DOUBLE_LAYERS))}.", path)
    ]
