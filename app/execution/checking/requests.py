"""Requests to check configurations, the same for a run and for a check before it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from app.database.interface import Database
from app.execution.executor import Fault
from app.measurements import runs
from app.measurements.runs import RunData, WrongReference
from app.models.enums import ElementType


def job(name: str, kind: ElementType, config: str) -> dict[str, Any]:
    """Return an element as its child process receives it. `config` is JSON text."""
    return {"name": name, "type": kind.name, "config": orjson.Fragment(config)}


def check_request(jobs: Iterable[dict[str, Any]], data: dict[str, Any]) -> dict[str, Any]:
    """Return the request that has all elements of a pipeline checked. `data` tells of its measurements."""
    return {"kind": "check", "jobs": [*jobs], **data}


async def data_request(database: Database, run: RunData, folder: Path) -> dict[str, Any]:
    """Write the measurements of a run to a folder; return the part of a request that tells of them. Raises FileGone."""
    return {"measurements": await runs.write_files(database, run, folder), "readable": [str(folder)]}


def reference_fault(reference: WrongReference) -> Fault:
    """Return the problem of a reference that cannot be resolved."""
    return Fault(reference.message, reference.path)
