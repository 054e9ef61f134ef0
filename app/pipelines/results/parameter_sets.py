"""Parameter sets: the merged parameter values of a pipeline as files of other programs."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from app.models.enums import DescribedEnum
from app.pipelines.results.parsed import ParameterValue, ParsedResult, merged_parameters, merged_values

COLUMNS = ("name", "unit", "value", "standard error", "lower", "upper", "element")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of texts that spreadsheets take for formulas."""
JSON_TYPE, CSV_TYPE = "application/json", "text/csv; charset=utf-8; header=present"
MOST_NAME = 80
"""Maximum characters of a pipeline's name in the name of a file."""


class ParameterSetFormat(DescribedEnum):
    """Format of a parameter set."""

    PYBAMM = "pybamm", "JSON that `pybamm.ParameterValues.from_json` reads, functions and tables included."
    BPX = "bpx", "A document of the standard Battery Parameter eXchange; `omitted` lists what it cannot hold."
    CSV = "csv", "Names, units, values, standard errors and confidence intervals; no functions."


class OmittedParameter(NamedTuple):
    """A parameter that a set does not hold, or not exactly, and the reason."""

    name: str
    reason: str


class ParameterSet(NamedTuple):
    """A parameter set as a file."""

    format: ParameterSetFormat
    file_name: str
    media_type: str
    content: str
    omitted: list[OmittedParameter]


Charge = Callable[[float], None]
"""Charges the key of the caller for seconds of CPU time. Raises RateLimited."""


class BpxExporter(Protocol):
    """Exporter of BPX documents."""

    async def bpx(self, values: Mapping[str, Any], title: str, charge: Charge) -> dict[str, Any]:
        """Return a BPX `document` of parameter values, and what it does not hold: `omitted`. The caller is charged for
        the seconds. Raises RequestError."""
        ...


Results = Sequence[tuple[str, ParsedResult]]
"""Results of the elements of a pipeline with the names of these, in their order."""


async def parameter_set(
    name: str, results: Results, format: ParameterSetFormat, exporter: BpxExporter, charge: Charge
) -> ParameterSet | None:
    """Return the parameter set of a pipeline with a name; None without a result. Raises RequestError."""
    if not results:
        return None
    if format is ParameterSetFormat.BPX:
        return await _bpx(name, results, exporter, charge)
    return await asyncio.to_thread(_csv if format is ParameterSetFormat.CSV else _pybamm, name, results)


async def _bpx(name: str, results: Results, exporter: BpxExporter, charge: Charge) -> ParameterSet:
    values = {key: value for key, value in _values(results).items() if value is not None}
    found = await exporter.bpx(values, name, charge)
    omitted = [OmittedParameter(each["name"], each["reason"]) for each in found["omitted"]]
    content = await asyncio.to_thread(_json, found["document"])
    return ParameterSet(
        ParameterSetFormat.BPX, f"{_stem(name)}.bpx.json", JSON_TYPE, content, [*omitted, *_nulls(results)]
    )


def _pybamm(name: str, results: Results) -> ParameterSet:
    """Write the values as PyBaMM's serialisation has them, which is that of results."""
    values = {key: value for key, value in _values(results).items() if value is not None}
    file_name = f"{_stem(name)}.pybamm.json"
    return ParameterSet(ParameterSetFormat.PYBAMM, file_name, JSON_TYPE, _json(values), _nulls(results))


def _csv(name: str, results: Results) -> ParameterSet:
    """Write a row for each parameter; the value of a function is empty."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    omitted = _nulls(results)
    for each in merged_parameters(results):
        rows.writerow(_row(each))
        if each.value is None and not isinstance(each.raw, str):
            reason = "It is a function or a table, which CSV does not hold; its value is empty."
            omitted.append(OmittedParameter(each.name, reason))
    return ParameterSet(ParameterSetFormat.CSV, f"{_stem(name)}.csv", CSV_TYPE, file.getvalue(), omitted)


def _row(each: ParameterValue) -> list[str]:
    value = _text(each.raw) if isinstance(each.raw, str) else _number(each.value)
    numbers = map(_number, (each.standard_error, each.lower, each.upper))
    return [_text(each.name), _text(each.unit or ""), value, *numbers, _text(each.element)]


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else text


def _values(results: Results) -> dict[str, Any]:
    return merged_values([result for _, result in results], None) or {}


def _nulls(results: Results) -> list[OmittedParameter]:
    return [OmittedParameter(name, "It has no value.") for name, value in _values(results).items() if value is None]


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _stem(name: str) -> str:
    """Return a pipeline's name as that of a file on any system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:MOST_NAME].rstrip("-.") or "pipeline"
