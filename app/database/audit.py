"""Audit log: each change that an API key makes is recorded in the change's own transaction. Without a key nobody is
known, and nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
import uuid_utils
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.database.writes.mutations import Steps, run_in
from app.models.audit import AuditEntry
from app.models.columns import now
from app.models.enums import AuditAction, AuditedType

INSERT = sa.insert(SQLModel.metadata.tables[str(AuditEntry.__tablename__)])
TYPES = {kind.value: kind for kind in AuditedType}
"""Types of objects by the name of their table."""


def entry(caller: Caller, action: AuditAction, row: Any) -> dict[str, Any] | None:
    """Return the values of an entry about a row; None without an API key."""
    if caller.key is None:
        return None
    return {
        "id": str(uuid_utils.uuid7()),
        "organization_id": row.organization_id,
        "project_id": row.project_id,
        "at": now(),
        "key": caller.key,
        "user_id": caller.user_id,
        "email": caller.email,
        "action": action,
        "object_type": TYPES[row.__tablename__],
        "object_id": row.id,
        "object_name": row.name,
    }


def audit(caller: Caller, action: AuditAction, row: Any) -> Steps[None]:
    """Record a change of a row as a step of its transaction."""
    values = entry(caller, action, row)
    if values is not None:
        yield INSERT, values


def audit_all(caller: Caller, action: AuditAction, rows: Iterable[Any]) -> Steps[None]:
    """Record changes of rows as a step of their transaction."""
    entries = [values for row in rows if (values := entry(caller, action, row)) is not None]
    if entries:
        yield INSERT, entries


async def audit_in(session: AsyncSession, caller: Caller, action: AuditAction, row: Any) -> None:
    """Record a change of a row in the transaction of a session."""
    await run_in(session, audit(caller, action, row))
