"""Pytest plugin that records the malformed configurations of the battery tests for `test_equal.py`:

    python -m pytest -p tests.execution.checking.recorder tests/battery

It writes one of each kind of problem to `malformed.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.battery import executor
from app.execution.executor import Fault, Job

FILE = Path(__file__).with_name("malformed.json")
LONGEST = 3_000
"""Maximum characters of a recorded pipeline."""
VARIABLE = re.compile(r"\{.*\}|pybamm[\w.]+|'[^']*'|`[^`]*`|\"[^\"]*\"|[\d.e+-]+")

_found: dict[str, Any] = {}


def kind_of(found: Sequence[Sequence[Fault]]) -> str:
    """Return what problems have in common that differ in names and numbers only."""
    return json.dumps([sorted({VARIABLE.sub("_", fault.message) for fault in each}) for each in found])


def record(jobs: Sequence[Job], found: Sequence[Sequence[Fault]]) -> None:
    try:
        text = orjson.dumps([{"name": job.name, "type": job.type.name, "config": job.config} for job in jobs])
    except TypeError:  # a value that no client can send
        return
    kind = kind_of(found)
    if any(found) and len(text) <= LONGEST and len(text) < len(orjson.dumps(_found.get(kind, "x" * LONGEST))):
        _found[kind] = orjson.loads(text)


def pytest_configure(config: pytest.Config) -> None:
    names = vars(executor)
    check, parse = names["faults"], names["parse_element"]

    def faults(jobs: Sequence[Job]) -> Any:
        found = check(jobs)
        record(jobs, found)
        return found

    def parse_element(job: Job) -> Any:
        work, wrong = parse(job)
        record([job], [wrong])
        return work, wrong

    names |= {"faults": faults, "parse_element": parse_element}


def pytest_unconfigure(config: pytest.Config) -> None:
    lines = ",\n".join(orjson.dumps(_found[kind]).decode() for kind in sorted(_found))
    FILE.write_text(f"[\n{lines}\n]\n")
