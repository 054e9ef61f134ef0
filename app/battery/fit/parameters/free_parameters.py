"""Parameters of a fit: free, fixed, or linked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.battery.checks.fields import MAX_TEXT, Field, Path, Settings, flag, is_number, number, one_of, settle, shown
from app.battery.checks.guard import TAG
from app.battery.fit.parameters.distributions import Distribution, Prior, distribution, prior
from app.battery.fit.parameters.links import Link, circles, link
from app.battery.fit.parameters.transforms import TRANSFORMS, Transform
from app.execution.executor import Fault

MAX_FREE = 100
MAX_PARAMETERS = 300


@dataclass(frozen=True, slots=True)
class FreeParameter:
    """A free parameter: physical values and its search coordinate."""

    name: str
    initial: float
    low: float
    high: float
    transform: Transform
    normalize: bool = True
    prior: Prior | None = None
    guess: Distribution | None = None
    effective: Settings = field(default_factory=dict)

    @property
    def bounded(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of a fit by name."""

    free: dict[str, FreeParameter]
    fixed: dict[str, float]
    links: dict[str, Link]

    @property
    def names(self) -> list[str]:
        return [*self.free, *self.fixed, *self.links]


def _bounds(value: Any) -> str | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return f"must be the lower and the upper bound, not {shown(value)}"
    for each, infinite in zip(value, (-math.inf, math.inf), strict=True):
        if not (each is None or is_number(each) or each == infinite):
            return f"must be numbers, or null where there is no bound, not {shown(value)}"
    low, high = _ends(value)
    return None if low < high else f"must be the lower and then the upper, not {shown(value)}"


def _ends(bounds: Any) -> tuple[float, float]:
    low, high = bounds if bounds is not None else (None, None)
    return (-math.inf if low is None else float(low), math.inf if high is None else float(high))


def _anything(value: Any) -> str | None:
    """Accept any value: the field has a check of its own."""
    return None


FIELDS = {
    "initial_value": Field(number(), None),
    "bounds": Field(_bounds, None),
    "prior": Field(_anything, None),
    "normalize": Field(flag, True),
    "check_bounds": Field(one_of(True), True),  # bounds in the wrong order mean nothing: they are always checked
    "check_initial_value": Field(flag, True),
    "initial_guess_distribution": Field(_anything, None),
    "transform": Field(one_of(*TRANSFORMS), "Identity"),
    "name": Field(lambda value: None if isinstance(value, str) else "must be text", None),
}

NOT_KEPT = ("name", "check_bounds", "check_initial_value")
"""Fields that are used only by the check of a parameter."""


def parameters(config: Any, priors: Any) -> tuple[Parameters | None, list[Fault]]:
    """Check the fields `parameters` and `priors` of a fit. Return the parameters, or every problem."""
    path: Path = ("parameters",)
    outer, faults = _priors(priors)
    if config is None:
        config = {name: {} for name in outer}
        path = ("priors",)
    if not isinstance(config, Mapping) or not 0 < len(config) <= MAX_PARAMETERS:
        message = f"`parameters` must be an object of 1 to {MAX_PARAMETERS} parameters, unless there are `priors`."
        return None, [*faults, Fault(message, ("parameters",))]
    found = Parameters({}, {}, {})
    for name, value in config.items():
        faults += _parameter(name, value, outer.get(name), found, (*path, name))
    faults += [
        Fault(f"{name} has a prior but is no free parameter of this fit.", ("priors", name))
        for name in outer
        if name in found.fixed or name in found.links or name not in config
    ]
    faults += [Fault(f"{name} follows from itself.", (*path, name)) for name in circles(found.links)]
    if not faults and not 0 < len(found.free) <= MAX_FREE:
        faults.append(Fault(f"From 1 to {MAX_FREE} parameters must be free, not {len(found.free)}.", path))
    return (None, faults) if faults else (found, [])


def _parameter(name: str, value: Any, outer: Prior | None, found: Parameters, path: Path) -> list[Fault]:
    if not name.strip() or len(name) > MAX_TEXT:
        return [Fault(f"A parameter's name must have from 1 to {MAX_TEXT} characters.", path)]
    if is_number(value):
        found.fixed[name] = float(value)
        return []
    if isinstance(value, Mapping) and TAG in value:
        made, faults = link(value, path)
        if made is not None:
            found.links[name] = made
        return faults
    if not isinstance(value, Mapping):
        message = "A parameter takes an object that says how it is fitted, a finite number or an expression, not {}."
        return [Fault(message.format(shown(value)), path)]
    free, faults = _free(name, value, outer, path)
    if free is not None:
        found.free[name] = free
    return faults


