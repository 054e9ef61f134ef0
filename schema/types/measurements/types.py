"""GraphQL types of measurements and cells. Resolvers return rows."""

from datetime import datetime
from typing import Annotated, Any

import orjson
import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from app.measurements import repository
from app.measurements.series import Selection
from app.models import measurements as tables
from app.models.enums import MeasurementFormat, MeasurementStatus, MeasurementType, SeriesSource
from schema.types.context import Info
from schema.types.lists.connection import Connection
from schema.types.lists.fields import given
from schema.types.lists.pages import Asked, asked, load
from schema.types.node import ID, Node
from schema.types.pipelines import Pipeline
from schema.types.results.series import Columns, MaxPoints, XMax, XMin, wanted
from schema.types.values import enums  # noqa: F401  registers the enums

SERIES = (
    "The columns: an object of equally long lists of numbers by column, in the order of the file; null where a column "
    "has no value. Null unless READY. Without `maxPoints` it has at most 5,000 rows, and the whole file is behind "
    "`downloadUrl`. The whole measurement comes from rows that were chosen when its file was read, with the peaks of "
    "the voltage among them. A window, steps, or more than 5,000 points come from all rows of the file."
)
XColumn = Annotated[str | None, strawberry.argument(description="The column of the axis; by default the first one.")]


FirstStep = Annotated[
    int | None,
    strawberry.argument(
        description="Only rows from this step on: a row of `steps`, counted from 0; a negative one from the end."
    ),
]
LastStep = Annotated[
    int | None,
    strawberry.argument(description="Only rows to the end of this step, counted as `firstStep`."),
]


def users_page(measurement_id: str, first: int | None = UNSET, after: str | None = UNSET) -> Asked:
    """Validate the arguments of a page of the pipelines that reference a measurement. Raises BAD_USER_INPUT."""
    return asked(repository.UsersFilter.of(measurement_id), repository.UsersOrder(), first, after)


def _parsed(column: Any) -> list[Any]:
    """Return the list of a JSON column of the row; the attribute of a type is its resolver only to type checkers."""
    return orjson.loads(column or "[]")  # type: ignore[no-any-return]


