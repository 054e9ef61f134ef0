"""Results of elements, parsed once for all fields that read a part of them.

Results were written by any version, or by an executor of the operator's own: a part of an unexpected form is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

import orjson

from app.pipelines.budget import size_of

UNIT = re.compile(r"\[([^\[\]]+)\]$")
"""Unit at the end of a parameter's name."""
MOST_INT = 2**31 - 1
"""Largest integer of GraphQL's Int."""


class ResultWarning(NamedTuple):
    """A reason why a result may be untrustworthy."""

    code: str
    message: str
    parameter: str | None = None
    objective: str | None = None


WARNING_FIELDS = ("code", "message", "parameter", "objective")
"""Fields of a stored warning; the first two are always present."""


class ParameterValue(NamedTuple):
    """A parameter value of a result, with what a fit knows about it. `element` is the element that gave it."""

    name: str
    unit: str | None
    value: float | None
    """None for functions and texts."""
    raw: Any
    element: str
    initial_value: float | None = None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence_level: float | None = None
    at_bound: bool | None = None
    bounds: list[float | None] | None = None


class Statistic(NamedTuple):
    """A statistic of one variable of an objective."""

    name: str
    variable: str | None
    value: float | None


class ObjectiveSummary(NamedTuple):
    """Statistics of one objective of a validation, or the reason why it has none."""

    name: str
    statistics: list[Statistic]
    error: str | None = None


class ParsedResult:
    """Result of an element, parsed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._result = as_object(orjson.loads(text))

    @cached_property
    def size(self) -> int:
        """Size of the stored result in bytes."""
        return size_of(self._text)

    @cached_property
    def warnings(self) -> list[ResultWarning]:
        """Well-formed warnings."""
        found = self._result.get("warnings")
        return list(_warnings(found)) if isinstance(found, list) else []

    @cached_property
    def values(self) -> dict[str, Any]:
        """All parameter values."""
        return as_object(self._result.get("parameter_values"))

    def parameter_values(self, names: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the parameter values, limited to `names`."""
        values = self.values
        return values if names is None else {name: values[name] for name in names if name in values}

    def parameters(self, element: str) -> Sequence[ParameterValue]:
        """Return the parameter values of an element with what its fit knows about them. A null is no value."""
        return merged_parameters([(element, self)])

    def parameter(self, name: str, element: str) -> ParameterValue:
        """Return one of the parameter values of an element."""
        raw = self.values[name]
        is_free = name in self._part("initial_guess")
        return self._fitted(name, raw, element) if is_free else parameter(name, raw, element)

    def number(self, name: str) -> float | None:
        """Return a field that is a finite number."""
        return as_number(self._result.get(name))

    def integer(self, name: str) -> int | None:
        """Return a field that is a number of GraphQL's Int."""
        value = self._result.get(name)
        return value if type(value) is int and abs(value) <= MOST_INT else None

    def flag(self, name: str) -> bool | None:
        """Return a field that is true or false."""
        value = self._result.get(name)
        return value if isinstance(value, bool) else None

    def text(self, name: str) -> str | None:
        """Return a field that is a text."""
        value = self._result.get(name)
        return value if isinstance(value, str) else None

    @cached_property
    def summaries(self) -> list[ObjectiveSummary]:
        """Statistics by objective, and failed objectives."""
        found = [ObjectiveSummary(n, list(_statistics(each))) for n, each in self._part("summary_stats").items()]
        failed = [ObjectiveSummary(n, [], e) for n, e in self._part("failed_objectives").items() if isinstance(e, str)]
        return found + failed

    @cached_property
    def objective_types(self) -> dict[str, str]:
        """Types of the objectives by name, from the configuration with all defaults."""
        types = {name: as_object(each).get("type") for name, each in as_object(self._effective("objectives")).items()}
        return {name: kind for name, kind in types.items() if isinstance(kind, str)}

    def _fitted(self, name: str, raw: Any, element: str) -> ParameterValue:
        """Return a free parameter of a fit."""
        interval = as_object(self._part("confidence_intervals").get(name))
        lower, upper = as_number(interval.get("lower")), as_number(interval.get("upper"))
        has_interval = lower is not None and upper is not None
        bounds = as_object(as_object(self._effective("parameters")).get(name)).get("bounds")
        pair = bounds if isinstance(bounds, list) and len(bounds) == 2 else None
        return parameter(name, raw, element)._replace(
            initial_value=as_number(self._part("initial_guess").get(name)),
            standard_error=as_number(self._part("standard_errors").get(name)),
            lower=lower if has_interval else None,
            upper=upper if has_interval else None,
            confidence_level=self.number("confidence_level") if has_interval else None,
            at_bound=name in self._part("at_bounds") if "at_bounds" in self._result else None,
            bounds=None if pair is None else [as_number(each) for each in pair],
        )

    def _part(self, name: str) -> dict[str, Any]:
        return as_object(self._result.get(name))

    def _effective(self, name: str) -> Any:
        return self._part("effective_config").get(name)


