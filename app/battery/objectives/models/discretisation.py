"""Discretisation of serialised models: lengths, meshes and methods, checked as raw JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pybamm
from pybamm.meshes.one_dimensional_submeshes import Chebyshev1DSubMesh, Exponential1DSubMesh, Uniform1DSubMesh
from pybamm.spatial_methods.zero_dimensional_method import ZeroDimensionalSpatialMethod

from app.battery.checks.fields import Path, is_number, shown
from app.battery.checks.guard import TAG, NodeBudget, symbol_faults
from app.battery.objectives.models.numerics import points_faults
from app.execution.executor import Fault

MAX_DOMAINS = 100
MAX_NESTING = 6
"""Maximum nesting of objects in the lengths of a domain, such as tabs."""


def _path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


MESHES = frozenset(map(_path_of, (Uniform1DSubMesh, Exponential1DSubMesh, Chebyshev1DSubMesh, pybamm.SubMesh0D)))
METHODS = frozenset(map(_path_of, (pybamm.FiniteVolume, ZeroDimensionalSpatialMethod)))
WORDS = frozenset(["extrapolation", "order", "gradient", "value", "use bcs", "linear", "quadratic", "constant"])
"""Words in the options of a spatial method."""
SECTIONS = ("geometry", "var_pts", "submesh_types", "spatial_methods")


def discretisation_faults(config: Mapping[str, Any], path: Path, budget: NodeBudget) -> Iterator[Fault]:
    for name, section in config.items():
        at = (*path, name)
        if name not in SECTIONS:
            yield Fault(f"Unknown field {shown(name)}; known are {', '.join(SECTIONS)}.", at)
            continue
        content = section.get(name) if isinstance(section, dict) else None
        if not isinstance(content, dict) or len(content) > MAX_DOMAINS:
            yield Fault(f"An object with `{name}` of at most {MAX_DOMAINS} names must be here.", at)
            continue
        yield from _section_faults(name, content, (*at, name), budget)


def _section_faults(name: str, content: dict[str, Any], path: Path, budget: NodeBudget) -> Iterator[Fault]:
    if name == "var_pts":
        yield from points_faults(content, path, known=content)  # variables of the model itself have arbitrary names
    elif name == "geometry":
        for domain, lengths in content.items():
            if isinstance(lengths, dict):
                yield from _length_faults(lengths, (*path, domain), budget, MAX_NESTING)
            else:
                yield Fault(f"The lengths of a domain must be an object, not {shown(lengths)}.", (*path, domain))
    else:
        known, beside = (MESHES, "submesh_params") if name == "submesh_types" else (METHODS, "options")
        for domain, node in content.items():
            yield from _class_faults(node, known, beside, (*path, domain))


def _length_faults(value: Any, path: Path, budget: NodeBudget, depth: int) -> Iterator[Fault]:
    """Check lengths: numbers, texts and symbols, in objects."""
    budget.nodes += 1
    if isinstance(value, dict) and (TAG in value or depth == 0):
        yield from symbol_faults(value, path, budget)
    elif isinstance(value, dict) and budget.nodes <= budget.most:
        for name, each in value.items():
            if name in ("type", "py/object", "class", "module"):  # PyBaMM's decoder treats these as a symbol
                yield Fault(f"{shown(name)} is not allowed here.", (*path, name))
            else:
                yield from _length_faults(each, (*path, name), budget, depth - 1)
    elif not (is_number(value) or isinstance(value, str)):
        yield Fault(f"A length must be a number or a symbol, not {shown(value)}.", path)


def _class_faults(node: Any, known: frozenset[str], beside: str, path: Path) -> Iterator[Fault]:
    """Check a class by its path, and its options beside it."""
    if not isinstance(node, dict) or node.get(TAG) != "type" or not set(node) <= {TAG, "class", beside}:
        yield Fault(f"An object of `{TAG}` and `class` must be here, not {shown(node)}.", path)
    elif not (isinstance(node.get("class"), str) and node["class"] in known):
        message = f"{shown(node.get('class'))} is not supported; known are {', '.join(sorted(known))}."
        yield Fault(message, (*path, "class"))
    elif not _plain(node.get(beside) or {}, MAX_NESTING):
        yield Fault(f"`{beside}` holds what is not supported: {shown(node[beside])}.", (*path, beside))


def _plain(value: Any, depth: int) -> bool:
    """Return whether a value consists of known words, sides, numbers and flags."""
    if isinstance(value, dict):
        return depth > 0 and all(
            name in WORDS | {"side", "stretch"} and _plain(each, depth - 1) for name, each in value.items()
        )
    if isinstance(value, str):
        return value in WORDS or value in ("left", "right", "symmetric")
    return isinstance(value, bool) or is_number(value)
