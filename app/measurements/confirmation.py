"""Confirmation of an upload by the official client, which sends the metadata again."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import Problem, ProblemCode, Rejected
from app.measurements import service
from app.measurements.inputs import MeasurementUpdate
from app.models.enums import MeasurementStatus
from app.models.measurements import Measurement


async def confirm(
    database: Database, caller: Caller, id: str, cell_instance_id: str, changes: MeasurementUpdate
) -> Measurement:
    """Apply the metadata and have the file read, in one transaction. A repeat changes nothing. Raises NOT_FOUND,
    INVALID_STATE, and AlreadyExists."""

    async def work(session: AsyncSession) -> Measurement:
        measurement = await service.lock(session, caller, id)
        if measurement.cell_instance_id != cell_instance_id:
            message = "The upload was begun for another cell instance."
            raise Rejected(Problem(ProblemCode.INVALID, message, ("cell_instance_id",)))
        if measurement.status is MeasurementStatus.UPLOADING:
            await service.apply(session, measurement, changes)
        return await service.complete_locked(session, caller, measurement)

    try:
        return await database.write(work)
    except IntegrityError:  # another measurement of the cell took the name at the same time
        return await database.write(work)