class ResultParser:
    """Parser that keeps the results of one operation, so that its fields share one parse of each. The budget of the
    answer bounds their bytes."""

    __slots__ = ("_parsed",)

    def __init__(self) -> None:
        self._parsed: dict[str, ParsedResult] = {}

    def __call__(self, text: str | None) -> ParsedResult | None:
        """Return the parsed result; None without a result."""
        if text is None:
            return None
        if (found := self._parsed.get(text)) is None:
            found = self._parsed[text] = ParsedResult(text)
        return found


def parameter(name: str, raw: Any, element: str) -> ParameterValue:
    """Return a parameter value that no fit knows more about."""
    found = UNIT.search(name)
    return ParameterValue(name, found and found[1], as_number(raw), raw, element)


def merged_values(results: Sequence[ParsedResult], names: Sequence[str] | None) -> dict[str, Any] | None:
    """Return the parameter values of elements in their order, later ones over earlier ones, limited to `names`; None
    without a result."""
    values: dict[str, Any] = {}
    for each in results:
        values |= each.values
    if not results:
        return None
    return values if names is None else {name: values[name] for name in names if name in values}


class ParameterList(Sequence[ParameterValue]):
    """Parameter values that are made when they are read: their number is known before, so that it can be charged."""

    def __init__(self, places: Iterable[tuple[str, str, ParsedResult]]) -> None:
        self._places = list(places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> ParameterValue: ...
    @overload
    def __getitem__(self, place: slice) -> ParameterList: ...
    def __getitem__(self, place: int | slice) -> ParameterValue | ParameterList:
        if isinstance(place, slice):
            return ParameterList(self._places[place])
        name, element, result = self._places[place]
        return result.parameter(name, element)


def merged_parameters(results: Sequence[tuple[str, ParsedResult]]) -> ParameterList:
    """Return the parameter values of elements, by name, in their order: later ones over earlier ones."""
    found: dict[str, tuple[str, ParsedResult]] = {}
    for element, result in results:
        found |= {name: (element, result) for name, raw in result.values.items() if raw is not None}
    return ParameterList((name, *place) for name, place in found.items())


def as_object(value: Any) -> dict[str, Any]:
    """Return an object; an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def as_number(value: Any) -> float | None:
    """Return a finite number; None for any other value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _warnings(found: list[Any]) -> Iterator[ResultWarning]:
    for each in map(as_object, found):
        code, message, *others = (each.get(name) for name in WARNING_FIELDS)
        if isinstance(code, str) and isinstance(message, str) and all(isinstance(it, str | None) for it in others):
            yield ResultWarning(code, message, *others)


def _statistics(found: Any) -> Iterator[Statistic]:
    """Yield the statistics of an objective: numbers by variable, or numbers."""
    for name, value in as_object(found).items():
        if isinstance(value, Mapping):
            yield from (Statistic(name, variable, as_number(each)) for variable, each in value.items())
        else:
            yield Statistic(name, None, as_number(value))
