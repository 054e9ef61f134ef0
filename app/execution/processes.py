"""Child processes, one per running job: forked from a fork server, stopped by SIGTERM and then SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.errors import VoltgraphError
from app.execution.messages import ProtocolViolation, hear, packed
from app.execution.samples import Allowance

log = logging.getLogger("voltgraph")

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "SSL_CERT_FILE")
"""Environment variables that a child process inherits: none holds an address, a password or a key."""
ALWAYS = {
    "PYBAMM_DISABLE_TELEMETRY": "true",
    # One thread each: processes are the unit of parallel work here, and a process with threads cannot fork safely.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
RESTART_DELAY = 1.0
BEGIN = 60.0
"""Seconds within which a child process must start; the first one waits for the imports."""
KILLED = 5.0
"""Seconds after SIGKILL until a process counts as gone, even if one of its descendants holds the connection open."""


class ChildDied(VoltgraphError):
    """The child process ended before it sent an answer."""


class ChildProcess:
    """A child process that serves one request."""

    def __init__(self, reader: asyncio.StreamReader, pid: int) -> None:
        self._reader, self.pid = reader, pid
        self._allowance = Allowance()

    async def message(self) -> dict[str, Any]:
        """Return the next message. Raises ChildDied when the connection ends or the message is invalid."""
        try:
            return await hear(self._reader, self._allowance)
        except ProtocolViolation as error:
            raise ChildDied(f"the process {self.pid} of the job sent {error}") from error
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ChildDied(f"the process {self.pid} of the job died") from None

    async def stop(self, grace: float) -> None:
        """Stop the process group: SIGTERM, then SIGKILL after `grace` seconds. Return when it is gone."""
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, KILLED)):
            self._signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._gone()
                    break

    async def _gone(self) -> None:
        """Wait for the end of the connection, which comes when the last process that holds it exits."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1 << 16):
                pass

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class ChildProcesses:
    """Pool of child processes, forked from a fork server that is restarted whenever it ends."""

    def __init__(self, executor: str) -> None:
        self._executor = executor
        self._folder = tempfile.TemporaryDirectory(prefix="voltgraph-")
        self._path = Path(self._folder.name) / "children"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(128)
        self._zygote: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ChildProcesses:
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._zygote is not None and self._zygote.returncode is None:
            self._zygote.kill()
            await self._zygote.wait()
        self._listener.close()
        self._folder.cleanup()

    @asynccontextmanager
    async def child(self, request: dict[str, Any]) -> AsyncIterator[ChildProcess]:
        """Run a child process for `request`; kill it on exit."""
        reader, writer = await asyncio.open_unix_connection(self._path, limit=1 << 20)
        try:
            writer.write(packed(request))
            async with asyncio.timeout(BEGIN):
                began = await hear(reader, Allowance())
            child = ChildProcess(reader, began["pid"])
            try:
                yield child
            finally:
                child._signal(signal.SIGKILL)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            raise ChildDied("the process of the job died before it started") from None
        finally:
            writer.close()

    async def _keep(self) -> None:
        while True:
            try:
                self._zygote = await self._start()
            except OSError as error:  # too many processes, or no memory: that passes
                log.error("the fork server cannot be started: %s", error)
            else:
                code = await self._zygote.wait()
                log.error("the fork server ended with %s; it is restarted", code)
            await asyncio.sleep(RESTART_DELAY)

    async def _start(self) -> asyncio.subprocess.Process:
        fd = self._listener.fileno()
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.execution.forkserver", str(fd), self._executor, str(os.getpid())),
            pass_fds=[fd],
            env={name: os.environ[name] for name in INHERITED if name in os.environ} | ALWAYS,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
