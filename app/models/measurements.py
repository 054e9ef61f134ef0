"""The tables of measurements and their cells."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from app.models.columns import Binary, Id, Instant, JsonText
from app.models.enums import FileKind, MeasurementFormat, MeasurementStatus, MeasurementType
from app.models.tables import stored

IS_PROCESSING = text("status = 'PROCESSING'")
"""Condition of measurements whose file is to be read."""
IS_UPLOADING = text("status = 'UPLOADING'")
IS_UPLOADED = text("status <> 'UPLOADING'")
"""Condition of measurements whose names are unique within their cell: an upload that broke off blocks no name."""
IS_INCOMPLETE = text("NOT is_complete")


class CellSpecification(SQLModel, table=True):
    """A type of cell, such as a product of a manufacturer."""

    __tablename__ = "cell_specification"
    __table_args__ = (
        Index("cell_specification_name", "organization_id", "project_id", "name", unique=True),
        Index("cell_specification_by_creation", "organization_id", "created_at", "id"),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    organization_id: str = Field(sa_type=Binary)
    project_id: str = Field(sa_type=Binary)
    user_id: str | None = Field(default=None, sa_type=Binary)
    created_by_email: str | None = Field(default=None, sa_type=Binary)
    name: str = Field(sa_type=Binary)
    folded_name: str = Field(sa_type=Binary)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    details: str = Field(sa_type=JsonText)
    """Other fields of the client, such as `form_factor` and `ratings`: an object."""


class CellInstance(SQLModel, table=True):
    """One physical cell of a specification."""

    __tablename__ = "cell_instance"
    __table_args__ = (
        Index("cell_instance_name", "cell_specification_id", "name", unique=True),
        Index("cell_instance_by_creation", "organization_id", "cell_specification_id", "created_at", "id"),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    cell_specification_id: str = Field(sa_type=Binary, sa_column_args=[ForeignKey("cell_specification.id")])
    organization_id: str = Field(sa_type=Binary)
    project_id: str = Field(sa_type=Binary)
    user_id: str | None = Field(default=None, sa_type=Binary)
    created_by_email: str | None = Field(default=None, sa_type=Binary)
    name: str = Field(sa_type=Binary)
    folded_name: str = Field(sa_type=Binary)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    details: str = Field(sa_type=JsonText)


class Measurement(SQLModel, table=True):
    """Measured data: a file that was uploaded once, and what was read from it."""

    __table_args__ = (
        # One index per sort order of pages; the tenant comes first in all.
        Index("measurement_by_creation", "organization_id", "created_at", "id"),
        Index("measurement_by_update", "organization_id", "updated_at", "id"),
        Index("measurement_by_name", "organization_id", "name", "id"),
        Index("measurement_by_project", "organization_id", "project_id", "created_at", "id"),
        Index("measurement_by_cell", "cell_instance_id", "created_at", "id"),
        Index(
            "measurement_name",
            "cell_instance_id",
            "name",
            unique=True,
            sqlite_where=IS_UPLOADED,
            postgresql_where=IS_UPLOADED,
        ),
        Index("measurement_processing", "created_at", sqlite_where=IS_PROCESSING, postgresql_where=IS_PROCESSING),
        Index("measurement_uploading", "created_at", sqlite_where=IS_UPLOADING, postgresql_where=IS_UPLOADING),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    organization_id: str = Field(sa_type=Binary)
    project_id: str = Field(sa_type=Binary)
    cell_instance_id: str | None = Field(default=None, sa_type=Binary, sa_column_args=[ForeignKey("cell_instance.id")])
    user_id: str | None = Field(default=None, sa_type=Binary)
    created_by_email: str | None = Field(default=None, sa_type=Binary)
    name: str = Field(sa_type=Binary)
    folded_name: str = Field(sa_type=Binary)
    notes: str | None = Field(default=None, sa_type=Binary)
    type: MeasurementType = Field(default=MeasurementType.TIME_SERIES, sa_type=stored(MeasurementType))
    status: MeasurementStatus = Field(default=MeasurementStatus.UPLOADING, sa_type=stored(MeasurementStatus))
    error: str | None = Field(default=None, sa_type=Text)
    format: MeasurementFormat | None = Field(default=None, sa_type=stored(MeasurementFormat))
    file_name: str | None = Field(default=None, sa_type=Binary)
    reader: str | None = Field(default=None, sa_type=Binary)
    """Name of the reader that the caller chose for a cycler's file."""
    row_count: int | None = Field(default=None, sa_type=BigInteger)
    byte_count: int | None = Field(default=None, sa_type=BigInteger)
    """Bytes of the file as it came."""
    sha256: str | None = Field(default=None, sa_type=Binary)
    """SHA-256 of the file as it came, in hex."""
    start_time: datetime | None = Field(default=None, sa_type=Instant)
    end_time: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    attempt: int = 0
    """Fencing token of the reading of its file: the number of times a worker began it."""
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    """End of the lease of the worker that reads its file."""
    tags: str = Field(default="[]", sa_type=JsonText)
    columns: str | None = Field(default=None, sa_type=JsonText)
    changes: str | None = Field(default=None, sa_type=JsonText)
    details: str = Field(default="{}", sa_type=JsonText)
    """Other fields of the client: `protocol`, `test_setup`, `properties`."""
    steps: str | None = Field(default=None, sa_type=JsonText)
    cycles: str | None = Field(default=None, sa_type=JsonText)

    @property
    def is_terminal(self) -> bool:
        return self.status.is_terminal


