"""GraphQL mutations of measurements and cells."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import strawberry

from app.measurements import cells, service
from app.measurements.uploads import UploadLimits
from app.models.measurements import CellInstance, CellSpecification
from schema.types.context import Info
from schema.types.measurements.inputs import (
    CreateCellInstanceInput,
    CreateCellSpecificationInput,
    CreateMeasurementInput,
    UpdateCellInput,
    UpdateMeasurementInput,
    cell_details,
)
from schema.types.measurements.payloads import (
    CellInstancePayload,
    CellSpecificationPayload,
    CreateMeasurementPayload,
    DeleteCellInstancePayload,
    DeleteCellSpecificationPayload,
    DeleteMeasurementPayload,
    MeasurementPayload,
    MeasurementUpload,
    outcome,
)
from schema.types.node import ID
from schema.types.payloads import UserError

CellId = Annotated[ID, strawberry.argument(description="Its id.")]
CellChanges = Annotated[UpdateCellInput, strawberry.argument(description="The changes.")]
MeasurementId = Annotated[ID, strawberry.argument(description="The measurement's id.")]


@strawberry.type
class MeasurementMutations:
    @strawberry.mutation(
        description="Create a measurement. PUT its file to `upload.url`, then call `completeMeasurement`. With "
        "`data` its reading begins at once."
    )
    async def create_measurement(
        self,
        info: Info,
        input: Annotated[CreateMeasurementInput, strawberry.argument(description="The measurement to create.")],
    ) -> CreateMeasurementPayload:
        context = info.context
        limits = UploadLimits(context.services.max_file_bytes, context.services.max_stored_bytes)

        async def work() -> Any:
            return await service.create(context.database, context.caller, input.draft(), limits)

        created, errors = await outcome(work)
        row, right = created or (None, None)
        upload = None if right is None else MeasurementUpload.of(right)
        return CreateMeasurementPayload(measurement=row, upload=upload, user_errors=errors)

    @strawberry.mutation(
        description="Have the uploaded file read: PROCESSING, then READY or FAILED. Later calls change nothing."
    )
    async def complete_measurement(self, info: Info, id: MeasurementId) -> MeasurementPayload:
        database, caller = info.context.database, info.context.caller
        row, errors = await outcome(lambda: service.complete(database, caller, id), "id")
        return MeasurementPayload(measurement=row, user_errors=errors)

    @strawberry.mutation(description="Change the name, the notes or the tags of a measurement. Its data never change.")
    async def update_measurement(
        self,
        info: Info,
        id: MeasurementId,
        input: Annotated[UpdateMeasurementInput, strawberry.argument(description="The changes.")],
    ) -> MeasurementPayload:
        database, caller = info.context.database, info.context.caller

        async def work() -> Any:
            return await service.update(database, caller, id, input.changes())

        row, errors = await outcome(work, "id")
        return MeasurementPayload(measurement=row, user_errors=errors)

    @strawberry.mutation(
        description="Delete a measurement and its file. INVALID_STATE while a pipeline that has not ended uses it."
    )
    async def delete_measurement(self, info: Info, id: MeasurementId) -> DeleteMeasurementPayload:
        database, caller = info.context.database, info.context.caller
        deleted, errors = await _deleted(lambda: service.delete(database, caller, id), id)
        return DeleteMeasurementPayload(deleted_measurement_id=deleted, user_errors=errors)

    @strawberry.mutation(description="Create a cell specification.")
    async def create_cell_specification(
        self,
        info: Info,
        input: Annotated[CreateCellSpecificationInput, strawberry.argument(description="The specification.")],
    ) -> CellSpecificationPayload:
        database, caller = info.context.database, info.context.caller

        async def work() -> Any:
            details = cell_details(input.details)
            return await cells.create_specification(database, caller, input.project_id, input.name, details)

        row, errors = await outcome(work)
        return CellSpecificationPayload(cell_specification=row, user_errors=errors)

    @strawberry.mutation(description="Create a cell instance of a specification.")
    async def create_cell_instance(
        self,
        info: Info,
        input: Annotated[CreateCellInstanceInput, strawberry.argument(description="The cell.")],
    ) -> CellInstancePayload:
        database, caller = info.context.database, info.context.caller

        async def work() -> Any:
            details = cell_details(input.details)
            return await cells.create_instance(database, caller, input.cell_specification_id, input.name, details)

        row, errors = await outcome(work)
        return CellInstancePayload(cell_instance=row, user_errors=errors)

    @strawberry.mutation(description="Change the name or other fields of a cell specification.")
    async def update_cell_specification(self, info: Info, id: CellId, input: CellChanges) -> CellSpecificationPayload:
        row, errors = await _updated(info, CellSpecification, id, input)
        return CellSpecificationPayload(cell_specification=row, user_errors=errors)

    @strawberry.mutation(description="Change the name or other fields of a cell instance.")
    async def update_cell_instance(self, info: Info, id: CellId, input: CellChanges) -> CellInstancePayload:
        row, errors = await _updated(info, CellInstance, id, input)
        return CellInstancePayload(cell_instance=row, user_errors=errors)

    @strawberry.mutation(description="Delete a cell specification. INVALID_STATE if it has cell instances.")
    async def delete_cell_specification(self, info: Info, id: CellId) -> DeleteCellSpecificationPayload:
        database, caller = info.context.database, info.context.caller
        deleted, errors = await _deleted(lambda: cells.delete(database, caller, CellSpecification, id), id)
        return DeleteCellSpecificationPayload(deleted_cell_specification_id=deleted, user_errors=errors)

    @strawberry.mutation(
        description="Delete a cell instance. INVALID_STATE if it has measurements; uploads that never came are deleted."
    )
    async def delete_cell_instance(self, info: Info, id: CellId) -> DeleteCellInstancePayload:
        database, caller = info.context.database, info.context.caller
        deleted, errors = await _deleted(lambda: cells.delete(database, caller, CellInstance, id), id)
        return DeleteCellInstancePayload(deleted_cell_instance_id=deleted, user_errors=errors)


async def _updated(info: Info, model: Any, id: str, input: UpdateCellInput) -> tuple[Any, list[UserError]]:
    """Change a cell; return its row, or the user errors."""
    database, caller = info.context.database, info.context.caller

    async def work() -> Any:
        return await cells.update(database, caller, model, id, input.changes())

    return await outcome(work, "id")


async def _deleted(work: Callable[[], Awaitable[None]], id: ID) -> tuple[ID | None, list[UserError]]:
    """Delete something; return its id, or the user errors."""
    _, errors = await outcome(work, "id")
    return None if errors else id, errors
