"""API keys: store and cache.

A key is shown once, when it is created; the store keeps its SHA-256 hash and a prefix that identifies it. The keys of a
SQLite server are in a separate file beside its database, because a SQLite file has one writing process, and keys are
created and revoked while the server runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    MetaData,
    Row,
    Table,
    Text,
    exists,
    false,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateColumn, CreateTable

from app.auth import key_audit
from app.auth.caller import Caller, revoked
from app.auth.private_files import create_private
from app.errors import Busy
from app.models.columns import Binary, Instant, now
from app.models.enums import AuditAction
from app.models.sql import is_file

T = TypeVar("T")
log = logging.getLogger("voltgraph")

MARK = "vg_"
PREFIX_BYTES, SECRET_BYTES = 6, 32
PREFIX_LENGTH = len(MARK) + 2 * PREFIX_BYTES
FORM = re.compile(r"vg_[0-9a-f]{12}_[\w-]{43}", re.ASCII)
FRESH = 2.0
"""Seconds for which a key is cached. A revoked key is refused after that time."""
REMEMBERED = 10_000
KEYS = "keys"
USES_PERIOD = 60.0
"""Seconds between two writes of the last uses of keys."""
TOGETHER = 500
"""Maximum number of prefixes that one read looks up."""
PATIENCE = 2.0
"""Timeout in seconds of reading a key. Closing a connection that timed out takes up to the same time again."""

table = Table(
    "api_key",
    MetaData(),
    Column("prefix", Binary, primary_key=True),
    Column("digest", Binary, nullable=False),
    Column("organization_id", Binary, nullable=False),
    Column("user_id", Binary),
    Column("email", Binary),
    Column("projects", Text),
    Column("read_only", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("is_admin", Boolean, nullable=False, server_default=false()),
    Column("last_used_at", Instant),
    Column("created_by", Binary),
    Column("revoked_by", Binary),
)
ADDED = tuple(table.c[name] for name in ("is_admin", "last_used_at", "created_by", "revoked_by"))
"""Columns that stores of earlier versions lack."""


@dataclass(frozen=True, slots=True)
class Key:
    """API key. `projects` limits it to projects; None means all projects of its organization. An administrator's key
    manages the keys of its organization."""

    prefix: str
    digest: str = field(repr=False)
    organization_id: str
    user_id: str | None = None
    email: str | None = None
    projects: frozenset[str] | None = None
    read_only: bool = False
    created_at: datetime | None = None
    revoked_at: datetime | None = None
    is_admin: bool = False
    last_used_at: datetime | None = None
    """When it was last used, within a minute."""
    created_by: str | None = None
    """Prefix of the key that created it; None on the command line."""
    revoked_by: str | None = None
    """Prefix of the key that revoked it; None on the command line."""


def keys_url(url: URL) -> URL:
    """Return the URL of the key database that belongs to the database at `url`."""
    return url.set(database=f"{url.database}.keys") if is_file(url) else url


class KeyStore:
    """Repository of API keys."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(
        self,
        organization_id: str,
        *,
        user_id: str | None = None,
        email: str | None = None,
        projects: Collection[str] | None = None,
        read_only: bool = False,
        is_admin: bool = False,
        by: Caller | None = None,
    ) -> str:
        """Create a key for an administrator, or for the command line, and return its secret, which is not stored.
        Raises UNAUTHENTICATED if the administrator's key is not valid."""
        prefix = MARK + secrets.token_hex(PREFIX_BYTES)
        secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
        row: dict[str, Any] = {
            "prefix": prefix,
            "digest": _digest(secret),
            "organization_id": organization_id,
            "user_id": user_id,
            "email": email,
            "projects": orjson.dumps(sorted(projects)).decode() if projects else None,
            "read_only": read_only,
            "created_at": now(),
            "is_admin": is_admin,
            "created_by": None if by is None else by.key,
        }
        async with self._engine.begin() as connection:
            await key_audit.record(connection, by, AuditAction.CREATED, {**row, "projects": projects})
            await _lock(connection, by)
            await connection.execute(insert(table).values(row))
        return secret

    async def all(self, organization_id: str | None = None) -> list[Key]:
        """Return all keys, or those of an organization, including revoked ones, oldest first."""
        query = select(table).order_by(table.c.created_at, table.c.prefix)
        if organization_id is not None:
            query = query.where(table.c.organization_id == organization_id)
        async with self._engine.connect() as connection:
            return [_key(row) for row in await connection.execute(query)]

    async def any(self) -> bool:
        """Return whether any key exists, including revoked ones."""
        async with self._engine.connect() as connection:
            return bool((await connection.execute(select(exists(select(table))))).scalar_one())

    async def find(self, prefixes: Collection[str]) -> dict[str, Key]:
        """Return the valid keys with these prefixes, by prefix."""
        query = select(table).where(table.c.prefix.in_(prefixes), table.c.revoked_at.is_(None))
        async with self._engine.connect() as connection:
            return {row.prefix: _key(row) for row in await connection.execute(query)}

    async def revoke(self, prefix: str, by: Caller | None = None) -> bool:
        """Revoke a key for an administrator, or for the command line. Return False if no valid key has that prefix.
        Raises UNAUTHENTICATED if the administrator's key is not valid."""
        key = (await self.find([prefix])).get(prefix)
        if key is None:
            return False
        change = update(table).where(table.c.prefix == prefix, table.c.revoked_at.is_(None))
        async with self._engine.connect() as connection:
            await key_audit.record(connection, by, AuditAction.REVOKED, asdict(key))
            await _lock(connection, by, prefix)
            done = await connection.execute(change.values(revoked_at=now(), revoked_by=None if by is None else by.key))
            if done.rowcount:
                await connection.commit()
            return bool(done.rowcount)

    async def waiting_entries(self) -> list[dict[str, Any]]:
        """Return the oldest entries about keys that are not in the audit log yet."""
        return await key_audit.waiting(self._engine)

    async def forget_entries(self, ids: Sequence[str]) -> None:
        """Delete entries that are in the audit log."""
        await key_audit.forget(self._engine, ids)

    async def note_uses(self, prefixes: Collection[str]) -> None:
        """Store that keys were used now."""
        async with self._engine.begin() as connection:
            await connection.execute(update(table).where(table.c.prefix.in_(prefixes)).values(last_used_at=now()))


