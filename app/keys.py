"""API keys. A key is shown once, when it is made; kept is its SHA-256, with a prefix that people know it by.

Keys of a SQLite server stand in a file of their own beside its database: that has one process that writes, and keys
are made and revoked while it runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import orjson
from sqlalchemy import Boolean, Column, MetaData, Row, Table, Text, exists, insert, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateTable

from app.columns import Binary, Instant, now
from app.errors import Busy
from app.recoveries import Recoveries

T = TypeVar("T")

MARK = "vg_"
PREFIX_BYTES, SECRET_BYTES = 6, 32
PREFIX_LENGTH = len(MARK) + 2 * PREFIX_BYTES
FORM = re.compile(r"vg_[0-9a-f]{12}_[\w-]{43}", re.ASCII)
FRESH = 2.0
"""Seconds for which what was read of a key is believed; a revoked one is refused after that."""
REMEMBERED = 10_000
KEYS = "keys"
PATIENCE = 2.0
"""Seconds in which a key must be read; to give up a connection takes as long again."""

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
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a key stands for. `projects` are the only ones that it may use; None: all of its organization."""

    prefix: str
    digest: str = field(repr=False)
    organization_id: str
    user_id: str | None = None
    email: str | None = None
    projects: frozenset[str] | None = None
    read_only: bool = False
    created_at: datetime | None = None
    revoked_at: datetime | None = None


def keys_url(url: URL) -> URL:
    """Where the keys of the server over the database at `url` are."""
    return url.set(database=f"{url.database}.keys") if url.drivername.startswith("sqlite") else url


class KeyStore:
    """The table of keys."""

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
    ) -> str:
        """A new key: the one time that it is to be seen."""
        prefix = MARK + secrets.token_hex(PREFIX_BYTES)
        secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
        row = {
            "prefix": prefix,
            "digest": _digest(secret),
            "organization_id": organization_id,
            "user_id": user_id,
            "email": email,
            "projects": orjson.dumps(sorted(projects)).decode() if projects else None,
            "read_only": read_only,
            "created_at": now(),
        }
        async with self._engine.begin() as connection:
            await connection.execute(insert(table).values(row))
        return secret

    async def all(self) -> list[Key]:
        """Every key that was ever made, the oldest first."""
        async with self._engine.connect() as connection:
            return [_key(row) for row in await connection.execute(select(table).order_by(table.c.created_at))]

    async def any(self) -> bool:
        """Whether a key was ever made."""
        async with self._engine.connect() as connection:
            return bool((await connection.execute(select(exists(select(table))))).scalar_one())

    async def find(self, prefix: str) -> Key | None:
        """The valid key of a prefix."""
        query = select(table).where(table.c.prefix == prefix, table.c.revoked_at.is_(None))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _key(row)

    async def revoke(self, prefix: str) -> bool:
        """Refuse a key from now on. False when there is none of that prefix that is valid."""
        change = update(table).where(table.c.prefix == prefix, table.c.revoked_at.is_(None)).values(revoked_at=now())
        async with self._engine.begin() as connection:
            return bool((await connection.execute(change)).rowcount)


@asynccontextmanager
async def open_keys(url: URL, recoveries: Recoveries | None = None) -> AsyncIterator[KeyStore]:
    """The keys of the server over the database at `url`. Connections that are replaced are counted in `recoveries`."""
    engine = create_async_engine(keys_url(url), pool_size=2, max_overflow=0, pool_pre_ping=True)
    if recoveries is not None:
        recoveries.watch(engine, KEYS)
    try:
        async with engine.begin() as connection:
            await connection.execute(CreateTable(table, if_not_exists=True))
        yield KeyStore(engine)
    finally:
        await engine.dispose()


class KeyRing:
    """Keys as requests ask for them: what was read a moment ago is not read again."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._wanted, self._asked = False, -FRESH
        self._known: dict[str, tuple[float, Key | None]] = {}
        self._reading: dict[str, asyncio.Future[Any]] = {}
        """What is being read, by prefix: once for all who ask meanwhile. Of no prefix: whether there is any key."""

    async def wanted(self) -> bool:
        """Whether requests need a key. Once one was made they always do, also when it is revoked."""
        if not self._wanted and monotonic() - self._asked >= FRESH:
            self._wanted = await self._read("", self._store.any)
            self._asked = monotonic()
        return self._wanted

    async def find(self, prefix: str) -> Key | None:
        """The valid key of a prefix."""
        read, key = self._known.get(prefix, (-FRESH, None))
        if monotonic() - read >= FRESH:
            key = await self._read(prefix, partial(self._store.find, prefix))
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[prefix] = monotonic(), key
        return key

    async def holder(self, secret: str) -> Key | None:
        """What a key stands for; None when it is none that is valid."""
        if not FORM.fullmatch(secret):
            return None
        key = await self.find(secret[:PREFIX_LENGTH])
        return key if key and hmac.compare_digest(key.digest, _digest(secret)) else None

    async def _read(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        if (reading := self._reading.get(name)) is None:
            reading = self._reading[name] = asyncio.ensure_future(_patiently(read))
            reading.add_done_callback(lambda _: self._reading.pop(name))
        result: T = await asyncio.shield(reading)
        return result


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """What is read. Who asks is not let in while that is not known, and may come again."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await read()
    except (SQLAlchemyError, OSError) as error:
        raise Busy("API keys cannot be looked up now. Try again.") from error


def _digest(secret: str) -> str:
    """A key has 256 random bits: it needs no salt, and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[Any]) -> Key:
    projects = frozenset(orjson.loads(row.projects)) if row.projects else None
    return Key(**{**row._mapping, "projects": projects})
