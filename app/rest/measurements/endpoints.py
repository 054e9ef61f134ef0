"""REST endpoints of measurements."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import Problem, ProblemCode, Rejected, not_found
from app.measurements import cells, confirmation, repository, service
from app.measurements.inputs import MeasurementCreate, MeasurementUpdate, parse_create, parse_update
from app.measurements.orders import MeasurementOrder
from app.measurements.uploads import UploadLimits
from app.models.enums import FileKind, MeasurementFormat, MeasurementStatus, MeasurementType
from app.models.measurements import CellInstance, Measurement
from app.pipelines.budget import size_of
from app.pipelines.lists.row_filters import predicate
from app.rest.authentication import services
from app.rest.measurements import schemas, serializers
from app.rest.measurements.listing import measurement_filter, order
from app.rest.measurements.schemas import (
    ConfirmBody,
    InitiateBody,
    MeasurementFields,
    MeasurementPatch,
    MeasurementQuery,
    PropertiesBody,
)
from app.rest.pipelines import NOT_FOUND, NOT_NOW, By, In, Most, no_nul
from app.rest.route import StrictRoute
from app.rest.serializers import JsonResponse

FILE_NAME = "time_series.parquet"
WAIT = 5.0
"""Seconds for which a confirmation waits until a small file is read, so that its client need not poll."""
DETAILS = ("protocol", "test_setup")

of_cells = APIRouter(
    prefix="/cell_instances", tags=["Measurement"], route_class=StrictRoute, dependencies=[Depends(no_nul)]
)
measurements = APIRouter(
    prefix="/cell_measurements", tags=["Measurement"], route_class=StrictRoute, dependencies=[Depends(no_nul)]
)


def upload_limits(request: Request) -> UploadLimits:
    settings = request.app.state.settings
    return UploadLimits(settings.max_file_bytes, settings.max_stored_bytes)


Limits = Annotated[UploadLimits, Depends(upload_limits)]


async def found(db: Database, by: Caller, id: str) -> Measurement:
    """Load a measurement whose upload was confirmed. Raises NOT_FOUND."""
    row = await repository.measurement(db, by, id)
    if row is None or row.status is MeasurementStatus.UPLOADING:
        raise not_found("measurement", "id")
    return row


def _draft(cell_instance_id: str, fields: MeasurementFields) -> MeasurementCreate:
    draft = parse_create(
        project_id=None,
        name=fields.name,
        notes=fields.notes,
        tags=fields.tags,
        cell_instance_id=cell_instance_id,
        format=MeasurementFormat.PARQUET,
        file_name=FILE_NAME,
    )
    return replace(draft, fields=_details(fields), times=_times(fields))


def _details(fields: MeasurementFields) -> dict[str, Any]:
    return {name: getattr(fields, name) for name in DETAILS if name in fields.model_fields_set}


def _times(fields: MeasurementFields) -> dict[str, Any]:
    names = ("start_time", "end_time")
    return {name: getattr(fields, name) for name in names if name in fields.model_fields_set}


def _changes(fields: MeasurementFields) -> MeasurementUpdate:
    given = fields.model_fields_set
    texts: dict[str, Any] = {name: getattr(fields, name) for name in ("name", "notes", "tags") if name in given}
    changes = parse_update(texts)
    return replace(changes, values=changes.values | _times(fields), fields=_details(fields))


def _below(step: str, work: Rejected) -> Rejected:
    """Return the problems of an object within the body."""
    if type(work) is not Rejected:
        return work
    return Rejected(*(Problem(each.code, each.message, (step, *each.path)) for each in work.problems))


@of_cells.get("/{id}/cell_measurements", response_model=schemas.MeasurementPage, responses=NOT_FOUND)
async def list_of_cell(id: str, query: Annotated[MeasurementQuery, Query()], db: In, by: By) -> Response:
    """List the measurements of a cell instance."""
    await cells.find(db, by, CellInstance, id)
    filter = measurement_filter(query, predicate(Measurement, "cell_instance_id", "eq", id))
    return await _listed(db, by, query, filter)


@of_cells.post("/{id}/cell_measurements/initiate-upload", response_model=schemas.Initiated, responses=NOT_NOW)
async def initiate_upload(id: str, body: InitiateBody, request: Request, db: In, by: By, limits: Limits) -> Response:
    """Begin the upload of a measurement: PUT its Parquet file to `signed_url`, then confirm. Steps are always derived
    from the file, so that there is no address for them."""
    try:
        draft = _draft(id, body.measurement)
    except Rejected as rejected:
        raise _below("measurement", rejected) from None
    row, right = await service.create(db, by, draft, limits)
    assert right is not None
    target = {
        "filename": FILE_NAME,
        "signed_url": f"{str(request.base_url).rstrip('/')}{right.path}",
        "token": right.token,
        "path": f"{row.id}/{FILE_NAME}",
        "multipart": None,
    }
    return JsonResponse({"measurement_id": row.id, "uploads": [target]})


@of_cells.post("/{id}/cell_measurements/create", status_code=201, response_model=schemas.Measurement, responses=NOT_NOW)
async def create_properties(id: str, body: PropertiesBody, db: In, by: By, limits: Limits) -> Response:
    """Create a measurement of single values."""
    draft = replace(
        _draft(id, body),
        type=MeasurementType.PROPERTIES,
        format=None,
        file_name=None,
        fields=_details(body) | {"properties": body.properties},
    )
    row, _ = await service.create(db, by, draft, limits)
    return JsonResponse(serializers.measurement(row), 201)


@measurements.get("", response_model=schemas.MeasurementPage)
async def list_measurements(query: Annotated[MeasurementQuery, Query()], db: In, by: By) -> Response:
    """List measurements of all cells."""
    return await _listed(db, by, query, measurement_filter(query))


async def _listed(db: Database, by: Caller, query: MeasurementQuery, filter: Any) -> Response:
    rows, total = await repository.listing(db, by, filter, order(MeasurementOrder, query), query.offset, query.limit)
    return JsonResponse(serializers.page([serializers.measurement(row) for row in rows], total))


@measurements.post("/{id}/confirm-upload", response_model=schemas.Confirmed, responses=NOT_NOW)
async def confirm_upload(id: str, body: ConfirmBody, request: Request, db: In, by: By) -> Response:
    """Confirm an upload: its file is read. Waits up to 5 s for a small file; poll `processing_status` of a larger
    one."""
    try:
        changes = _changes(body.measurement)
    except Rejected as rejected:
        raise _below("measurement", rejected) from None
    await confirmation.confirm(db, by, id, body.cell_instance_id, changes)
    with suppress(TimeoutError):
        async with asyncio.timeout(WAIT), aclosing(services(request).measurements.states(by, id)) as states:
            async for _ in states:
                pass
    return JsonResponse(serializers.measurement(await found(db, by, id)) | {"steps_created": 0})


@measurements.get("/{id}", response_model=schemas.Measurement, responses=NOT_FOUND)
async def get_measurement(id: str, db: In, by: By) -> Response:
    """Get a measurement."""
    return JsonResponse(serializers.measurement(await found(db, by, id)))


@measurements.patch("/{id}", response_model=schemas.Measurement, responses=NOT_NOW)
async def update_measurement(id: str, patch: MeasurementPatch, db: In, by: By) -> Response:
    """Change the metadata of a measurement."""
    await found(db, by, id)
    return JsonResponse(serializers.measurement(await service.update(db, by, id, _changes(patch))))


@measurements.delete("/{id}", status_code=204, responses=NOT_NOW)
async def delete_measurement(id: str, db: In, by: By) -> None:
    """Delete a measurement. One that a pipeline needs which has not ended is refused."""
    await found(db, by, id)
    await service.delete(db, by, id)


@measurements.get("/{id}/time_series/download", status_code=307, responses=NOT_NOW)
async def download_time_series(id: str, request: Request, db: In, by: By) -> Response:
    """Redirect to the columns as Parquet: the file as it came, unless its reader changed something."""
    row = await _ready(db, by, id)
    unchanged = row.format is MeasurementFormat.PARQUET and orjson.loads(row.changes or "[]") == []
    return await _redirect(request, db, by, id, FileKind.UPLOAD if unchanged else FileKind.TABLE)


@measurements.get("/{id}/steps/download", status_code=307, responses=NOT_NOW)
async def download_steps(id: str, request: Request, db: In, by: By) -> Response:
    """Redirect to the steps as Parquet."""
    await _ready(db, by, id)
    return await _redirect(request, db, by, id, FileKind.STEPS)


@measurements.get("/{id}/steps_and_cycles", response_model=schemas.StepsAndCycles, responses=NOT_NOW)
async def get_steps_and_cycles(id: str, db: In, by: By, most: Most) -> Response:
    """Get the steps and cycles of a measurement."""
    await _ready(db, by, id)
    return JsonResponse({name: await _large(db, by, id, name, most) for name in repository.LARGE})


@measurements.get("/{id}/cycles", response_model=schemas.Cycles, responses=NOT_NOW)
async def get_cycles(id: str, db: In, by: By, most: Most) -> Response:
    """Get the cycles of a measurement."""
    await _ready(db, by, id)
    return JsonResponse({"cycles": await _large(db, by, id, "cycles", most)})


async def _large(db: Database, by: Caller, id: str, name: str, most: Any) -> orjson.Fragment:
    [text] = await repository.large_column(db, by, name, [id], budget=most)
    most.take_bytes(size_of(text))
    return orjson.Fragment(text or "{}")


async def _ready(db: Database, by: Caller, id: str) -> Measurement:
    row = await found(db, by, id)
    if row.status is not MeasurementStatus.READY or row.type is not MeasurementType.TIME_SERIES:
        message = f"The measurement is {row.status.name}, of the type {row.type.name}: it has no columns to read."
        raise Rejected(Problem(ProblemCode.INVALID_STATE, message, ("id",)))
    return row


async def _redirect(request: Request, db: Database, by: Caller, id: str, kind: FileKind) -> Response:
    [file_id] = await repository.file_ids(db, by, kind, [id])
    if file_id is None:
        raise not_found("file", "id")
    path = await services(request).signer.path(file_id)
    address = f"{str(request.base_url).rstrip('/')}{path}"
    return RedirectResponse(address, 307, headers={"cache-control": "no-store"})
