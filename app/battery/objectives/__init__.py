"""What a fit and a validation compare: models with measured data."""

from __future__ import annotations

from typing import Any

from app.battery.fields import MAX_TEXT, Path, shown, suggestion
from app.battery.objectives.objective import Objective
from app.battery.objectives.registry import OBJECTIVES, REFUSED_OBJECTIVES
from app.execution.executor import Fault

__all__ = ["MAX_OBJECTIVES", "OBJECTIVES", "REFUSED_OBJECTIVES", "Objective", "objectives"]
MAX_OBJECTIVES = 100


def objectives(config: Any, path: Path) -> tuple[dict[str, Objective], list[Fault]]:
    """The objectives by name, in order, and everything wrong with them. A single one may come without a name."""
    if config is None:
        return {}, [Fault("`objectives` is missing.", path)]
    if not isinstance(config, dict):
        return {}, [Fault(f"`objectives` must be an object, not {shown(config)}.", path)]
    if isinstance(config.get("type"), str):
        found, faults = _objective(config, path)
        return {} if found is None else {config["type"]: found}, faults
    if not 0 < len(config) <= MAX_OBJECTIVES:
        return {}, [Fault(f"There must be from 1 to {MAX_OBJECTIVES} objectives, not {len(config)}.", path)]
    made: dict[str, Objective] = {}
    faults = []
    for name, each in config.items():
        at = (*path, name)
        if not name.strip() or len(name) > MAX_TEXT:
            faults.append(Fault(f"An objective's name must have from 1 to {MAX_TEXT} characters.", at))
        found, wrong = _objective(each, at)
        faults += wrong
        if found is not None:
            made[name] = found
    return made, faults


def _objective(config: Any, path: Path) -> tuple[Objective | None, list[Fault]]:
    if not isinstance(config, dict):
        return None, [Fault(f"An objective must be an object, not {shown(config)}.", path)]
    kind, at = config.get("type"), (*path, "type")
    if kind is None:
        return None, [Fault("`type` is missing: it names the kind of objective.", at)]
    word = kind if isinstance(kind, str) else ""
    if word in REFUSED_OBJECTIVES:
        return None, [Fault(f"{word} is not supported: {REFUSED_OBJECTIVES[word]}.", at)]
    if word not in OBJECTIVES:
        meant = suggestion(kind, [*OBJECTIVES, *REFUSED_OBJECTIVES])
        return None, [Fault(f"There is no objective {shown(kind)}{meant}; there are {', '.join(OBJECTIVES)}.", at)]
    return OBJECTIVES[word](config, path)
