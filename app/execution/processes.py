"""Child processes, one per running job: forked from a fork server, stopped by SIGTERM and then SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import sysconfig
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any

from app.errors import VoltgraphError
from app.execution.messages import ProtocolViolation, hear, packed
from app.execution.sandbox.endings import Ending
from app.execution.sandbox.limits import Limits
from app.execution.streams.pipes import Discard, LogSink, Pipes
from app.execution.streams.samples import Allowance
from app.settings import Settings

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
TRIES = 3
"""Consecutive fork servers that end before any child process has begun; then jobs fail with the reason."""
MAX_DELAY = 30
"""Maximum factor of RESTART_DELAY while the fork server cannot start."""
STDERR_LINES, STDERR_CHARACTERS = 10, 2_000
"""Part of a fork server's standard error that a job's failure quotes."""
NICE = 10
"""Nice value of jobs, so that API requests run first on few cores. Work that a request waits for has none, nor has the
fork server: a process cannot lower its own value for its children."""
BEGIN = 60.0
"""Seconds within which a child process must start; the first one waits for the imports."""
KILLED = 5.0
"""Seconds after SIGKILL until a process counts as gone, even if one of its descendants holds the connection open."""


PREFIX, SOCKET = "voltgraph-", "children"
"""Prefix of the temporary folder of a worker, and name of its fork server's socket in it."""
NEW = 60.0
"""Seconds for which a folder may belong to a worker that does not listen yet."""
LINGER = 1.0
"""Seconds that the log of an ended process, and the report of its end, are waited for."""
MAX_JOB_FILES = 10_000
"""Maximum number of files in a job's folder."""


class ChildDied(VoltgraphError):
    """The child process ended before it sent an answer."""

    by = ""
    """The signal that ended it, as the end of a sentence."""


class ForkServerFailed(ChildDied):
    """The fork server cannot start; the message quotes its standard error."""


