"""Serializers of measurements and cells. JSON columns are passed through as stored text."""

from __future__ import annotations

from typing import Any

import orjson

from app.models.columns import instant_text
from app.models.enums import MeasurementStatus
from app.models.measurements import CellInstance, CellSpecification, Measurement

PROCESSING = {
    MeasurementStatus.UPLOADING: "pending",
    MeasurementStatus.PROCESSING: "pending",
    MeasurementStatus.READY: "ready",
    MeasurementStatus.FAILED: "failed",
}
"""The client's words of the status."""


def cell(row: CellSpecification | CellInstance) -> dict[str, Any]:
    own: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "project_id": row.project_id,
        "organization_id": row.organization_id,
        "created_by_email": row.created_by_email,
        "created_at": instant_text(row.created_at),
        "updated_at": instant_text(row.updated_at),
    }
    if isinstance(row, CellInstance):
        own["cell_specification_id"] = row.cell_specification_id
    return orjson.loads(row.details) | own  # type: ignore[no-any-return]


def measurement(row: Measurement) -> dict[str, Any]:
    details = orjson.loads(row.details)
    return {
        "id": row.id,
        "name": row.name,
        "cell_instance_id": row.cell_instance_id,
        "project_id": row.project_id,
        "organization_id": row.organization_id,
        "measurement_type": row.type.value,
        "notes": row.notes,
        "tags": orjson.Fragment(row.tags),
        "protocol": details.get("protocol"),
        "test_setup": details.get("test_setup"),
        "properties": details.get("properties"),
        "start_time": None if row.start_time is None else instant_text(row.start_time),
        "end_time": None if row.end_time is None else instant_text(row.end_time),
        "processing_status": PROCESSING[row.status],
        "processing_error": row.error,
        "rows": row.row_count,
        "bytes": row.byte_count,
        "sha256": row.sha256,
        "columns": _json(row.columns),
        "changes": _json(row.changes),
        "created_by_email": row.created_by_email,
        "created_at": instant_text(row.created_at),
        "updated_at": instant_text(row.updated_at),
    }


def page(items: list[dict[str, Any]], total: int) -> dict[str, Any]:
    return {"items": items, "count": len(items), "total": total}


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
