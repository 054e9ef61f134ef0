"""Results as Markdown: a section of RESULTS.md is replaced when its benchmark runs."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import apsw

RESULTS = Path(__file__).with_name("RESULTS.md")
OPENING = """# Measured

Written by `make bench`. Requests come from `wrk` over 16 connections; the server has one core, the load generator
another. Servers are loaded in turn, round after round, each once the disk has all that the one before left to be
written; what is compared are ratios within a round, of which the median is shown with the least and the greatest. Ids
and projects are drawn at random for each request. Absolute figures do not hold on another machine,
and ratios differ between processors and disks.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a run: durations, works, and whether to use few rows only."""

    rounds: int
    seconds: int
    works: Sequence[str]
    small: bool


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns align in plain text too."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def ratio(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} x ({min(ratios):.2f}-{max(ratios):.2f})"


def verdict(met: bool, target: str) -> str:
    return f"{target}: {'met' if met else 'NOT met'}"


def write(name: str, title: str, text: str, file: Path = RESULTS) -> None:
    """Replace a section of the report."""
    before = file.read_text() if file.exists() else OPENING
    section = f"<!-- {name} -->\n## {title}\n\n{text}\n\n{_machine()}\n<!-- /{name} -->\n"
    place = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->\n", re.DOTALL)
    file.write_text(place.sub(lambda _: section, before) if place.search(before) else f"{before}\n{section}")


def _machine() -> str:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        f"{' of the system' if sys.base_prefix == '/usr' else ''}, "
        f"SQLite {apsw.sqlite_lib_version()}, Node {node or 'absent'}."
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", information.read_text()) if information.exists() else None
    return found[1] if found else platform.processor()
