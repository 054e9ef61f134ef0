"""Report of a run in a terminal: values, costs, standard errors, warnings and all failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli.terminal import printable

SHOWN = 12
"""Maximum number of values per element in the table."""
MAX_PROBLEMS = 20
"""Maximum number of problems of an element that are printed."""


def print_report(pipeline: Mapping[str, Any], elements: list[dict[str, Any]], console: Console) -> None:
    """Print the results of each element, and the status of the pipeline last."""
    console.print(_table(elements))
    for element in elements:
        for line in _lines(element):
            console.print(line, highlight=False)
    if pipeline["error"] and not any(element.get("error") for element in elements):
        console.print(f"[red]{pipeline['errorCode']}[/red] {_safe(pipeline['error'])}", highlight=False)
    console.print(pipeline["status"])


def _table(elements: list[dict[str, Any]]) -> Table:
    """Build the table of parameter values, with standard errors and bounds for fits."""
    known = [_known(element) for element in elements]
    has_errors = any(known)
    table = Table("Element", "Status", "Parameter", "Value", *(["Standard error"] if has_errors else []))
    for element, notes in zip(elements, known, strict=True):
        values = list((element["parameterValues"] or {}).items())
        name, status = element["name"], element["status"]
        for parameter, value in values[:SHOWN] or [("", "")]:
            row = name, status, parameter, _shown(value), *([notes.get(parameter, "")] if has_errors else [])
            table.add_row(*map(_safe, row))
            name = status = ""
        if len(values) > SHOWN:
            table.add_row("", "", f"… and {len(values) - SHOWN} more", "")
    return table


def _known(element: Mapping[str, Any]) -> dict[str, str]:
    """Return the uncertainty of each fitted parameter as text: its standard error, or why it has none."""
    result = element.get("result") or {}
    found = {name: f"± {error:.2g}" for name, error in _numbers(result.get("standard_errors")).items()}
    absent = _texts(result.get("uncertainty_absent"))
    at_bounds = {name: f"at its {side} bound" for name, side in _texts(result.get("at_bounds")).items()}
    return absent | at_bounds | found


def _lines(element: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that describe an element below the table."""
    name, result = _safe(element["name"]), element.get("result") or {}
    cost = result.get("cost")
    if _is_number(cost):
        ended = "" if result.get("success", True) is True else f", not converged: {result.get('message')}"
        yield f"{name}: cost {cost:.6g}{_safe(ended)}"
    for objective, statistics in _objects(result.get("summary_stats")).items():
        for statistic, by_variable in _objects(statistics).items():
            for variable, value in _numbers(by_variable).items():
                yield f"{name}: {_safe(f'{objective}, {statistic} of {variable}: {value:.6g}')}"
    for objective, reason in _texts(result.get("failed_objectives")).items():
        yield f"[red]{name}[/red]: {_safe(f'{objective} failed: {reason}')}"
    for warning in element.get("warnings") or []:
        about = ", ".join(filter(None, (element["name"], warning["objective"])))
        yield f"[yellow]{_safe(warning['code'])}[/yellow] " + _safe(f"{about}: {warning['message']}")
    if element.get("error"):
        yield f"[red]{element['errorCode']}[/red] {name}: {_safe(element['error'])}"
        problems = (element.get("errorDetail") or {}).get("problems")
        yield from _problems(problems if isinstance(problems, list) else [])


def _problems(problems: list[Any]) -> Iterator[str]:
    """Yield the problems of a configuration, each with its place."""
    for problem in problems[:MAX_PROBLEMS]:
        yield "  " + _safe(f"{'.'.join(map(str, problem['path']))}: {problem['message']}")
    if len(problems) > MAX_PROBLEMS:
        yield f"  … and {len(problems) - MAX_PROBLEMS} more"


def _safe(text: str) -> str:
    """Escape markup and control characters in a text of a configuration."""
    return escape(printable(text))


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:60]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _objects(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _numbers(value: Any) -> dict[str, float]:
    return {name: each for name, each in _objects(value).items() if _is_number(each)}


def _texts(value: Any) -> dict[str, str]:
    return {name: each for name, each in _objects(value).items() if isinstance(each, str)}
