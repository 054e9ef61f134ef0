"""Objectives: comparisons of models with measured data, in fits and validations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.battery.checks.fields import MAX_TEXT, Path, shown, suggestion
from app.battery.objectives.objective import Objective
from app.battery.objectives.registry import OBJECTIVES, REFUSED_OBJECTIVES
from app.execution.executor import Fault

__all__ = ["MAX_OBJECTIVES", "OBJECTIVES", "REFUSED_OBJECTIVES", "Objective", "objectives"]
MAX_OBJECTIVES = 100


def objectives(config: Any, path: Path) -> tuple[dict[str, Objective], list[Fault]]:
    """Check objectives. Return them by name, in order, and every problem. A single one needs no name."""
    if config is None:
        return {}, [Fault("`objectives` is missing.", path)]
    if not isinstance(config, dict):
        return {}, [Fault(f"`objectives` must be an object, not {shown(config)}.", path)]
    if is_single(config):
        found, faults = _objective(config, path)
        return {} if found is None else {found.kind: found}, faults
    if not 0 < len(config) <= MAX_OBJECTIVES:
        return {}, [Fault(f"The number of objectives must be from 1 to {MAX_OBJECTIVES}, not {len(config)}.", path)]
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


def is_single(config: Mapping[str, Any]) -> bool:
    """Return whether the configuration is a single objective without a name."""
    return any(isinstance(config.get(name), str) for name in ("type", "objective"))


def _objective(config: Any, path: Path) -> tuple[Objective | None, list[Fault]]:
    if not isinstance(config, dict):
        return None, [Fault(f"An objective must be an object, not {shown(config)}.", path)]
    written, faults = _current_form(config, path)
    if faults:
        return None, faults
    found, faults = _of_kind(written, path)
    return found, [Fault(fault.message, _sent_place(fault.path, config, path)) for fault in faults]


def _current_form(config: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """Convert an objective to the form with `type` and `options`. The API guide writes `objective` for the type, and
    `model` beside it."""
    written, faults = dict(config), []
    if written.get("objective") is not None:
        kind = written.pop("objective")
        if written.setdefault("type", kind) != kind:
            faults.append(Fault("`objective` contradicts `type`. Keep the latter.", (*path, "objective")))
    options = written.get("options")
    if written.get("model") is not None and (options is None or isinstance(options, dict)):
        model, options = written.pop("model"), options or {}
        if options.get("model") is not None:
            faults.append(Fault("`model` stands within `options` too. Keep one.", (*path, "model")))
        written["options"] = {**options, "model": model}
    return written, faults


def _sent_place(place: Path, config: Mapping[str, Any], path: Path) -> Path:
    """Convert a path in the form with `type` and `options` to the path in the request."""
    inner = place[len(path) :]
    if inner[:2] == ("options", "model") and config.get("model") is not None:
        return (*path, *inner[1:])
    if inner == ("type",) and config.get("type") is None and config.get("objective") is not None:
        return (*path, "objective")
    return place


def _of_kind(config: dict[str, Any], path: Path) -> tuple[Objective | None, list[Fault]]:
    kind, at = config.get("type"), (*path, "type")
    if kind is None:
        return None, [Fault("`type` is missing: it names the kind of objective.", at)]
    word = kind if isinstance(kind, str) else ""
    if word in REFUSED_OBJECTIVES:
        return None, [Fault(f"{word} is not supported: {REFUSED_OBJECTIVES[word]}.", at)]
    if word not in OBJECTIVES:
        meant = suggestion(kind, [*OBJECTIVES, *REFUSED_OBJECTIVES])
        return None, [Fault(f"Unknown objective {shown(kind)}{meant}; known are {', '.join(OBJECTIVES)}.", at)]
    return OBJECTIVES[word](config, path)
