"""The table of the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.models.columns import Binary, Id, Instant
from app.models.enums import AuditAction, AuditedType
from app.models.tables import stored


class AuditEntry(SQLModel, table=True):
    """One change that an API key made. It outlives its object."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("audit_log_by_organization", "organization_id", "id"),
        Index("audit_log_by_object", "organization_id", "object_id", "id"),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    """UUIDv7: ids sort by time."""
    organization_id: str = Field(sa_type=Binary)
    project_id: str = Field(sa_type=Binary)
    at: datetime = Field(sa_type=Instant)
    key: str = Field(sa_type=Binary)
    """Prefix of the API key."""
    user_id: str | None = Field(default=None, sa_type=Binary)
    email: str | None = Field(default=None, sa_type=Binary)
    action: AuditAction = Field(sa_type=stored(AuditAction))
    object_type: AuditedType = Field(sa_type=stored(AuditedType))
    object_id: str = Field(sa_type=Binary)
    object_name: str = Field(sa_type=Binary)
    """Name of the object after the change."""
