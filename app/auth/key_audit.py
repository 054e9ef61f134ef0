"""Audit entries of API keys: recorded in the transaction that changes a key, then moved to the audit log.

The keys of a SQLite database are in a file of their own, and a killed process can leave a transaction over two files
half committed. Entries therefore wait in a table beside the keys (transactional outbox).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import uuid_utils
from sqlalchemy import Column, MetaData, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.auth.caller import Caller
from app.models.audit import AuditEntry
from app.models.columns import now
from app.models.enums import AuditAction, AuditedType

COMMAND_LINE = "voltgraph keys"
"""Key of changes that the command line made."""
AT_ONCE = 100
"""Maximum number of entries that are moved together."""
_log = AuditEntry.__table__  # type: ignore[attr-defined]
table = Table(
    "api_key_audit",
    MetaData(),
    *(Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable) for c in _log.columns),
)


async def record(connection: AsyncConnection, by: Caller | None, action: AuditAction, key: dict[str, Any]) -> None:
    """Record a change of a key, given as its columns, by a caller or by the command line."""
    projects = sorted(key["projects"] or ())
    entry = {
        "id": str(uuid_utils.uuid7()),
        "organization_id": key["organization_id"],
        "project_id": projects[0] if len(projects) == 1 else "",
        "at": now(),
        "key": COMMAND_LINE if by is None else by.key,
        "user_id": None if by is None else by.user_id,
        "email": None if by is None else by.email,
        "action": action,
        "object_type": AuditedType.API_KEY,
        "object_id": key["prefix"],
        "object_name": key["email"] or key["user_id"] or key["prefix"],
    }
    await connection.execute(insert(table).values(entry))


async def waiting(engine: AsyncEngine) -> list[dict[str, Any]]:
    """Return the oldest entries that are not in the audit log yet."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(table).order_by(table.c.id).limit(AT_ONCE))
        return [dict(row._mapping) for row in rows]


async def forget(engine: AsyncEngine, ids: Sequence[str]) -> None:
    """Delete entries that are in the audit log."""
    async with engine.begin() as connection:
        await connection.execute(delete(table).where(table.c.id.in_(ids)))