class EngineWatch(Protocol):
    """Counter of the connections that an engine's pool replaces."""

    def watch(self, engine: AsyncEngine, connection: str) -> None:
        """Count those of an engine under the name `connection`."""


@asynccontextmanager
async def open_keys(url: URL, recoveries: EngineWatch | None = None) -> AsyncIterator[KeyStore]:
    """Open the key store that belongs to the database at `url`. Replaced connections are counted in `recoveries`."""
    where = keys_url(url)
    if is_file(where):
        create_private(str(where.database))
    engine = create_async_engine(where, pool_size=2, max_overflow=0, pool_pre_ping=True)
    if recoveries is not None:
        recoveries.watch(engine, KEYS)
    try:
        async with engine.begin() as connection:
            for each in (table, key_audit.table):
                await connection.execute(CreateTable(each, if_not_exists=True))
        await _add_columns(engine)
        yield KeyStore(engine)
    finally:
        await engine.dispose()


async def _add_columns(engine: AsyncEngine) -> None:
    """Add the columns that a store of an earlier version lacks. Another process may add them at the same time."""
    for column in ADDED:
        async with engine.connect() as connection:
            if column.name in await connection.run_sync(_column_names):
                continue
        specification = CreateColumn(column).compile(dialect=engine.dialect)
        try:
            async with engine.begin() as connection:
                await connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {specification}"))
        except SQLAlchemyError:
            async with engine.connect() as connection:
                if column.name not in await connection.run_sync(_column_names):
                    raise


async def _lock(connection: AsyncConnection, by: Caller | None, *prefixes: str) -> None:
    """Lock the keys of a change until its transaction ends, in the order of their prefixes, so that no two transactions
    wait for each other. On SQLite, the entry that was recorded before holds the lock. Raises UNAUTHENTICATED if the
    caller's key is not valid."""
    if by is None:
        return
    theirs = table.c.prefix.in_({by.key, *prefixes}), table.c.revoked_at.is_(None)
    rows = await connection.execute(select(table.c.prefix).where(*theirs).order_by(table.c.prefix).with_for_update())
    if by.key not in rows.scalars().all():
        raise revoked()


def _column_names(connection: Connection) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table.name)}


