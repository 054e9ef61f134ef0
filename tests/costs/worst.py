"""Rows with the most expensive answers: 250 elements in every pipeline, long traces, long series, large configurations
and results."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import apsw
import numpy as np
import orjson

from app.auth.caller import LOCAL
from app.measurements.ingestion import MOST_PREVIEW
from app.models.enums import HISTORY
from app.pipelines.elements import MAX_ELEMENTS, MAX_NAME

PIPELINES = 100
"""Maximum page of pipelines."""
LARGE, TRACED, SAMPLED = 1, 2, 3
"""Pipelines, by number, whose elements have large configurations, long traces or long series."""
LARGE_BYTES, SMALL_BYTES = 200_000, 800
TRACE, LONGEST_TRACE = 1_000, 20_000
LINES = 500
ROWS, LONG_ROWS, CHANNELS, LONG_SERIES = 1_000, 100_000, 6, 8
HISTORY_ROWS, HISTORY_COLUMNS = 5_000, 4
MEASUREMENTS, STEPS = 50, 2_000
OBJECTIVE, LONG_OBJECTIVE = "o", "long"
AT = "2026-01-01T00:00:00.000001Z"
Row = tuple[Any, ...]


def pipeline_id(number: int) -> str:
    return str(UUID(int=number))


def element_id(pipeline: int, number: int) -> str:
    return str(UUID(int=2**64 + pipeline * 1000 + number))


def job_id(pipeline: int, number: int) -> str:
    return str(UUID(int=2**65 + pipeline * 1000 + number))


def measurement_id(number: int) -> str:
    return str(UUID(int=2**66 + number))


def fill(file: str) -> None:
    """Write all rows into a migrated SQLite file."""
    database = apsw.Connection(file)
    database.execute("PRAGMA synchronous=OFF")
    with database:
        for table, rows in (
            ("pipeline", _pipelines()),
            ("pipeline_element", _elements()),
            ("checkpoint", _checkpoints()),
            ("series_channel", _channels()),
            ("series_channel", _histories()),
            ("job_log", _lines()),
            ("measurement", _measurements()),
            ("measurement_channel", _previews()),
            ("pipeline_measurement", _uses()),
        ):
            _insert(database, table, rows)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _insert(database: apsw.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows)
    sql = f"INSERT INTO {table} ({', '.join(first)}) VALUES ({', '.join('?' * len(first))})"
    database.execute(sql, tuple(first.values()))
    database.executemany(sql, (tuple(row.values()) for row in rows))


def _pipelines() -> Iterator[dict[str, Any]]:
    for number in range(1, PIPELINES + 1):
        name = f"Pipeline {number} ".ljust(MAX_NAME, "n")
        yield {
            "id": pipeline_id(number),
            "organization_id": LOCAL.organization_id,
            "project_id": "project",
            "name": name,
            "folded_name": name.casefold(),
            "description": "d" * 10_000,
            "status": "COMPLETED",
            "created_at": AT,
            "updated_at": AT,
            "started_at": AT,
            "finished_at": AT,
            "attempt": 1,
        }


def _elements() -> Iterator[dict[str, Any]]:
    small = _json(SMALL_BYTES)
    large = _json(LARGE_BYTES)
    for pipeline in range(1, PIPELINES + 1):
        text = large if pipeline == LARGE else small
        for number in range(1, MAX_ELEMENTS + 1):
            yield {
                "id": element_id(pipeline, number),
                "pipeline_id": pipeline_id(pipeline),
                "organization_id": LOCAL.organization_id,
                "name": f"Element {number} ".ljust(60, "n"),
                "element_order": number,
                "element_type": "DATA_FIT",
                "status": "COMPLETED",
                "job_id": job_id(pipeline, number),
                "job_status": "COMPLETED",
                "created_at": AT,
                "updated_at": AT,
                "started_at": AT,
                "finished_at": AT,
                "attempt": 1,
                "error_detail": '{"cause": "none"}',
                "result": text,
                "job_config": text,
            }


def _json(size: int) -> str:
    """Build a result or a configuration of about this many bytes, half of it what a fit knows of its values."""
    draw = Random(size)
    values = {f"Parameter {number} [m]": draw.random() for number in range(size // 90 + 1)}
    fitted = dict(list(values.items())[: len(values) // 3])
    known = {"initial_guess": fitted, "standard_errors": fitted, "warnings": [{"code": "C", "message": "m"}] * 5}
    return orjson.dumps({"parameter_values": values, "cost": 0.5} | known).decode()


def _checkpoints() -> Iterator[dict[str, Any]]:
    parameters = orjson.dumps({f"Parameter {number} [m]": 1.25 * number for number in range(8)}).decode()
    for pipeline in range(1, PIPELINES + 1):
        for number in range(1, MAX_ELEMENTS + 1):
            length = TRACE if pipeline == TRACED else 2
            if pipeline == LARGE and number == 1:
                length = LONGEST_TRACE
            for place in range(1, length + 1):
                yield {
                    "element_id": element_id(pipeline, number),
                    "number": place,
                    "at": AT,
                    "iteration": place,
                    "cost": 1 / place,
                    "best_cost": 1 / place,
                    "parameters": parameters,
                }


def _channels() -> Iterator[dict[str, Any]]:
    draw = np.random.default_rng(1)
    short, long = (draw.random(rows).astype("<f8").tobytes() for rows in (ROWS, LONG_ROWS))
    for number in range(1, MAX_ELEMENTS + 1):
        for objective, samples in ((OBJECTIVE, short), (LONG_OBJECTIVE, long)):
            if objective == LONG_OBJECTIVE and number > LONG_SERIES:
                continue
            for position in range(CHANNELS):
                yield _channel(SAMPLED, number, objective, position, samples)


def _histories() -> Iterator[dict[str, Any]]:
    """Rows of every evaluation of each fit of one pipeline."""
    samples = np.random.default_rng(2).random(HISTORY_ROWS).astype("<f8").tobytes()
    for number in range(1, MAX_ELEMENTS + 1):
        for position in range(HISTORY_COLUMNS):
            yield _channel(SAMPLED, number, HISTORY, position, samples)


def _channel(pipeline: int, number: int, objective: str, position: int, samples: bytes) -> dict[str, Any]:
    return {
        "element_id": element_id(pipeline, number),
        "objective": objective,
        "source": "OPTIMAL",
        "position": position,
        "series_number": 0,
        "name": f"Channel {position}",
        "samples": samples,
    }


def _lines() -> Iterator[dict[str, Any]]:
    for number in range(1, MAX_ELEMENTS + 1):
        for place in range(1, LINES + 1):
            text = f"line {place} ".ljust(200, "l")
            yield {
                "element_id": element_id(TRACED, number),
                "number": place,
                "attempt": 1,
                "at": AT,
                "stream": "STDOUT",
                "text": text,
            }


def _measurements() -> Iterator[dict[str, Any]]:
    columns = [{"name": f"Column {n} [V]", "unit": "V", "min": 0, "max": 1, "missing": 0} for n in range(50)]
    steps = {f"column {n}": list(range(STEPS)) for n in range(8)}
    for number in range(1, MEASUREMENTS + 1):
        name = f"Measurement {number} ".ljust(MAX_NAME, "n")
        yield {
            "id": measurement_id(number),
            "organization_id": LOCAL.organization_id,
            "project_id": "project",
            "name": name,
            "folded_name": name.casefold(),
            "type": "TIME_SERIES",
            "status": "READY",
            "created_at": AT,
            "updated_at": AT,
            "attempt": 1,
            "row_count": MOST_PREVIEW,
            "tags": "[]",
            "details": orjson.dumps({"notes": "n" * 10_000}).decode(),
            "columns": orjson.dumps(columns).decode(),
            "changes": orjson.dumps(["changed"] * 50).decode(),
            "steps": orjson.dumps(steps).decode(),
            "cycles": orjson.dumps(steps).decode(),
        }


def _previews() -> Iterator[dict[str, Any]]:
    samples = np.random.default_rng(3).random(MOST_PREVIEW).astype("<f8").tobytes()
    for number in range(1, MEASUREMENTS + 1):
        for position in range(CHANNELS):
            yield {
                "measurement_id": measurement_id(number),
                "position": position,
                "name": f"Column {position} [V]",
                "samples": samples,
            }


def _uses() -> Iterator[dict[str, Any]]:
    for pipeline in range(1, PIPELINES + 1):
        for number in range(1, MEASUREMENTS + 1):
            yield {"pipeline_id": pipeline_id(pipeline), "measurement_id": measurement_id(number)}
