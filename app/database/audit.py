"""Audit log: each change that an API key makes is recorded in the change's own transaction. Without a key nobody is
known, and nothing is recorded. Changes of keys are recorded beside the keys, and moved here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextvars import Context
from functools import partial
from typing import Any

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.auth.keys import KeyStore
from app.database.interface import Database
from app.database.writes.mutations import Steps, run_in
from app.errors import Busy
from app.models.audit import AuditEntry
from app.models.columns import now
from app.models.enums import AuditAction, AuditedType
from app.models.sql import sql_of

log = logging.getLogger("voltgraph")

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


class KeyAuditRelay:
    """Relay of the entries about keys from the key store to the audit log, each exactly once: an entry that was moved
    but not deleted, because the process was killed, is written again over itself."""

    def __init__(self, database: Database, store: KeyStore) -> None:
        self._database, self._store = database, store
        self._running: asyncio.Task[None] | None = None

    async def deliver(self) -> None:
        """Move all entries that wait. One that cannot be moved waits for the next time."""
        try:
            while entries := await self._store.waiting_entries():
                await self._database.write(partial(self._add, entries))
                await self._store.forget_entries([each["id"] for each in entries])
        except (Busy, SQLAlchemyError, OSError) as error:
            log.warning("audit entries of API keys cannot be moved to the audit log now: %s", error)

    def wake(self) -> None:
        """Deliver in a task of its own, outside of the request, unless one runs."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self.deliver(), context=Context())

    async def aclose(self) -> None:
        """Wait for the running delivery."""
        if self._running is not None:
            await self._running

    async def _add(self, entries: list[dict[str, Any]], session: AsyncSession) -> None:
        upsert = sql_of(self._database.dialect).upsert
        for each in entries:
            await session.exec(upsert(AuditEntry, each, "id"))
