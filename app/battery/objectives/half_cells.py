"""Configuration of MSMRHalfCell objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.battery.checks.fields import Field, Path, Settings, absent, limits, mapping, number, one_of, settle, shown
from app.battery.expressions.parameter_names import ELECTRODE
from app.battery.objectives.configuration import anything, common, effective
from app.battery.objectives.data.measurements import Loaded, Needs, measured
from app.battery.objectives.msmr import CAPACITY, DIFFERENTIAL, VARIABLES, VOLTAGE, HalfCell, central, differential
from app.battery.objectives.objective import Array
from app.execution.executor import Fault

MODEL = "MSMRHalfCellModel"
NO_CUTOFF = "none"


def _cutoff(value: Any) -> str | None:
    if value == NO_CUTOFF:
        return None
    return "must be 'none' or a number" if isinstance(value, str) else number(above=0)(value)


def _variables(value: Any) -> str | None:
    if isinstance(value, list) and value and all(each in VARIABLES for each in value) and len(set(value)) == len(value):
        return None
    return f"takes a list of {' and '.join(map(repr, VARIABLES))}; {shown(value)} is not supported"


OPTIONS = {
    "model": Field(anything),
    "dUdQ cutoff": Field(_cutoff, NO_CUTOFF),
    "dQdU cutoff": Field(_cutoff, NO_CUTOFF),
    "voltage limits": Field(limits, None),
    "GITT": Field(one_of(False), False),
    "objective variables": Field(_variables, list(VARIABLES)),
    "constrain Xj method": Field(one_of("project"), "project"),
    "penalize Xj complement bounds": Field(one_of(False), False),
    "preserve U0j order": Field(one_of(False), False),
}
MODEL_OPTIONS = {
    "species format": Field(one_of("Qj", "Xj"), "Qj"),
    "direction": Field(absent, None),
    "particle phases": Field(one_of("1"), "1"),
    "capacity function": Field(absent, None),
    "differential capacity function": Field(absent, None),
}
MODEL_FIELDS = {
    "type": Field(one_of(MODEL), MODEL),
    "electrode": ELECTRODE,
    "options": Field(mapping, {}),
    "simulation_settings": Field(absent, None),
}


def half_cell_plan(config: dict[str, Any], path: Path) -> tuple[HalfCell | None, list[Fault]]:
    """Check an MSMRHalfCell objective."""
    at = (*path, "options")
    settings, options, values, faults = common(config, path, OPTIONS)
    model, wrong = _model(options["model"], (*at, "model")) if "model" in options else ({}, [])
    needs = Needs([VOLTAGE, CAPACITY], VOLTAGE)
    loaded = measured(settings["data"], (*path, "data"), needs) if "data" in settings else Loaded()
    faults += wrong + loaded.faults
    if faults:
        return None, faults
    voltages, capacity = loaded.columns[VOLTAGE], loaded.columns[CAPACITY]
    rise = central(voltages)
    slope = differential(rise, capacity)
    kept = _window(voltages, slope, options)
    if kept.sum() < needs.rows:
        return None, [Fault(f"The limits and cutoffs leave {kept.sum()} rows; at least {needs.rows} are needed.", at)]
    data = {CAPACITY: capacity[kept], DIFFERENTIAL: slope[kept]}
    objective = HalfCell(
        electrode=model["electrode"],
        fractions=model["options"]["species format"] == "Xj",
        parameters=values,
        voltages=voltages,
        rise=rise,
        kept=kept,
        channels={VOLTAGE: voltages[kept]},
        data={name: data[name] for name in options["objective variables"]},
        effective=effective(settings, options | {"model": model}, loaded.options),
        notes=loaded.notes,
    )
    return objective, []


def _model(config: Any, path: Path) -> tuple[Settings, list[Fault]]:
    if not isinstance(config, dict):
        return {}, [Fault(f"The model must be an object such as {{'type': '{MODEL}', 'electrode': 'positive'}}.", path)]
    model, faults = settle(MODEL_FIELDS, config, path)
    chosen, wrong = settle(MODEL_OPTIONS, model.get("options", {}), (*path, "options"))
    known = {name: value for name, value in model.items() if value is not None}
    return known | {"options": {name: value for name, value in chosen.items() if value is not None}}, faults + wrong


def _window(voltages: Array, slope: Array, options: Mapping[str, Any]) -> Array:
    """Return a mask, (n,), of the rows to compare: within the limits and the cutoffs, and with a slope if slopes are
    compared."""
    kept: Array = np.ones(voltages.size, dtype=bool)
    if options["voltage limits"] is not None:
        low, high = options["voltage limits"]
        kept &= (voltages >= low) & (voltages <= high)
    if DIFFERENTIAL in options["objective variables"]:
        kept &= np.isfinite(slope)
    if options["dUdQ cutoff"] != NO_CUTOFF:
        kept &= np.abs(slope) <= options["dUdQ cutoff"]
    if options["dQdU cutoff"] != NO_CUTOFF:
        kept &= np.abs(slope) * options["dQdU cutoff"] >= 1
    return kept
