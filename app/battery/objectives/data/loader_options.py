"""Options of the data loader: the public schema's DataLoaderOptions and TimeRangeSpec, checked as raw JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.battery.checks.fields import Field, Path, flag, is_number, number, one_of, options, settle, shown, text, whole
from app.execution.executor import Fault

MAX_KNOTS = 1_000_000
"""Maximum number of points of `interpolate`."""
MAX_FILTERS = 100
MAX_WINDOW, MAX_ORDER = 10_001, 20
"""Maximum window length of a Savitzky-Golay filter, and maximum order of its polynomials."""


def _knots(value: Any) -> str | None:
    if isinstance(value, list):
        if 0 < len(value) <= MAX_KNOTS and all(map(is_number, value)):
            return None
        return f"must be a spacing or up to {MAX_KNOTS} finite numbers, not {shown(value)}"
    return number(above=0)(value)


def _filters(value: Any) -> str | None:
    fits = isinstance(value, dict) and len(value) <= MAX_FILTERS
    return None if fits else f"must be an object of at most {MAX_FILTERS} filters by column, not {shown(value)}"


def _step(value: Any) -> str | None:
    """Check a step: a row of the steps table, a query for one, or `{"cycle": n}` or `{"step": n}`."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        [inner] = value.values() if len(value) == 1 and set(value) <= {"cycle", "step"} else [None]
        return None if _is_whole(inner) else f'must be {{"cycle": n}} or {{"step": n}}, not {shown(value)}'
    return None if _is_whole(value) else f"must be a whole number, a query or an object, not {shown(value)}"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_KNOTS


TRANSFORMS = {
    **{
        name: Field(flag, None)
        for name in ("rest_to_ocp", "sort", "remove_duplicates", "remove_extremes", "keep_first_ocp_point")
    },
    "filters": Field(_filters, None),
    "interpolate": Field(_knots, None),
}
STEP_OPTIONS = ("first_step", "last_step")
LOADING = {
    "transforms": options(TRANSFORMS),
    **TRANSFORMS,
    **{name: Field(_step, None) for each in STEP_OPTIONS for name in (each, f"{each}_dict")},
    "capacity_column": Field(text, None),
}
FILTER = {"filter_type": Field(one_of("savgol")), "parameters": Field(lambda value: None)}
SAVGOL = {
    "window_length": Field(whole(1, MAX_WINDOW)),
    "polyorder": Field(whole(0, MAX_ORDER)),
    "deriv": Field(whole(0, MAX_ORDER), 0),
    "delta": Field(number(above=0), 1.0),
    "axis": Field(one_of(-1, 0), -1),
    "mode": Field(one_of("mirror", "constant", "nearest", "wrap", "interp"), "interp"),
    "cval": Field(number(), 0.0),
}
"""The parameters of scipy.signal.savgol_filter."""


class TooManyKnots(Exception):
    """A spacing yields too many points; `path` leads to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"`interpolate` makes more than {MAX_KNOTS} rows. Take a wider spacing.")
        self.path = path


@dataclass(frozen=True, slots=True)
class Options:
    """Effective options: value and path by name."""

    given: Mapping[str, tuple[Any, Path]]

    def __getitem__(self, name: str) -> Any:
        return self.given[name][0] if name in self.given else None

    def at(self, name: str) -> Path:
        return self.given[name][1] if name in self.given else ()

    @property
    def window(self) -> tuple[float, float] | None:
        found: tuple[float, float] | None = self["time_range"]
        return found

    @property
    def capacity(self) -> str | None:
        name: str | None = self["capacity_column"]
        return name

    @property
    def effective(self) -> dict[str, Any]:
        """Enabled options by name, as in the request."""
        found = {name: value for name, (value, _) in self.given.items() if value is not None and value is not False}
        if self.window is not None:
            found["time_range"] = list(self.window)
        return found

    def require_knots(self, count: float) -> None:
        if not count <= MAX_KNOTS:
            raise TooManyKnots(self.at("interpolate"))


def read_options(beside: Mapping[str, tuple[Any, Path]]) -> tuple[Options, list[Fault]]:
    """Return the effective options beside the data, and every problem."""
    found: dict[str, tuple[Any, Path]] = {}
    faults: list[Fault] = []
    if "options" in beside:
        given, path = beside["options"]
        if not isinstance(given, dict):
            return Options({}), [Fault(f"`options` must be an object, not {shown(given)}.", path)]
        settings, faults = settle(LOADING, given, path)
        if not faults:
            found = _in_effect(settings, path)
            faults += _twice(settings, path)
            faults += _filter_faults(*found["filters"]) if "filters" in found else []
    if "time_range" in beside:
        given, path = beside["time_range"]
        window, wrong = _window(given, path)
        found["time_range"] = window, path
        faults += wrong
    return Options(found), faults


def _in_effect(settings: Mapping[str, Any], path: Path) -> dict[str, tuple[Any, Path]]:
    """Collect the effective options with their paths. `transforms` override the options beside them; `first_step_dict`
    is an older name of `first_step`."""
    found: dict[str, tuple[Any, Path]] = {}
    for name in TRANSFORMS:
        inner = settings["transforms"][name]
        value, at = (settings[name], (*path, name)) if inner is None else (inner, (*path, "transforms", name))
        if value is not None:
            found[name] = value, at
    for name in STEP_OPTIONS:
        for spelling in (name, f"{name}_dict"):
            if settings[spelling] is not None:
                found[name] = settings[spelling], (*path, spelling)
    if settings["capacity_column"] is not None:
        found["capacity_column"] = settings["capacity_column"], (*path, "capacity_column")
    return found


def _twice(settings: Mapping[str, Any], path: Path) -> list[Fault]:
    return [
        Fault(f"`{name}_dict` is the older form of `{name}`. Keep the latter.", (*path, f"{name}_dict"))
        for name in STEP_OPTIONS
        if settings[name] is not None and settings[f"{name}_dict"] is not None
    ]


def _filter_faults(filters: Mapping[str, Any], path: Path) -> list[Fault]:
    faults: list[Fault] = []
    for name, each in filters.items():
        at = (*path, name)
        if not isinstance(each, dict):
            faults.append(Fault(f"A filter must be an object, not {shown(each)}.", at))
            continue
        settings, wrong = settle(FILTER, each, at)
        if not wrong and not isinstance(settings["parameters"], dict):
            wrong = [Fault(f"`parameters` must be an object, not {shown(each['parameters'])}.", (*at, "parameters"))]
        if not wrong:
            chosen, wrong = settle(SAVGOL, settings["parameters"], (*at, "parameters"))
            if not wrong and chosen["polyorder"] >= chosen["window_length"]:
                message = "`polyorder` must be less than `window_length`."
                wrong = [Fault(message, (*at, "parameters", "polyorder"))]
        faults += wrong
    return faults


def _window(given: Any, path: Path) -> tuple[tuple[float, float] | None, list[Fault]]:
    """Return the first and last second of the time window; `duration` gives the last relative to the first."""
    message = "`time_range` must be an object of `start` and `end` (or `duration`) in seconds, in that order."
    keys = set(given) if isinstance(given, dict) else set()
    if keys not in ({"start", "end"}, {"start", "duration"}) or not all(map(is_number, given.values())):
        return None, [Fault(message, path)]
    start = float(given["start"])
    end = float(given["end"]) if "end" in keys else start + float(given["duration"])
    return ((start, end), []) if start <= end else (None, [Fault(message, path)])
