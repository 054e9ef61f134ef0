"""Options of PyBaMM's models, checked as raw JSON against PyBaMM's names and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pybamm

from app.battery.checks.fields import Path, shown, suggestion
from app.execution.executor import Fault

MAX_REACTIONS = 30
"""Maximum number of reactions of an MSMR model, and of RC elements of an equivalent circuit."""
REACTIONS = "number of MSMR reactions"
ONLY: dict[str, list[Any]] = {"operating mode": ["current"], "dimensionality": [0], "current collector": ["uniform"]}
"""Options restricted further than in PyBaMM: data drive the current, and cells are one-dimensional."""
LITHIUM_ION: dict[str, list[Any]] = dict(pybamm.BatteryModelOptions({}).possible_options) | ONLY
RENAMED = {"Wycisk": "one-state differential capacity hysteresis", "Axen": "one-state hysteresis"}
"""Older names of open-circuit potentials that PyBaMM still accepts."""
LITHIUM_ION["open-circuit potential"] = [*LITHIUM_ION["open-circuit potential"], *RENAMED]
LITHIUM_ION[REACTIONS] = [*LITHIUM_ION[REACTIONS], *map(str, range(1, MAX_REACTIONS + 1))]
CIRCUIT: dict[str, list[Any]] = {
    "calculate discharge energy": ["false", "true"],
    "diffusion element": ["false", "true"],
    "number of rc elements": list(range(MAX_REACTIONS + 1)),
    "operating mode": ["current"],
}


def option_faults(given: Mapping[str, Any], possible: Mapping[str, list[Any]], path: Path) -> Iterator[Fault]:
    """Yield unknown options and values."""
    for name, value in given.items():
        at = (*path, name)
        if name not in possible:
            yield Fault(
                f"Unknown option {shown(name)}{suggestion(name, possible)}; known are {', '.join(possible)}.", at
            )
        elif not all(_is_one(leaf, possible[name]) for leaf in _leaves(value)):
            words = ", ".join(map(repr, possible[name]))
            meant = suggestion(value, possible[name])
            yield Fault(f"`{name}` takes {words}; {shown(value)} is not supported{meant}.", at)


def _is_one(leaf: Any, words: list[Any]) -> bool:
    """Return whether a leaf is one of the words; `true` does not match 1."""
    return any(type(leaf) is type(word) and leaf == word for word in words)


def _leaves(value: Any, depth: int = 3) -> Iterator[Any]:
    """Yield the words of an option: one, a pair for the electrodes, or pairs for their phases."""
    if isinstance(value, list) and len(value) == 2 and depth > 1:
        for each in value:
            yield from _leaves(each, depth - 1)
    else:
        yield value


def tuples(value: Any) -> Any:
    """Convert JSON lists to tuples, as PyBaMM's options need, and older names to current ones."""
    if isinstance(value, list):
        return tuple(map(tuples, value))
    return RENAMED.get(value, value) if isinstance(value, str) else value
