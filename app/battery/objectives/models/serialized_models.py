"""Serialised models from PyBaMM's `to_config` and `to_json`: equations, variables and discretisation.

PyBaMM's loader imports whatever `base_class`, `base_class_mro`, `class` and `$type` name. The raw JSON is therefore
checked against closed lists first, the class is taken from a list here, and the loader receives only the fields it
needs.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pybamm

from app.battery.checks.fields import Check, Field, Path, Settings, mapping, number, one_of, settle, shown, text
from app.battery.checks.guard import NAMED, NODES, SYMBOLS, TAG, Node, NodeBudget, symbol_faults
from app.battery.objectives.models.discretisation import discretisation_faults
from app.battery.objectives.models.model_options import LITHIUM_ION, option_faults
from app.execution.executor import Fault

MAX_MODEL_NODES = 250_000
"""Maximum number of expression nodes of a model. PyBaMM's own models have up to 142,000 (an SPMe with polynomial
particles)."""
MAX_EQUATIONS = 10_000
"""Maximum equations of one kind, or variables."""
MAX_FAULTS = 100
VERSION = "1.1"
"""Version of PyBaMM's format."""

_L = "pybamm.models.full_battery_models.lithium_ion."
CLASSES: dict[str, type[pybamm.BaseModel]] = {
    f"{kind.__module__}.{kind.__name__}": kind
    for kind in (
        pybamm.lithium_ion.SPM,
        pybamm.lithium_ion.SPMe,
        pybamm.lithium_ion.DFN,
        pybamm.lithium_ion.MPM,
        pybamm.lithium_ion.NewmanTobias,
        pybamm.lithium_ion.BasicSPM,
        pybamm.lithium_ion.BasicDFN,
        pybamm.lithium_ion.BaseModel,
        pybamm.BaseModel,
    )
} | {"pybamm.BaseModel": pybamm.BaseModel}
"""Allowed classes of a serialised model. A class of the sender is replaced by its nearest ancestor here."""


def _domain_names(value: Any) -> str | None:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(each, str) for each in names):
        return None
    return f"must be the names of domains, not {shown(value)}"


def _scalar(value: Any) -> str | None:
    return None if value in ("Infinity", "-Infinity") else number()(value)


def _name(value: Any) -> str | None:
    """Check the name of a variable or operator: any short text."""
    return None if value == "" else text(value)


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


SIDES = one_of("left", "right", "negative tab", "positive tab", "no tab", "top", "bottom")
_FIELDS = NAMED | {"name": _name}
_U, _B = f"{SYMBOLS}unary_operators.", f"{SYMBOLS}broadcasts."
KINDS: dict[str, Node] = NODES | {
    f"{SYMBOLS}scalar.Scalar": Node({"name": _name, "value": _scalar}),
    f"{SYMBOLS}variable.Variable": Node(_FIELDS | {"print_name": _or_none(text)}, 4),
    f"{SYMBOLS}independent_variable.SpatialVariable": Node(
        _FIELDS | {"coord_sys": _or_none(text), "direction": _or_none(one_of("lr", "tb"))}
    ),
    f"{SYMBOLS}averages.SizeAverage": Node(_FIELDS, 2),
    f"{SYMBOLS}binary_operators.MatrixMultiplication": Node(_FIELDS, 2),
    f"{_U}Integral": Node(_FIELDS, 2),
    f"{_U}IndefiniteIntegral": Node(_FIELDS, 2),
    f"{_U}BoundaryValue": Node(
        _FIELDS | {"side": SIDES, "order": _or_none(one_of("linear", "quadratic", "constant"))}, 1
    ),
    f"{_U}BoundaryGradient": Node(
        _FIELDS | {"side": SIDES, "order": _or_none(one_of("linear", "quadratic", "constant"))}, 1
    ),
    **{f"{SYMBOLS}averages.{each}Average": Node(_FIELDS, 1) for each in ("R", "X", "YZ", "Z")},
    **{f"{_U}{each}": Node(_FIELDS, 1) for each in ("Gradient", "Divergence", "Mass")},
    **{f"{_B}Full{each}": Node(_FIELDS, 1) for each in ("Broadcast", "BroadcastToEdges")},
    **{
        f"{_B}{order}{each}": Node(_FIELDS | {"broadcast_domain": _domain_names}, 1)
        for order in ("Primary", "Secondary", "Tertiary")
        for each in ("Broadcast", "BroadcastToEdges")
    },
    **{f"{SYMBOLS}concatenations.{each}": Node(_FIELDS, None) for each in ("Concatenation", "ConcatenationVariable")},
}
"""Nodes of a model's equations: those of parameter values, and spatial ones."""

WRAPPER = {
    "type": Field(one_of("custom"), "custom"),
    "model": Field(mapping),
    **{
        name: Field(lambda value: None, None)
        for name in ("geometry", "var_pts", "spatial_methods", "submesh_types", "simulation_settings")
    },
}
"""Fields of the wrapper: PyBaMM writes the discretisation beside the model too, and reads it only inside."""
DOCUMENT = {
    "schema_version": Field(one_of(VERSION), VERSION),
    "pybamm_version": Field(text, None),
    "model": Field(mapping),
}


def _pairs(value: Any) -> str | None:
    if isinstance(value, list) and len(value) <= MAX_EQUATIONS:
        return None if all(isinstance(each, list) and len(each) == 2 for each in value) else "must be a list of pairs"
    return f"must be a list of at most {MAX_EQUATIONS} pairs, not {shown(value)}"