@strawberry.type(description="A type of cell, such as a product of a manufacturer.")
class CellSpecification(Node):
    organization_id: ID = strawberry.field(description="The organization that owns it.")
    project_id: ID = strawberry.field(description="The project it belongs to.")
    name: str = strawberry.field(description="Unique within its project.")
    created_by_email: str | None = strawberry.field(description="The email of the user who created it, if known.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="Other fields that its client sent, such as `ratings`.", graphql_type=JSON)
    def details(self) -> Any:
        return orjson.Fragment(self.details)  # the column of the row, not this method

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return isinstance(value, tables.CellSpecification)


@strawberry.type(description="One physical cell.")
class CellInstance(Node):
    organization_id: ID = strawberry.field(description="The organization that owns it.")
    project_id: ID = strawberry.field(description="The project it belongs to.")
    name: str = strawberry.field(description="Unique within its specification.")
    created_by_email: str | None = strawberry.field(description="The email of the user who created it, if known.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    cell_specification_id: ID = strawberry.field(description="Its specification.")

    @strawberry.field(description="Its specification.", graphql_type=CellSpecification)
    async def specification(self, info: Info) -> Any:
        return await info.context.cell_specifications.load(self.cell_specification_id)

    @strawberry.field(description="Other fields that its client sent.", graphql_type=JSON)
    def details(self) -> Any:
        return orjson.Fragment(self.details)  # the column of the row, not this method

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return isinstance(value, tables.CellInstance)


@strawberry.type(description="A column of a measurement.")
class MeasurementColumn:
    name: str = strawberry.field(description='The name with its unit, such as "Voltage [V]".')
    unit: str | None = strawberry.field(description="The unit, if the name has one.")
    min: float | None = strawberry.field(description="The least value.")
    max: float | None = strawberry.field(description="The greatest value.")
    missing: int = strawberry.field(description="Number of rows without a value.")


@strawberry.type(description="Measured data: a file that was uploaded once, referenced as `db:ID` in configurations.")
class Measurement(Node):
    organization_id: ID = strawberry.field(description="The organization that owns it.")
    project_id: ID = strawberry.field(description="The project it belongs to.")
    cell_instance_id: ID | None = strawberry.field(description="The cell that was measured, if known.")
    name: str = strawberry.field(description="Unique within its cell; need not be unique without one.")
    notes: str | None = strawberry.field(description="Notes, in its owner's words.")
    type: MeasurementType = strawberry.field(description="The kind of its data.")
    status: MeasurementStatus = strawberry.field(description="Its status.")
    is_terminal: bool = strawberry.field(description="True once `status` cannot change again: stop polling.")
    error: str | None = strawberry.field(description="The reason why its file cannot be read. Null unless FAILED.")
    format: MeasurementFormat | None = strawberry.field(description="The format that was named for its file.")
    file_name: str | None = strawberry.field(description="The name of its file.")
    sha256: str | None = strawberry.field(description="SHA-256 of the file as it came, in hex: the data's identity.")
    created_by_email: str | None = strawberry.field(description="The email of the user who created it, if known.")
    start_time: datetime | None = strawberry.field(description="When the test started, if known.")
    end_time: datetime | None = strawberry.field(description="When the test ended, if known.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="Number of rows. Null unless READY.")
    def rows(self) -> int | None:
        return self.row_count  # type: ignore[attr-defined, no-any-return]

    @strawberry.field(description="Bytes of the file as it came. Null until it is uploaded.")
    def bytes(self) -> int | None:
        return self.byte_count  # type: ignore[attr-defined, no-any-return]

    @strawberry.field(description="Free labels, sorted.")
    def tags(self) -> list[str]:
        return _parsed(self.tags)

    @strawberry.field(description="Its columns. Empty unless READY.")
    def columns(self) -> list[MeasurementColumn]:
        return [MeasurementColumn(**each) for each in _parsed(self.columns)]

    @strawberry.field(description="Changes of names, units and signs by the reader of the file, one line each.")
    def changes(self) -> list[str]:
        return _parsed(self.changes)

    @strawberry.field(description="Other fields that its client sent, such as `protocol`.", graphql_type=JSON)
    def details(self) -> Any:
        return orjson.Fragment(self.details)  # the column of the row, not this method

    @strawberry.field(description="The cell that was measured, if known.", graphql_type=CellInstance | None)
    async def cell(self, info: Info) -> Any:
        return None if self.cell_instance_id is None else await info.context.cells.load(self.cell_instance_id)

    @strawberry.field(
        description="A list of values per column, one per step. Null unless READY.", graphql_type=JSON | None
    )
    async def steps(self, info: Info) -> Any:
        return await info.context.large_of_measurement("steps", self.id)

    @strawberry.field(
        description="A list of values per column, one per cycle. Null unless READY.", graphql_type=JSON | None
    )
    async def cycles(self, info: Info) -> Any:
        return await info.context.large_of_measurement("cycles", self.id)

    @strawberry.field(description=SERIES, graphql_type=JSON | None)
    async def series(
        self,
        info: Info,
        columns: Columns = UNSET,
        x_column: XColumn = UNSET,
        max_points: MaxPoints = UNSET,
        x_min: XMin = UNSET,
        x_max: XMax = UNSET,
        first_step: FirstStep = UNSET,
        last_step: LastStep = UNSET,
    ) -> Any:
        bounds = {"x_column": x_column, "max_points": max_points, "x_min": x_min, "x_max": x_max}
        asked = wanted("", SeriesSource.OPTIMAL, columns, **bounds)
        selection = Selection(asked, given(first_step), given(last_step))
        text = await info.context.measurement_series.load((self.id, selection))
        return None if text is None else orjson.Fragment(text)

    @strawberry.field(
        description="Address of the file as it came, relative to the server's; it needs no API key, takes ranges, and "
        "is valid for an hour. Null until the file is uploaded."
    )
    async def download_url(self, info: Info) -> str | None:
        file_id = await info.context.uploaded_files.load(self.id)
        return None if file_id is None else await info.context.services.signer.path(file_id)

    @strawberry.field(description="The pipelines whose configurations reference it, newest first.")
    async def used_by(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Number of pipelines: 1 to 100.")] = UNSET,
        after: Annotated[str | None, strawberry.argument(description="Only pipelines after this cursor.")] = UNSET,
    ) -> Connection[Pipeline]:
        return Connection(page=await load(info, users_page(self.id, first, after)))

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return isinstance(value, tables.Measurement)