class MeasurementTag(SQLModel, table=True):
    """One tag of a measurement, for filters."""

    __tablename__ = "measurement_tag"
    __table_args__ = (Index("measurement_tag_by_tag", "folded_tag", "measurement_id"),)

    measurement_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("measurement.id", ondelete="CASCADE")]
    )
    folded_tag: str = Field(sa_type=Binary, primary_key=True)


class MeasurementFile(SQLModel, table=True):
    """A stored file. It has no foreign key: a file whose measurement is gone is deleted chunk by chunk."""

    __tablename__ = "measurement_file"
    __table_args__ = (
        Index("measurement_file_by_measurement", "measurement_id", "kind"),
        Index("measurement_file_by_organization", "organization_id", "byte_count"),
        Index("measurement_file_incomplete", "created_at", sqlite_where=IS_INCOMPLETE, postgresql_where=IS_INCOMPLETE),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    measurement_id: str = Field(sa_type=Binary)
    organization_id: str = Field(sa_type=Binary)
    kind: FileKind = Field(sa_type=stored(FileKind))
    byte_count: int = Field(default=0, sa_type=BigInteger)
    sha256: str | None = Field(default=None, sa_type=Binary)
    is_complete: bool = False
    created_at: datetime = Field(sa_type=Instant)


class MeasurementChunk(SQLModel, table=True):
    """A part of a stored file: CHUNK bytes, the last one fewer."""

    __tablename__ = "measurement_chunk"

    file_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("measurement_file.id", ondelete="CASCADE")]
    )
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)


class MeasurementChannel(SQLModel, table=True):
    """One column of the preview of a measurement, thinned."""

    __tablename__ = "measurement_channel"

    measurement_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("measurement.id", ondelete="CASCADE")]
    )
    position: int = Field(primary_key=True)
    """Position from 0; the axis has 0."""
    name: str = Field(sa_type=Binary)
    samples: bytes = Field(sa_type=LargeBinary)
    """Samples as float64, little-endian; NaN marks a missing value."""


class Upload(SQLModel, table=True):
    """Right to upload one file: the hash of a token, used once, with a size and an end."""

    __table_args__ = (Index("upload_by_measurement", "measurement_id"),)

    token_hash: str = Field(sa_type=Binary, primary_key=True)
    measurement_id: str = Field(sa_type=Binary, sa_column_args=[ForeignKey("measurement.id", ondelete="CASCADE")])
    most_bytes: int = Field(sa_type=BigInteger)
    """Maximum bytes of the file."""
    exact_bytes: int | None = Field(default=None, sa_type=BigInteger)
    """Bytes of the file, if the caller announced them."""
    file_id: str | None = Field(default=None, sa_type=Binary)
    """File that the newest request with this token writes: its fencing token."""
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class PipelineMeasurement(SQLModel, table=True):
    """Reference of a pipeline's configurations to a measurement that its author may see."""

    __tablename__ = "pipeline_measurement"
    __table_args__ = (Index("pipeline_measurement_by_measurement", "measurement_id", "pipeline_id"),)

    pipeline_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("pipeline.id", ondelete="CASCADE")]
    )
    measurement_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("measurement.id", ondelete="CASCADE")]
    )


class SigningKey(SQLModel, table=True):
    """The key that signs addresses of downloads, in one row."""

    __tablename__ = "signing_key"

    id: int = Field(primary_key=True)
    key: bytes = Field(sa_type=LargeBinary)
