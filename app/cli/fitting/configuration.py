"""Configuration of a fit from the options of `fit`: a cell, a model, free parameters, and a file of measurements."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.cli.pipelines.client import Refused

COLUMNS = ("Time [s]", "Current [A]", "Voltage [V]")
FREE = re.compile(r"(?P<name>.+)=(?P<low>[^=]+?)\.\.(?P<high>[^=]+)")
WIDE = 10.0
"""Ratio of positive bounds from which the search works on logarithms."""
MAX_NUMBERS = 1_000_000
"""Numbers that a configuration may hold."""
FORM = '"Positive particle diffusivity [m2.s-1]=1e-15..1e-13"'
STORED = "db:"
INGEST = f"{(__package__ or '').removesuffix('.cli.fitting')}.battery.ingest"
"""Program that reads a measurement; `-P` leaves packages of the current folder out of its path."""


def free_parameter(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and configuration of a free parameter written as NAME=LOW..HIGH. Raises Refused."""
    match = FREE.fullmatch(text)
    if match is None:
        raise Refused(f"--free {text!r} must be a name and bounds, such as {FORM}.")
    try:
        low, high = float(match["low"]), float(match["high"])
    except ValueError:
        raise Refused(f"The bounds of --free {text!r} must be numbers, such as in {FORM}.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise Refused(f"The bounds of --free {text!r} must be finite, the lower first.")
    bounds: dict[str, Any] = {"bounds": [low, high]}
    if low > 0 and high / low >= WIDE:
        return match["name"].strip(), {"initial_value": math.sqrt(low * high), **bounds, "transform": "Log10"}
    return match["name"].strip(), {"initial_value": (low + high) / 2, **bounds}


def read_columns(file: Path, reader: str | None) -> tuple[dict[str, list[float]], list[str]]:
    """Return time, current and voltage of a measurement file, and what was changed in them. A process of its own reads
    the file. Raises Refused."""
    with tempfile.TemporaryDirectory(prefix="voltgraph-") as out:
        command = [sys.executable, "-P", "-m", INGEST, str(file), out, *([reader] if reader else [])]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = ran.stderr.strip().split("\n")
    if ran.returncode != 0:
        raise Refused(f"{file.name} cannot be read: {lines[-1] or f'its process ended with {ran.returncode}'}.")
    answer: dict[str, Any] = json.loads(ran.stdout)
    if "error" in answer:
        raise Refused(f"{file.name}: {answer['error']}")
    columns = answer["columns"]
    if missing := [name for name in COLUMNS if name not in columns]:
        there = ", ".join(columns)
        raise Refused(f"{file.name} lacks {' and '.join(missing)}; there are {there}. A fit needs all three.")
    if len(columns[COLUMNS[0]]) * len(COLUMNS) > MAX_NUMBERS:
        most = MAX_NUMBERS // len(COLUMNS)
        raise Refused(
            f"{file.name} has {len(columns[COLUMNS[0]]):,} rows; a configuration holds {most:,}. Upload the file by "
            "`upload`, and give its reference db:ID instead of the file."
        )
    return {name: columns[name] for name in COLUMNS}, answer["changes"]


def configuration(
    name: str,
    data: Mapping[str, Any] | str,
    cell: str,
    model: str,
    free: Sequence[str],
    *,
    project: str,
    initial_soc: float | None,
) -> dict[str, Any]:
    """Return a pipeline of a parameter set, an initial state of charge if one is given, and a fit."""
    parameters = dict(map(free_parameter, free))
    if len(parameters) < len(free):
        raise Refused("A parameter is given twice by --free.")
    start = {"start": {"element_type": "entry", "name": "InitialStateOfCharge", "value": initial_soc}}
    objective = {"type": "CurrentDriven", "data": {"data": data}, "options": {"model": {"type": model}}}
    fit = {
        "element_type": "data_fit",
        "objectives": {name: objective},
        "parameters": parameters,
        "optimizer": {"type": "ScipyLeastSquares"},
    }
    elements = {
        "cell": {"element_type": "entry", "parameter_set": cell},
        **({} if initial_soc is None else start),
        "fit": fit,
    }
    return {"project_id": project, "name": f"{name}: {model} of {cell}", "elements": elements}


def written(config: Mapping[str, Any]) -> str:
    """Return a configuration as JSON with each column of data on one line."""
    columns: list[str] = []

    def short(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: short(each) for name, each in value.items()}
        if isinstance(value, list):
            columns.append(json.dumps(value))
            return f"\x00{len(columns) - 1}\x00"
        return value

    text = json.dumps(short(config), indent=2, ensure_ascii=False)
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda match: columns[int(match[1])], text) + "\n"