class ChildProcess:
    """A child process that serves one request."""

    def __init__(self, reader: asyncio.StreamReader, pid: int, pipes: Pipes, folder: Path) -> None:
        self._reader, self.pid = reader, pid
        self._pipes, self.folder = pipes, folder
        self._allowance = Allowance()

    async def message(self) -> dict[str, Any]:
        """Return the next message. Raises ChildDied when the connection ends or the message is invalid."""
        try:
            return await hear(self._reader, self._allowance)
        except ProtocolViolation as error:
            raise ChildDied(f"the process {self.pid} of the job sent {error}") from error
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ChildDied(f"the process {self.pid} of the job died") from None

    async def ending(self) -> Ending:
        """Return how the process ended; without facts if the fork server ended too."""
        return Ending.parse(await self._pipes.status(LINGER))

    async def logged(self) -> None:
        """Wait until all that the process wrote has been received."""
        await self._pipes.drained(LINGER)

    async def has_written(self, most: int) -> bool:
        """Return whether the files of the job are larger than `most` bytes together, or too many."""
        return await asyncio.to_thread(_is_full, self.folder, most)

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

    def __init__(self, settings: Settings) -> None:
        self._executor, self._sandbox = settings.executor, settings.sandbox
        self.limits = limits_of(settings)
        _remove_abandoned(Path(tempfile.gettempdir()))
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX)
        self._path = Path(self._folder.name) / SOCKET
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(128)
        self._zygote: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._cleaning: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._failed = asyncio.Event()
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)

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
        await asyncio.gather(*self._cleaning, return_exceptions=True)
        await asyncio.to_thread(self._folder.cleanup)

    @asynccontextmanager
    async def child(
        self,
        request: dict[str, Any],
        sink: LogSink | None = None,
        limits: Limits | None = None,
        *,
        is_urgent: bool = False,
    ) -> AsyncIterator[ChildProcess]:
        """Run a child process for `request`; kill it on exit, and remove its folder. `sink` receives what it writes to
        its log. `limits` replace those of jobs. `is_urgent`: a request of the API waits for it."""
        folder = Path(tempfile.mkdtemp(prefix="job-", dir=self._folder.name))
        pipes = Pipes(sink or Discard())
        child = writer = None
        try:
            reader, writer = await self._connect(pipes)
            confined = {"limits": (limits or self.limits).to_json(), "folder": str(folder), "sandbox": self._sandbox}
            writer.write(packed(request | confined | {"nice": 0 if is_urgent else NICE}))
            async with asyncio.timeout(BEGIN):
                began = await self._begun(reader)
            child = ChildProcess(reader, began["pid"], pipes, folder)
            yield child
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            raise ChildDied("the process of the job died before it started") from None
        finally:
            if child is not None:
                child._signal(signal.SIGKILL)
            if writer is not None:
                writer.close()
            self._clean(pipes, folder, is_begun=child is not None)

    @contextmanager
    def folder(self, prefix: str) -> Iterator[Path]:
        """Return a new folder for files that child processes read; delete it on exit. The folders of a worker that was
        killed are deleted with its own."""
        with tempfile.TemporaryDirectory(prefix=prefix, dir=self._folder.name, ignore_cleanup_errors=True) as name:
            yield Path(name)

    async def _connect(self, pipes: Pipes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the fork server, and pass it the write ends of the pipes."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, str(self._path))
            socket.send_fds(connection, [b"."], pipes.write_ends)
            pipes.opened()
            return await asyncio.open_unix_connection(sock=connection, limit=1 << 20)
        except BaseException:
            connection.close()
            raise

    def _clean(self, pipes: Pipes, folder: Path, *, is_begun: bool) -> None:
        """Remove the folder of a job once its process is gone, without waiting for that."""

        async def work() -> None:
            if is_begun:
                await pipes.status(KILLED)
            pipes.close()
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

        task = asyncio.create_task(work())
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def _begun(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        """Return the first message of a child process. Raises ForkServerFailed if the fork server cannot start."""
        hearing = asyncio.ensure_future(hear(reader, Allowance()))
        failing = asyncio.ensure_future(self._failed.wait())
        try:
            await asyncio.wait([hearing, failing], return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                last = "\n".join(self._stderr)[-STDERR_CHARACTERS:] or "it printed nothing"
                raise ForkServerFailed(f"The process that forks jobs cannot start: {last}")
            self._failures = 0
            return hearing.result()
        finally:
            hearing.cancel()
            failing.cancel()
            await asyncio.gather(hearing, failing, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            self._failures += 1  # until a child process begins
            try:
                self._zygote = await self._start()
            except OSError as error:  # too many processes, or no memory: that passes
                self._failures = 0
                log.error("the fork server cannot be started: %s", error)
            else:
                await self._watch(self._zygote)
            await asyncio.sleep(RESTART_DELAY * min(max(self._failures, 1), MAX_DELAY))
            self._failed.clear()

    async def _watch(self, zygote: asyncio.subprocess.Process) -> None:
        """Wait for the end of a fork server. If it is one of several that began nothing, fail the jobs that wait."""
        started, self._stderr = monotonic(), deque(maxlen=STDERR_LINES)
        relaying = asyncio.create_task(self._relay(zygote.stderr))
        code = await zygote.wait()
        await asyncio.wait([relaying], timeout=KILLED)  # jobs that are still running hold it open
        relaying.cancel()
        log.error("the fork server ended with %s; it is restarted", code)
        if monotonic() - started > BEGIN:
            self._failures = 0
        if self._failures >= TRIES:
            self._failed.set()

    async def _relay(self, stderr: asyncio.StreamReader | None) -> None:
        """Log what a fork server writes to its standard error, and keep its last lines."""
        assert stderr is not None
        while part := await stderr.read(1 << 14):
            text = part.decode(errors="replace")
            self._stderr.extend(text.splitlines())
            log.error("the fork server wrote to its standard error", extra={"fields": {"traceback": text}})

    async def _start(self) -> asyncio.subprocess.Process:
        fd = self._listener.fileno()
        # -P leaves the current folder off the path: a folder with a package `app` would be imported instead.
        command = sys.executable, "-P", "-m", f"{__package__}.forkserver", str(fd), self._executor, str(os.getpid())
        return await asyncio.create_subprocess_exec(
            *command,
            pass_fds=[fd],
            env=_environment() | ALWAYS,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )


def _environment() -> dict[str, str]:
    """Return the environment of child processes. The folder that holds this package comes first on their path, unless
    Python finds it by itself: a checkout may be used without being installed."""
    home = {"HOME": tempfile.gettempdir()}  # PyBaMM's imports fail for a user that has none
    inherited = home | {name: os.environ[name] for name in INHERITED if name in os.environ}
    folder = str(Path(__file__).resolve().parents[__name__.count(".")])
    if folder in sysconfig.get_paths().values():
        return inherited
    path = [folder, *filter(None, [inherited.get("PYTHONPATH")])]
    return inherited | {"PYTHONPATH": os.pathsep.join(path)}


def _remove_abandoned(temporary: Path) -> None:
    """Remove the folders of workers of this user that were killed: nothing listens on their sockets."""
    for folder in temporary.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
            stat = folder.stat(follow_symlinks=False)
            if stat.st_uid != os.geteuid() or time() - stat.st_mtime < NEW:
                continue
            asking.setblocking(False)
            try:
                asking.connect(str(folder / SOCKET))
            except ConnectionRefusedError:
                shutil.rmtree(folder, ignore_errors=True)


def limits_of(settings: Settings) -> Limits:
    """Return the limits of each job."""
    cpu = settings.job_timeout if settings.job_cpu is None else settings.job_cpu
    return Limits(settings.job_memory, cpu, settings.job_disk, settings.job_files)


def _is_full(folder: Path, most: int) -> bool:
    """Return whether a folder holds more than `most` bytes on the disk or MAX_JOB_FILES files. The sandbox refuses
    folders in it, links, and files without a name."""
    size = count = 0
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for each in found:
            size, count = size + each.stat(follow_symlinks=False).st_blocks * 512, count + 1
            if size > most or count > MAX_JOB_FILES:
                return True
    return False
