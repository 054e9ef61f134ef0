"""Documents of an entry: hostile JSON to parameter values, by PyBaMM's own reader of BPX."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pybamm
from pydantic import ValidationError

from app.battery.checks.fields import Path, shown
from app.battery.entries.bpx.formulas import Formula, WrongFormula, bpx, without_code
from app.battery.functions import Made
from app.battery.warnings.objective_warnings import value_warnings
from app.battery.warnings.result_warnings import ResultWarning
from app.execution.executor import Fault

PARAMETERISATION, HEADER, VALIDATION = "Parameterisation", "Header", "Validation"
MAX_NUMBERS = 500_000
"""Maximum numbers of a document."""
NOTE = "BPX_DOCUMENT"
"""Code of the warnings about a document."""


class ReadDocument(NamedTuple):
    """Values of a document, and what its reader assumed."""

    values: Made
    notes: list[str]
    header: dict[str, Any]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """Warnings of the result, in its JSON."""
        notes = [ResultWarning(NOTE, note) for note in self.notes]
        return [each.to_json() for each in (*notes, *value_warnings(self.values))]


def read_document(value: Any, path: Path) -> tuple[ReadDocument | None, list[Fault]]:
    """Read a BPX document. Return its values, or every problem."""
    if not isinstance(value, dict):
        return None, [Fault(f"`bpx` must be a BPX document, which is an object, not {shown(value)}.", path)]
    document = {name: each for name, each in value.items() if name != VALIDATION}
    if faults := list(_value_faults(document, path)):
        return None, faults
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"), without_code():
        warnings.simplefilter("always")
        try:
            parsed = bpx.parse_bpx_obj(_copy(document))
        except ValidationError as error:
            return None, [_fault(each, document, path) for each in error.errors(include_url=False)]
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
            return None, [Fault(f"It is no BPX document: {_said(error)}.", path)]
        if parsed.header.model not in ("DFN", "SPMe"):
            message = f"PyBaMM reads documents of the models DFN and SPMe, not {parsed.header.model}."
            return None, [Fault(message, (*path, HEADER, "Model"))]
        try:
            values = pybamm.ParameterValues.create_from_bpx_obj(_copy(document))
        except Exception as error:  # PyBaMM's reader needs more than the standard, and fails in any way without it
            return None, [Fault(f"PyBaMM cannot read the document: {_said(error)}.", path)]
    notes = list(dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, UserWarning)))
    return ReadDocument(_made(values), notes, {HEADER: document[HEADER]}), []


def _made(values: pybamm.ParameterValues) -> Made:
    return {name: value for name, value in values.items() if value is not None and not isinstance(value, list)}


def _copy(document: Any) -> Any:
    """Copy a document: `bpx` writes parsed objects into what it is given."""
    if isinstance(document, dict):
        return {name: _copy(each) for name, each in document.items()}
    return document


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it lacks {error.args[0]!s:.200}"
    return f"{type(error).__name__}: {error!s:.300}".rstrip(".")


def _value_faults(document: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """Yield the formulas that are none, and values that BPX does not have."""
    numbers = 0
    stack: list[tuple[Any, Path, bool]] = [(document, path, False)]
    while stack:
        value, at, is_parameter = stack.pop()
        if isinstance(value, dict):
            here = is_parameter or (len(at) == len(path) + 1 and at[-1] == PARAMETERISATION)
            stack += [(each, (*at, name), here) for name, each in reversed(value.items())]
        elif isinstance(value, list):
            stack += [(each, (*at, index), is_parameter) for index, each in enumerate(value)]
            numbers += len(value)
        elif isinstance(value, str) and is_parameter and at[-1] != "description":
            try:
                Formula(value)
            except WrongFormula as error:
                yield Fault(f"The formula cannot be read. {error}", at)
        elif isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
            yield Fault(f"BPX has no value {shown(value)}.", at)
        if numbers > MAX_NUMBERS:
            yield Fault(f"A document has at most {MAX_NUMBERS:,} numbers.", path)
            return


def _fault(error: Any, document: Any, path: Path) -> Fault:
    """Return a problem that `bpx` found, at its place: steps that only name alternatives of a type are left out."""
    place, value = list(path), document
    inner = document.get(PARAMETERISATION)
    steps = [each for each in error["loc"] if isinstance(each, str)]
    if steps and steps[0] not in document and isinstance(inner, dict):  # `bpx` checks the sections by themselves
        place, value = [*place, PARAMETERISATION], inner
    for step in error["loc"]:
        if isinstance(value, dict) and step in value:
            value = value[step]
            place.append(step)
    last = error["loc"][-1] if error["loc"] else None
    if error["type"] == "missing" and last is not None:
        place.append(last)
    return Fault(f"{error['msg']}.".replace("..", "."), tuple(place))
