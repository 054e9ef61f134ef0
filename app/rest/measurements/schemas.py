"""Request and response models of measurements and cells, for the OpenAPI document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.measurements.inputs import MAX_NOTES, MAX_TAGS
from app.measurements.orders import OrderColumn
from app.rest.schemas import Label, Name

Text = Field(None, max_length=1000)
MAX_PAGE = 1000
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
"""Start of a time in ISO 8601."""


def require_date(value: Any) -> Any:
    """Raise ValueError for a number, which pydantic takes for seconds since 1970."""
    if not (isinstance(value, str) and DATE.match(value)):
        raise ValueError("the time is not in ISO 8601; write it as 2026-11-23T10:00:00Z")
    return value


def as_utc(value: datetime) -> datetime:
    """Return a time in UTC; one without an offset is in UTC. Raises ValueError for one that UTC does not have."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is outside of the years 1 to 9999 in UTC") from None


Time = Annotated[datetime, BeforeValidator(require_date), AfterValidator(as_utc)]
"""Time of a request, in UTC."""


class CellBody(BaseModel):
    """A cell. Fields besides the named ones are kept as they are."""

    model_config = ConfigDict(extra="allow")

    name: Name


class SpecificationBody(CellBody):
    """A cell specification to create."""

    project_id: Name


class CellPatch(BaseModel):
    """Changes of a cell. A missing field is kept; null removes a field."""

    model_config = ConfigDict(extra="allow")

    name: Name = Field(default_factory=str)


class CellInstance(BaseModel):
    """A cell instance with the fields that its client sent."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str
    cell_specification_id: str
    project_id: str
    organization_id: str
    created_at: datetime
    updated_at: datetime


class CellSpecification(BaseModel):
    """A cell specification with the fields that its client sent."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str
    project_id: str
    organization_id: str
    created_at: datetime
    updated_at: datetime


class MeasurementFields(BaseModel):
    """Metadata of a measurement. A field that this server does not keep is an error."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    notes: str | None = Field(None, json_schema_extra={"maxLength": MAX_NOTES})
    tags: list[Label] | None = Field(None, description=f"Free tags, at most {MAX_TAGS}.")
    protocol: dict[str, Any] | None = None
    test_setup: dict[str, Any] | None = None
    start_time: Time | None = None
    end_time: Time | None = None


class MeasurementPatch(MeasurementFields):
    """Changes of a measurement. A missing field is kept."""

    name: Name = Field(default_factory=str)


class PropertiesBody(MeasurementFields):
    """A measurement of single values."""

    measurement_type: Literal["properties"]
    properties: dict[str, Any]


class InitiateBody(BaseModel):
    """A measurement whose file is to be uploaded."""

    model_config = ConfigDict(extra="forbid")

    measurement: MeasurementFields


class ConfirmBody(BaseModel):
    """Confirmation of an upload, with the metadata again."""

    model_config = ConfigDict(extra="forbid")

    cell_instance_id: str
    measurement: MeasurementFields
    measurement_type: Literal["time_series"] = "time_series"


class UploadTarget(BaseModel):
    """Address of one file's upload; it needs no API key."""

    filename: str
    signed_url: str
    token: str
    path: str
    multipart: None = None


class Initiated(BaseModel):
    """Addresses of the uploads of a measurement."""

    measurement_id: str
    uploads: list[UploadTarget]


class Measurement(BaseModel):
    """A measurement without its data."""

    id: str
    name: str
    cell_instance_id: str | None
    project_id: str
    organization_id: str
    measurement_type: Literal["time_series", "properties"]
    notes: str | None
    tags: list[str]
    protocol: dict[str, Any] | None = None
    test_setup: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    start_time: datetime | None
    end_time: datetime | None
    processing_status: Literal["pending", "ready", "failed"]
    processing_error: str | None
    rows: int | None
    bytes: int | None
    sha256: str | None
    columns: list[dict[str, Any]] | None
    changes: list[str] | None = Field(description="Changes of names, units and signs by the reader of the file.")
    created_by_email: str | None
    created_at: datetime
    updated_at: datetime


class Confirmed(Measurement):
    """A measurement whose upload was confirmed."""

    steps_created: int = Field(0, description="Always 0: steps are derived after the confirmation.")


class StepsAndCycles(BaseModel):
    """Steps and cycles of a measurement, each a list of values by column."""

    steps: dict[str, list[Any]]
    cycles: dict[str, list[Any]]


class Cycles(BaseModel):
    """Cycles of a measurement: a list of values by column."""

    cycles: dict[str, list[Any]]


class ListQuery(BaseModel):
    """Selection of rows of an organization."""

    project_id: str | None = Text
    limit: int = Field(25, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0, le=2**31 - 1)
    name: str | None = Text
    created_by_email: str | None = Text
    created_at_gt: Time | None = Field(None, description="Inclusive.")
    created_at_lt: Time | None = Field(None, description="Inclusive.")
    updated_at_gt: Time | None = Field(None, description="Inclusive.")
    updated_at_lt: Time | None = Field(None, description="Inclusive.")
    order: Literal["asc", "desc"] = "desc"


class CellQuery(ListQuery):
    """Selection of cells."""

    order_by: Literal["id", "name", "created_at", "updated_at"] = "created_at"


class MeasurementQuery(ListQuery):
    """Selection of measurements."""

    measurement_type: Literal["time_series", "properties", "file"] | None = None
    q: str | None = Field(None, max_length=1000, description="Text in the name, upper or lower case.")
    start_time_gt: Time | None = Field(None, description="Inclusive.")
    start_time_lt: Time | None = Field(None, description="Inclusive.")
    tags_all: list[str] | None = Field(None, max_length=50)
    tags_any: list[str] | None = Field(None, max_length=50)
    order_by: OrderColumn = "created_at"


class SpecificationPage(BaseModel):
    """A page of cell specifications."""

    items: list[CellSpecification]
    count: int
    total: int


class InstancePage(BaseModel):
    """A page of cell instances."""

    items: list[CellInstance]
    count: int
    total: int


class MeasurementPage(BaseModel):
    """A page of measurements."""

    items: list[Measurement]
    count: int
    total: int
