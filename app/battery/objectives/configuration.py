"""Common fields of all objectives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pybamm

from app.battery.checks.fields import (
    MAX_SUGGESTIONS,
    MAX_TEXT,
    Field,
    Path,
    Settings,
    absent,
    mapping,
    settle,
    suggestion,
)
from app.battery.checks.guard import value_faults
from app.battery.expressions.symbols import decode
from app.battery.objectives.models.named_models import Model
from app.execution.executor import Fault

MAX_PARAMETERS = 10_000


def anything(value: Any) -> str | None:
    """Accept any value: the field is checked elsewhere."""
    return None


FIELDS = {
    "type": Field(anything),
    "data": Field(anything),
    "options": Field(mapping, {}),
    "parameters": Field(mapping, {}),
    **{name: Field(absent, None) for name in ("callbacks", "cost", "constraints", "penalties")},
}
"""Fields of every objective. Fields of the whole fit are refused here."""
STORED = Field(lambda value: "is not supported: the model must be in the configuration itself, as `model`", None)
"""Field that refuses the id of a stored model."""


def common(
    config: Mapping[str, Any], path: Path, options: Mapping[str, Field]
) -> tuple[Settings, Settings, dict[str, Any], list[Fault]]:
    """Check the common fields. Return the settings, the options, the decoded parameter values, and every problem."""
    settings, faults = settle(FIELDS, config, path)
    chosen, wrong = settle(options, settings["options"], (*path, "options")) if "options" in settings else ({}, [])
    values, bad = _values(settings.get("parameters", {}), (*path, "parameters"))
    return settings, chosen, values, faults + wrong + bad


def _values(config: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], list[Fault]]:
    if len(config) > MAX_PARAMETERS:
        return {}, [Fault(f"More than {MAX_PARAMETERS} parameters are given.", path)]
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in config.items():
        at = (*path, name)
        found = list(value_faults(value, at))
        if not name.strip() or len(name) > MAX_TEXT:
            found.append(Fault(f"A parameter's name must have from 1 to {MAX_TEXT} characters.", at))
        if not found:
            try:
                values[name] = decode(value)
            except ValueError as error:
                found.append(Fault(str(error), at))
        faults += found
    return values, faults


def built(
    model: Model | None, variables: Collection[str], at: Path, variables_at: Path
) -> tuple[pybamm.BaseModel | None, list[Fault]]:
    """Build the model with these variables, which must be scalars at each time."""
    if model is None:
        return None, []
    missing = [name for name in variables if name not in model.variables]
    if missing:
        meant = [suggestion(name, model.variables) for name in missing[:MAX_SUGGESTIONS]] + [""] * len(missing)
        told = zip(missing, meant, strict=False)
        return None, [Fault(f"The model has no variable {name!r:.100}{close}.", variables_at) for name, close in told]
    try:
        made = model.build(variables)
    except ValueError as error:
        return None, [Fault(" ".join(str(error).split()), at)]
    spread = [name for name in variables if made.variables[name].domain]
    message = "{} varies in space, and cannot be compared with a column of data."
    return made, [Fault(message.format(name), variables_at) for name in spread]


def effective(config: Mapping[str, Any], parts: Mapping[str, Any], loading: Settings) -> Settings:
    """Return an objective's configuration with all defaults, without its data."""
    own = {"parameters": dict(config["parameters"])} if config["parameters"] else {}
    data = {"data": {"options": loading}} if loading else {}
    chosen = {name: value for name, value in parts.items() if value is not None}
    return {"type": config["type"]} | data | own | {"options": chosen}