class KeyRing:
    """Cache of API keys, with batched lookups.

    One statement at a time looks up all pending prefixes. However many invalid prefixes clients send, only one
    statement runs for them, and a valid key waits for two statements at most.
    """

    def __init__(self, store: KeyStore, after_read: Callable[[], None] = lambda: None) -> None:
        self._store, self._after_read = store, after_read
        self._wanted, self.unwanted_until = False, 0.0
        """Whether a key exists, and until when none is assumed to exist, by the monotonic clock."""
        self._asking: asyncio.Future[bool] | None = None
        self._valid: dict[str, tuple[float, Key]] = {}
        """Valid keys by prefix, each with the start time of its read."""
        self._unknown: dict[str, float] = {}
        """Prefixes without a valid key. Cached separately, so that they cannot evict valid keys."""
        self._looked_for: dict[str, asyncio.Future[Key | None]] = {}
        """Prefixes that the next statement looks up."""
        self._being_read: dict[str, asyncio.Future[Key | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._used: set[str] = set()
        """Prefixes of the keys that were used since the last write of uses."""
        self._noting: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def wanted(self) -> bool:
        """Return whether requests need a key: true once any key was created, even if it was revoked."""
        if not self._wanted and monotonic() >= self.unwanted_until:
            if self._asking is None:
                self._asking = asyncio.ensure_future(_patiently(self._store.any))
                self._asking.add_done_callback(self._asked)
            await asyncio.shield(self._asking)
        return self._wanted

    def _asked(self, asking: asyncio.Future[bool]) -> None:
        self._asking = None
        if not asking.cancelled() and asking.exception() is None:
            self._wanted = asking.result()
            self.unwanted_until = 0.0 if self._wanted else monotonic() + FRESH

    async def find(self, prefix: str) -> Key | None:
        """Return the valid key with a prefix."""
        began, key = self._valid.get(prefix) or (self._unknown.get(prefix, -FRESH), None)
        if monotonic() - began < FRESH:
            return key
        being_read = self._being_read.get(prefix)
        return await (self._look_up(prefix) if being_read is None else asyncio.shield(being_read))

    async def valid(self, prefixes: Collection[str]) -> set[str]:
        """Return those of the prefixes that have a valid key, bypassing the cache."""
        keys = await asyncio.gather(*map(self._look_up, prefixes))
        return {key.prefix for key in keys if key is not None}

    async def holder(self, secret: str) -> Key | None:
        """Return the key that belongs to a secret; None if it is not valid."""
        if not FORM.fullmatch(secret):
            return None
        key = await self.find(secret[:PREFIX_LENGTH])
        if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
            return None
        if key.prefix not in self._used:
            self._used.add(key.prefix)
            if self._noting is None or self._noting.done():
                self._noting = asyncio.create_task(self._note_uses(), context=Context())  # outside of the request
        return key

    async def aclose(self) -> None:
        """Store the uses that are not stored yet, and wait for reads of the store."""
        self._closing.set()
        running = (each for each in (self._noting, self._asking, self._reading) if each is not None)
        await asyncio.gather(*running, return_exceptions=True)
        await self._store_uses()

    async def _note_uses(self) -> None:
        """Store the uses of keys, once per period while keys are used."""
        while self._used and not self._closing.is_set():
            await self._store_uses()
            with suppress(TimeoutError):
                async with asyncio.timeout(USES_PERIOD):
                    await self._closing.wait()

    async def _store_uses(self) -> None:
        """Store the uses of keys. One that cannot be stored now counts as not used."""
        used, self._used = self._used, set()
        if not used:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.note_uses(used)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the last uses of API keys cannot be stored: %s", error)

    async def _look_up(self, prefix: str) -> Key | None:
        if (waiting := self._looked_for.get(prefix)) is None:
            waiting = self._looked_for[prefix] = asyncio.get_running_loop().create_future()
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(waiting)

    async def _read(self) -> None:
        """Look up pending prefixes until none is left."""
        while self._looked_for:
            prefixes, began = list(islice(self._looked_for, TOGETHER)), monotonic()
            self._being_read = {prefix: self._looked_for.pop(prefix) for prefix in prefixes}
            try:
                found = await _patiently(partial(self._store.find, prefixes))
            except Exception as error:
                for future in self._being_read.values():
                    future.set_exception(error)
                    future.exception()  # mark it as retrieved: the subscriber may have left
            else:
                for prefix, future in self._being_read.items():
                    self._remember(prefix, began, found.get(prefix))
                    future.set_result(found.get(prefix))
            self._being_read = {}
            self._after_read()

    def _remember(self, prefix: str, began: float, key: Key | None) -> None:
        known: dict[str, Any] = self._unknown if key is None else self._valid
        if len(known) >= REMEMBERED:
            known.clear()
        known[prefix] = began if key is None else (began, key)
        (self._valid if key is None else self._unknown).pop(prefix, None)


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """Read within a time limit. Raises Busy if the store cannot be read; the request is then not authenticated."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await read()
    except (SQLAlchemyError, OSError) as error:
        raise Busy("API keys cannot be looked up now. Try again.") from error


def _digest(secret: str) -> str:
    """Hash a secret. 256 random bits need neither a salt nor a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[Any]) -> Key:
    projects = frozenset(orjson.loads(row.projects)) if row.projects else None
    return Key(**{**row._mapping, "projects": projects})