def _free(
    name: str, config: Mapping[str, Any], outer: Prior | None, path: Path
) -> tuple[FreeParameter | None, list[Fault]]:
    settings, faults = settle(FIELDS, config, path)
    if settings.get("name") not in (None, name):
        faults.append(Fault(f"`name` contradicts the key {shown(name)}, which counts. Leave it out.", (*path, "name")))
    inner = outer
    if settings.get("prior") is not None:
        inner, more = prior(settings["prior"], (*path, "prior"))
        faults += more
        if outer is not None:
            faults.append(Fault(f"{name} has a prior in `priors` too. Keep one.", (*path, "prior")))
    guess = None
    if settings.get("initial_guess_distribution") is not None:
        at = (*path, "initial_guess_distribution")
        guess, more = distribution(settings["initial_guess_distribution"], at, ("Uniform", "PointMass"))
        faults += more
    if faults:
        return None, faults
    return _placed(name, settings, inner, guess, path)


def _placed(
    name: str, settings: Settings, believed: Prior | None, guess: Distribution | None, path: Path
) -> tuple[FreeParameter | None, list[Fault]]:
    """Return the parameter within its bounds, which a prior may narrow."""
    low, high = _ends(settings["bounds"])
    if believed is not None:
        low, high = max(low, believed.distribution.low), min(high, believed.distribution.high)
    initial = _initial(settings, low, high, believed)
    faults = _place_faults(settings, initial, low, high, path)
    if guess is not None and not low <= guess.low <= guess.high <= high:
        message = "Starting points must be within the bounds."
        faults.append(Fault(message, (*path, "initial_guess_distribution")))
    effective = {name: value for name, value in settings.items() if value is not None and name not in NOT_KEPT}
    effective |= {"initial_value": initial, "bounds": [each if math.isfinite(each) else None for each in (low, high)]}
    if believed is not None:
        effective["prior"] = believed.effective
    transform = TRANSFORMS[settings["transform"]]
    made = FreeParameter(name, initial, low, high, transform, settings["normalize"], believed, guess, effective)
    return (None, faults) if faults else (made, [])


def _place_faults(settings: Settings, initial: float, low: float, high: float, path: Path) -> list[Fault]:
    transform = TRANSFORMS[settings["transform"]]
    faults = []
    if low >= high:
        faults.append(Fault("The prior and the bounds do not overlap.", (*path, "prior")))
    elif problem := transform.problem(low, high):
        message = f"The bounds {problem}: the parameter is searched as its {settings['transform']}."
        faults.append(Fault(message, (*path, "bounds")))
    if not low <= initial <= high:
        message = f"`initial_value` {initial:g} is outside the bounds, {low:g} to {high:g}."
        faults.append(Fault(message, (*path, "initial_value")))
    elif not faults and (problem := transform.problem(initial, initial)):
        faults.append(Fault(f"`initial_value` {problem} for this transform.", (*path, "initial_value")))
    return faults


def _initial(settings: Settings, low: float, high: float, believed: Prior | None) -> float:
    """Return the initial value: as given, or the middle of finite bounds, the prior's centre, or 1, clipped to the
    bounds."""
    given = settings["initial_value"]
    if given is not None:
        return float(given) if settings["check_initial_value"] else min(max(float(given), low), high)
    if math.isfinite(low) and math.isfinite(high):
        return (low + high) / 2
    return min(max(1.0 if believed is None else believed.distribution.centre, low), high)


def _priors(config: Any) -> tuple[dict[str, Prior], list[Fault]]:
    """Check the priors of the whole fit: an object by parameter, or a list of named items."""
    if config is None:
        return {}, []
    if isinstance(config, list):
        named = {
            index: (item.get("name") if isinstance(item, Mapping) else None, item) for index, item in enumerate(config)
        }
    elif isinstance(config, Mapping):
        named = {name: (name, item) for name, item in config.items()}
    else:
        return {}, [Fault(f"`priors` must be an object of priors by parameter, not {shown(config)}.", ("priors",))]
    if len(named) > MAX_FREE:
        return {}, [Fault(f"At most {MAX_FREE} priors are allowed.", ("priors",))]
    found: dict[str, Prior] = {}
    faults = []
    for key, (name, item) in named.items():
        made, more = prior(item, ("priors", key))
        faults += more
        if not isinstance(name, str) or name in found:
            faults.append(Fault("A prior in a list needs the `name` of a parameter, each once.", ("priors", key)))
        elif made is not None:
            found[name] = made
    return found, faults
