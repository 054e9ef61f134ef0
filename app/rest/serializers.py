"""Serializers: rows as REST responses. JSON columns are passed through as stored text."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from app.errors import Path, Rejected
from app.execution.executor import Fault
from app.models.columns import instant_text
from app.models.enums import DescribedEnum, ElementType, JobStatus
from app.models.tables import Checkpoint, JobLogLine, Pipeline, PipelineElement
from app.pipelines.elements import Element
from app.pipelines.results.parsed import ParsedResult


class StoredJson(Response):
    """Response of encoded JSON with the media type `application/json`. Not cacheable: caches cannot tell callers
    apart."""

    media_type = "application/json"

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        self.raw_headers += [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class JsonResponse(StoredJson):
    """Response encoded by orjson."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


JOB_TYPES = {
    ElementType.DIRECT_ENTRY: "entry",
    ElementType.DATA_FIT: "data_fit",
    ElementType.CALCULATION: "calculation",
    ElementType.VALIDATION: "validation",
}
PRIORITY = 5
"""Priority of every job: the official client's default."""


def check(elements: Sequence[Element], faults: Sequence[Sequence[Fault]]) -> dict[str, Any]:
    """Return the problems of a pipeline that is not stored."""
    problems = [
        {"element": element.name, "path": [*map(str, fault.path)], "message": fault.message}
        for element, found in zip(elements, faults, strict=True)
        for fault in found
    ]
    return {"is_valid": not problems, "problems": problems}


def submission(row: Pipeline) -> dict[str, Any]:
    return {
        "id": row.id,
        "project_id": row.project_id,
        "user_id": row.user_id,
        "name": row.name,
        "description": row.description,
        "labels": orjson.Fragment(row.labels),
        "options": {"live_progress_updates": row.live_progress_updates},
        "status": row.status.value,
        "is_terminal": row.is_terminal,
        "is_failed": row.status.is_failed,
        "created_at": instant_text(row.created_at),
        "updated_at": instant_text(row.updated_at),
        "started_at": None if row.started_at is None else instant_text(row.started_at),
        "finished_at": None if row.finished_at is None else instant_text(row.finished_at),
        "duration": row.duration,
        "error": row.error,
        "error_code": _word(row.error_code),
        "created_by_email": row.created_by_email,
        "organization_id": row.organization_id,
    }


def bulk(ids: Sequence[str], outcomes: Sequence[Pipeline | Rejected | None]) -> dict[str, Any]:
    """Serialize the outcome of each id: the pipeline, its refusal, or None for a deleted one."""
    entries = _bulk_entries(outcomes, "ids")
    return {"results": [{"id": id, **entry} for id, entry in zip(ids, entries, strict=True)]}


def bulk_created(outcomes: Sequence[Pipeline | Rejected]) -> dict[str, Any]:
    """Serialize the outcome of each pipeline to create."""
    return {"results": _bulk_entries(outcomes, "pipelines")}


def _bulk_entries(outcomes: Sequence[Pipeline | Rejected | None], field: str) -> list[dict[str, Any]]:
    return [_bulk_entry(outcome, ("body", field, place)) for place, outcome in enumerate(outcomes)]


def _bulk_entry(outcome: Pipeline | Rejected | None, place: Path) -> dict[str, Any]:
    if isinstance(outcome, Rejected):
        errors = [
            {"error_code": each.code.name, "message": each.message, "loc": [*place, *_within(each.path)]}
            for each in outcome.problems
        ]
        return {"pipeline": None, "errors": errors}
    return {"pipeline": None if outcome is None else submission(outcome), "errors": []}


def _within(path: Path) -> Path:
    """Return the path within an entry; the id of an entry is the entry itself."""
    return () if path == ("id",) else path


def element(row: PipelineElement, newest: Checkpoint | None = None) -> dict[str, Any]:
    return {
        "id": row.id,
        "pipeline_id": row.pipeline_id,
        "name": row.name,
        "element_order": row.element_order,
        "element_type": row.element_type.value,
        "job_config": orjson.Fragment(row.job_config),
        "job_id": row.job_id,
        "result": _json(row.result),
        "status": row.status.value,
        "created_at": instant_text(row.created_at),
        "updated_at": instant_text(row.updated_at),
        "error": row.error,
        "error_code": _word(row.error_code),
        "error_detail": _json(row.error_detail),
        "job_status": _word(row.job_status),
        "organization_id": row.organization_id,
        "progress": None if newest is None else {"best_cost": newest.best_cost},
    }


def job(row: PipelineElement, result: str | None) -> dict[str, Any]:
    status = row.job_status or JobStatus.PENDING
    return {
        "job_id": row.job_id,
        "status": status.value,
        "job_type": JOB_TYPES[row.element_type],
        "priority": PRIORITY,
        "created_at": instant_text(row.created_at),
        "updated_at": instant_text(row.updated_at),
        "is_terminal": status.is_terminal,
        "is_failed": status.is_failed,
        "error": row.error,
        "result": _json(result),
    }


def detail(row: Pipeline, elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {**submission(row), "elements": elements}


def result(elements: list[PipelineElement]) -> dict[str, Any]:
    """Return the result of a pipeline: the parameter values of its elements, later ones over earlier ones, and their
    results."""
    values: dict[str, Any] = {}
    for each in elements:
        if each.result is not None:
            values |= ParsedResult(each.result).parameter_values()
    results = {each.name: orjson.Fragment(each.result) for each in elements if each.result is not None}
    return {"result": {"parameter_values": values}, "element_results": results}


def log_line(row: JobLogLine) -> dict[str, Any]:
    """Return a line of the log of a job."""
    line = {"number": row.number, "attempt": row.attempt, "at": instant_text(row.at)}
    return {**line, "stream": row.stream.value, "text": row.text}


def _word(word: DescribedEnum | None) -> str | None:
    return None if word is None else word.value


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
