"""Payloads of mutations of measurements and cells."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.errors import Rejected
from app.measurements.uploads import UploadRight
from schema.types.measurements.types import CellInstance, CellSpecification, Measurement
from schema.types.node import ID
from schema.types.payloads import UserError, user_errors


@strawberry.type(description="Right to upload one file, once. The address needs no API key: keep it secret.")
class MeasurementUpload:
    url: str = strawberry.field(description="The address, relative to the server's.")
    method: str = strawberry.field(description="The HTTP method.")
    headers: JSON = strawberry.field(description="Headers to send: an object of texts.")
    max_bytes: int = strawberry.field(description="Maximum bytes of the file.")
    expires_at: datetime = strawberry.field(description="When the address becomes invalid.")

    @classmethod
    def of(cls, right: UploadRight) -> "MeasurementUpload":
        headers: Any = {"Content-Type": "application/octet-stream"}
        return cls(
            url=right.path, method="PUT", headers=headers, max_bytes=right.most_bytes, expires_at=right.expires_at
        )


@strawberry.type(description="`measurement` is null exactly when `userErrors` is not empty.")
class MeasurementPayload:
    measurement: Measurement | None = strawberry.field(description="The measurement after the change.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`measurement` is null exactly when `userErrors` is not empty.")
class CreateMeasurementPayload:
    measurement: Measurement | None = strawberry.field(description="The created measurement.")
    upload: MeasurementUpload | None = strawberry.field(
        description="The right to upload its file. Null if its data came with `data`, or a repeat finds it uploaded."
    )
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`deletedMeasurementId` is null exactly when `userErrors` is not empty.")
class DeleteMeasurementPayload:
    deleted_measurement_id: ID | None = strawberry.field(description="The id of the deleted measurement.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`cellSpecification` is null exactly when `userErrors` is not empty.")
class CellSpecificationPayload:
    cell_specification: CellSpecification | None = strawberry.field(description="The specification after the change.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`cellInstance` is null exactly when `userErrors` is not empty.")
class CellInstancePayload:
    cell_instance: CellInstance | None = strawberry.field(description="The cell after the change.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`deletedCellSpecificationId` is null exactly when `userErrors` is not empty.")
class DeleteCellSpecificationPayload:
    deleted_cell_specification_id: ID | None = strawberry.field(description="The id of the deleted specification.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`deletedCellInstanceId` is null exactly when `userErrors` is not empty.")
class DeleteCellInstancePayload:
    deleted_cell_instance_id: ID | None = strawberry.field(description="The id of the deleted cell.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


async def outcome(work: Callable[[], Awaitable[Any]], *arguments: str) -> tuple[Any, list[UserError]]:
    """Return the result of `work`, or None and the user errors."""
    try:
        return await work(), []
    except Rejected as rejected:
        return None, user_errors(rejected, *arguments)
