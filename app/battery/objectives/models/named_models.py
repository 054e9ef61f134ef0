"""Models of objectives: named with options, or serialised. No name of a configuration is ever imported."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import pybamm

from app.battery.checks.fields import Field, Path, Settings, mapping, settle, shown, suggestion
from app.battery.checks.guard import NodeBudget, symbol_faults
from app.battery.objectives.models.model_options import CIRCUIT, LITHIUM_ION, option_faults, tuples
from app.battery.objectives.models.serialized_models import KINDS, MAX_FAULTS, MAX_MODEL_NODES, parse_serialized_model
from app.execution.executor import Fault

CELLS: dict[str, type[pybamm.BaseModel]] = {
    "SPM": pybamm.lithium_ion.SPM,
    "SPMe": pybamm.lithium_ion.SPMe,
    "DFN": pybamm.lithium_ion.DFN,
    "MPM": pybamm.lithium_ion.MPM,
    "MSMR": pybamm.lithium_ion.MSMR,
    "NewmanTobias": pybamm.lithium_ion.NewmanTobias,
}
MODELS: dict[str, dict[str, type[pybamm.BaseModel]]] = {
    "lithium_ion": CELLS,
    "equivalent_circuit": {"Thevenin": pybamm.equivalent_circuit.Thevenin},
}
"""Models by PyBaMM's module and class name."""
_CLOSED = "its equations are not public"
REFUSED_MODELS: dict[str, str] = {
    "ECM": f"{_CLOSED}; use PyBaMM's Thevenin (module equivalent_circuit)",
    "GITTModel": "it is not supported yet",
    "LumpedSPMR": _CLOSED,
    "LumpedSPMeR": _CLOSED,
    "MSMRFullCellModel": "it belongs to MSMRFullCell",
    "MSMRHalfCellModel": "it belongs to MSMRHalfCell",
    "SingleElectrodeLumpedSPMR": _CLOSED,
}
"""Reasons for refusing models of the public schema that PyBaMM does not have."""
NOT_READ = ("removed_variables", "events")
"""Unused fields of a serialised model: data end a simulation, not events."""


def _anything(value: Any) -> str | None:
    return None


FIELDS = {
    "type": Field(_anything),
    "module": Field(_anything, None),
    "options": Field(mapping, None),
    "custom_variables": Field(mapping, None),
    "simulation_settings": Field(_anything, None),
    **{name: Field(_anything, None) for name in NOT_READ},
}

PREPARED = ("SPM", "SPMe", "DFN")


@dataclass(frozen=True, slots=True)
class Model:
    """A checked model."""

    build: Callable[[Collection[str]], pybamm.BaseModel]
    """Build the model with at least these variables, and without events. Raises ValueError if PyBaMM cannot."""
    variables: Collection[str]
    options: Mapping[str, Any]
    effective: Settings


def parse_model(config: Any, path: Path, defaults: Mapping[str, Any] | None = None) -> tuple[Model | None, list[Fault]]:
    """Check a model. Return it, or every problem. `defaults` holds default options."""
    if isinstance(config, str):
        config = {"type": config}
    if not isinstance(config, dict):
        return None, [Fault(f"A model must be a name or an object, not {shown(config)}.", path)]
    if config.get("type", "custom") == "custom":
        whole, faults = parse_serialized_model(config, path)
        if whole is None:
            return None, faults
        return Model(whole.load, whole.variables, whole.options, whole.effective), []
    settings, faults = settle(FIELDS, config, path)
    kind, wrong = _class(config, path)
    faults += wrong
    given = settings.get("options") or {}
    if kind is not None:
        possible = LITHIUM_ION if kind in CELLS.values() else CIRCUIT
        faults += islice(option_faults(given, possible, (*path, "options")), MAX_FAULTS)
    extra = settings.get("custom_variables") or {}
    budget = NodeBudget(KINDS, MAX_MODEL_NODES)
    for name, symbol in extra.items():
        faults += symbol_faults(symbol, (*path, "custom_variables", name), budget)
    if faults or kind is None:
        return None, faults
    chosen = (dict(defaults or {}) if kind in CELLS.values() else {}) | given
    return _named(kind, chosen, extra, path)


def _class(config: Mapping[str, Any], path: Path) -> tuple[type[pybamm.BaseModel] | None, list[Fault]]:
    name, module = config.get("type"), config.get("module")
    word = name if isinstance(name, str) else ""
    if word in REFUSED_MODELS:
        return None, [Fault(f"{word} is not supported: {REFUSED_MODELS[word]}.", (*path, "type"))]
    module = "lithium_ion" if module is None else module
    known = MODELS.get(module) if isinstance(module, str) else None
    if known is None:
        message = (
            f"The module {shown(module)} is not supported{suggestion(module, MODELS)}; known are {', '.join(MODELS)}."
        )
        return None, [Fault(message, (*path, "module"))]
    if word not in known:
        meant = suggestion(name, [*known, *REFUSED_MODELS])
        message = f"Unknown model {shown(name)} in {module}{meant}; known are {', '.join(known)}."
        return None, [Fault(message, (*path, "type"))]
    return known[word], []


def _named(
    kind: type[pybamm.BaseModel], options: Mapping[str, Any], extra: Mapping[str, Any], path: Path
) -> tuple[Model | None, list[Fault]]:
    module = next(name for name, classes in MODELS.items() if kind in classes.values())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = _model(module, kind.__name__, options).new_copy()
            pybamm.BaseModel.apply_builtin_overrides(model, {"custom_variables": dict(extra)})
    except Exception as error:
        reason = " ".join(str(error).split())
        return None, [Fault(f"PyBaMM cannot build this model: {reason}", (*path, "options"))]
    effective = {"type": kind.__name__, "module": module, "options": dict(options)}
    if extra:
        effective["custom_variables"] = dict(extra)

    def build(variables: Collection[str]) -> pybamm.BaseModel:
        made = model.new_copy()
        made.events = []
        return made

    return Model(build, model.variables.keys(), model.options, effective), []


def prepare() -> None:
    """Create the usual models once, before processes are forked: the first check of a fit in each then takes 19 ms of
    CPU time instead of 67 ms."""
    for name in PREPARED:
        _made("lithium_ion", name, "{}")


def _model(module: str, name: str, options: Mapping[str, Any]) -> pybamm.BaseModel:
    """Return a model that is never changed. Options that spell out every default, as the official client writes them,
    are those of the usual model."""
    if module == "lithium_ion" and name in PREPARED:
        usual = _made(module, name, "{}")
        if {key: tuples(value) for key, value in options.items()} == dict(usual.options):
            return usual
    return _made(module, name, json.dumps(options, sort_keys=True))


@lru_cache(maxsize=8)
def _made(module: str, name: str, options: str) -> pybamm.BaseModel:
    """Create a model, cached for all objectives that use it and never changed; `options` is JSON."""
    return MODELS[module][name](options={key: tuples(value) for key, value in json.loads(options).items()})