def _by_name(value: Any) -> str | None:
    if isinstance(value, dict) and len(value) <= MAX_EQUATIONS:
        return None
    return f"must be an object of at most {MAX_EQUATIONS} names, not {shown(value)}"


def _texts(value: Any) -> str | None:
    return (
        None if isinstance(value, list) and all(isinstance(each, str) for each in value) else "must be a list of names"
    )


CONTENT = {
    "name": Field(text),
    "base_class": Field(text),
    "base_class_mro": Field(_texts, []),
    "options": Field(_by_name, {}),
    "convert_to_format": Field(one_of("casadi"), "casadi"),
    "rhs": Field(_pairs),
    "algebraic": Field(_pairs),
    "initial_conditions": Field(_pairs),
    "boundary_conditions": Field(_pairs),
    "events": Field(lambda value: None, None),
    "variables": Field(_by_name),
    "discretisation": Field(_by_name, {}),
}


@dataclass(frozen=True, slots=True)
class SerializedModel:
    """A checked serialised model."""

    content: Mapping[str, Any]
    kind: str
    effective: Settings

    @property
    def variables(self) -> Collection[str]:
        names: Collection[str] = self.content["variables"].keys()
        return names

    @property
    def options(self) -> Mapping[str, Any]:
        options: Mapping[str, Any] = self.content["options"]
        return options

    def load(self, variables: Collection[str]) -> pybamm.BaseModel:
        """Load the model with these variables, without its events. Raises ValueError if PyBaMM cannot."""
        wanted = {name: symbol for name, symbol in self.content["variables"].items() if name in variables}
        used = dict(self.content) | {
            "base_class": self.kind,
            "base_class_mro": [],
            "events": [],
            "variables": wanted,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return pybamm.Serialise.load_custom_model({"schema_version": VERSION, "model": used})
            except Exception as error:
                raise ValueError(f"PyBaMM cannot read this model: {error}") from error


def parse_serialized_model(config: Mapping[str, Any], path: Path) -> tuple[SerializedModel | None, list[Fault]]:
    """Check a model written by `to_config` (type `custom`) or `to_json`. Return it, or its problems."""
    document: Any = config
    faults: list[Fault] = []
    if config.get("type") is not None or "schema_version" not in config:
        settings, faults = settle(WRAPPER, config, path)
        document, path = settings.get("model"), (*path, "model")
    if isinstance(document, dict) and document.get("compressed"):
        return None, [Fault("A compressed model is not supported: send it uncompressed.", path)]
    if faults or not isinstance(document, dict):
        return None, faults
    settings, faults = settle(DOCUMENT, document, path)
    if faults:
        return None, faults
    at = (*path, "model")
    content, faults = settle(CONTENT, settings["model"], at)
    if faults:
        return None, faults
    faults = list(islice(_content_faults(content, at), MAX_FAULTS))
    if faults:
        return None, faults
    named = next(
        name for name in [content["base_class"], *content["base_class_mro"], "pybamm.BaseModel"] if name in CLASSES
    )
    return SerializedModel(content, named, {"type": "custom", "name": content["name"], "base_class": named}), []


def _content_faults(content: Settings, path: Path) -> Iterator[Fault]:
    budget = NodeBudget(KINDS, MAX_MODEL_NODES)
    yield from option_faults(content["options"], LITHIUM_ION, (*path, "options"))
    for part in ("rhs", "algebraic", "initial_conditions"):
        for index, pair in enumerate(content[part]):
            yield from _variable_faults(pair[0], (*path, part, index, 0), budget)
            yield from symbol_faults(pair[1], (*path, part, index, 1), budget)
    for index, (variable, sides) in enumerate(content["boundary_conditions"]):
        at = (*path, "boundary_conditions", index)
        yield from symbol_faults(variable, (*at, 0), budget)
        yield from _side_faults(sides, (*at, 1), budget)
    for name, symbol in content["variables"].items():
        if problem := _name(name):
            yield Fault(f"A variable's name {problem}.", (*path, "variables"))
        yield from symbol_faults(symbol, (*path, "variables", name), budget)
    yield from discretisation_faults(content["discretisation"], (*path, "discretisation"), budget)


def _variable_faults(node: Any, path: Path, budget: NodeBudget) -> Iterator[Fault]:
    """Check that an equation's unknown is a variable."""
    kinds = [f"{SYMBOLS}variable.Variable", f"{SYMBOLS}concatenations.ConcatenationVariable"]
    yield from symbol_faults(node, path, budget)
    if not isinstance(node, dict) or node.get(TAG) not in kinds:
        yield Fault("An equation must be for a variable.", path)


def _side_faults(sides: Any, path: Path, budget: NodeBudget) -> Iterator[Fault]:
    if not isinstance(sides, dict):
        yield Fault(f"Boundary conditions must be an object of sides, not {shown(sides)}.", path)
        return
    for side, condition in sides.items():
        if problem := SIDES(side):
            yield Fault(f"A side {problem}.", (*path, side))
        elif not (isinstance(condition, list) and len(condition) == 2):
            yield Fault("A boundary condition must be an expression and its kind.", (*path, side))
        else:
            yield from symbol_faults(condition[0], (*path, side, 0), budget)
            if problem := one_of("Dirichlet", "Neumann")(condition[1]):
                yield Fault(f"A boundary condition {problem}.", (*path, side, 1))
