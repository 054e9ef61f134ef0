"""Input types of measurements and cells, and their conversion to commands."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from app.errors import Problem, ProblemCode, Rejected
from app.measurements import inputs, orders
from app.measurements.orders import MeasurementOrderField
from app.models.enums import MeasurementFormat, MeasurementStatus, MeasurementType
from app.models.measurements import CellInstance, CellSpecification, Measurement
from app.pipelines.lists.pagination import Direction
from app.pipelines.lists.row_filters import RowFilter, row_filter
from schema.types.lists.fields import about, given
from schema.types.node import ID
from schema.types.values import enums  # noqa: F401  registers the enums
from schema.types.values.input_factory import quick


@quick
@strawberry.input(
    description="Fields are ANDed, list values ORed; an empty list matches nothing, null filters nothing."
)
class MeasurementFilter:
    project_id: ID | None = about("In this project.")
    cell_instance_id: ID | None = about("Measured at this cell.")
    statuses: list[MeasurementStatus] | None = about("With one of these statuses.")
    types: list[MeasurementType] | None = about("With one of these types.")
    name_contains: str | None = about("The name contains this, upper or lower case.")
    tags_all: list[str] | None = about("With each of these tags, upper or lower case.")
    tags_any: list[str] | None = about("With one of these tags, upper or lower case.")
    created_by_email: str | None = about("Created by the user with exactly this email.")
    created_after: datetime | None = about("Created later than this.")
    created_before: datetime | None = about("Created earlier than this.")
    updated_after: datetime | None = about("Last changed later than this.")
    updated_before: datetime | None = about("Last changed earlier than this.")

    def plain(self) -> RowFilter:
        return row_filter(Measurement, PREDICATES, {name: given(value) for name, value in vars(self).items()})


PREDICATES = {
    "project_id": ("project_id", "eq"),
    "cell_instance_id": ("cell_instance_id", "eq"),
    "statuses": ("status", "in"),
    "types": ("type", "in"),
    "name_contains": ("name", "contains"),
    "tags_all": ("tags", "all"),
    "tags_any": ("tags", "any"),
    "created_by_email": ("created_by_email", "eq"),
    "created_after": ("created_at", "gt"),
    "created_before": ("created_at", "lt"),
    "updated_after": ("updated_at", "gt"),
    "updated_before": ("updated_at", "lt"),
}
"""Field and operator of each filter."""


@quick
@strawberry.input(description="An order of measurements. Ties are broken by `id`.")
class MeasurementOrder:
    field: MeasurementOrderField = strawberry.field(description="The sort key.")
    direction: Direction = about("The sort direction.", default=Direction.DESC)

    def plain(self) -> orders.MeasurementOrder:
        return orders.MeasurementOrder(self.field.value, self.direction)


@quick
@strawberry.input(description="A measurement to create. Give `data` for a few rows, or upload a file.")
class CreateMeasurementInput:
    project_id: ID | None = about("Its project: 1 to 255 characters. Required without `cellInstanceId`.")
    name: str = strawberry.field(description="1 to 255 characters, unique within its cell.")
    notes: str | None = about(f"At most {inputs.MAX_NOTES:,} characters.")
    tags: list[str] | None = about(f"At most {inputs.MAX_TAGS} labels of at most {inputs.MAX_TAG} characters.")
    cell_instance_id: ID | None = about("The cell that was measured.")
    format: MeasurementFormat | None = about("The format of its file; by default detected.")
    file_name: str | None = about("The name of its file, for people and for detecting the format.")
    reader: str | None = about("The reader of a cycler's file, such as `maccor`; by default detected.")
    bytes: int | None = about("The bytes of its file: an upload of another size is refused.")
    data: JSON | None = about(
        f"The data: an object of columns, each a list of at most {inputs.MAX_INLINE_ROWS:,} numbers or nulls."
    )
    idempotency_key: str | None = about(
        "Repeating a create with the same key returns the first measurement, with another upload while it is "
        "UPLOADING; the same key with another input is CONFLICT."
    )

    def draft(self) -> inputs.MeasurementCreate:
        return inputs.parse_create(
            project_id=given(self.project_id),
            name=self.name,
            notes=given(self.notes),
            tags=given(self.tags),
            cell_instance_id=given(self.cell_instance_id),
            format=given(self.format),
            file_name=given(self.file_name),
            reader=given(self.reader),
            size=given(self.bytes),
            data=given(self.data),
            idempotency_key=given(self.idempotency_key),
        )


@quick
@strawberry.input(description="Changes to a measurement. Omitted fields are kept.")
class UpdateMeasurementInput:
    name: str | None = about("A new name. Null or blank is INVALID.")
    notes: str | None = about("New notes. Null clears them.")
    tags: list[str] | None = about("New tags in place of all old ones. Null clears them.")

    def changes(self) -> inputs.MeasurementUpdate:
        return inputs.parse_update({name: value for name, value in vars(self).items() if value is not UNSET})


@quick
@strawberry.input(description="A cell specification to create.")
class CreateCellSpecificationInput:
    project_id: ID = strawberry.field(description="Its project: 1 to 255 characters.")
    name: str = strawberry.field(description="1 to 255 characters, unique within its project.")
    details: JSON | None = about("Other fields to keep, such as `ratings`: an object.")


@quick
@strawberry.input(description="A cell instance to create.")
class CreateCellInstanceInput:
    cell_specification_id: ID = strawberry.field(description="Its specification.")
    name: str = strawberry.field(description="1 to 255 characters, unique within its specification.")
    details: JSON | None = about("Other fields to keep, such as `serial_number`: an object.")


@quick
@strawberry.input(description="Changes to a cell specification or a cell instance. Omitted fields are kept.")
class UpdateCellInput:
    name: str | None = about("A new name. Null or blank is INVALID.")
    details: JSON | None = about("Other fields to set: an object. Null as a value removes a field; others are kept.")

    def changes(self) -> dict[str, Any]:
        """Return the name and the client's own fields. Raises Rejected."""
        details = cell_details(self.details)
        return details if self.name is UNSET else details | {"name": self.name}


OWN_FIELDS = frozenset(CellSpecification.model_fields) | frozenset(CellInstance.model_fields)
"""Fields of cells that the server sets; REST shows the client's own fields beside them."""


def cell_details(value: Any) -> dict[str, Any]:
    """Return the client's own fields of a cell, empty unless given. Raises Rejected."""
    details = object_of(value)
    problems = [
        Problem(ProblemCode.INVALID, f"`details` takes no `{name}`: cells have that field.", ("details", name))
        for name in details
        if name in OWN_FIELDS
    ]
    if problems:
        raise Rejected(*problems)
    return details


def object_of(value: Any) -> dict[str, Any]:
    """Return the client's own fields, empty unless given. Raises Rejected."""
    details = given(value)
    if details is not None and not isinstance(details, dict):
        raise Rejected(Problem(ProblemCode.INVALID, "`details` must be an object.", ("details",)))
    return details or {}
