"""Fork server: a process that has imported the executor, so that a child process starts by a fork instead of seconds of
imports.

Run as `python -m app.execution.forkserver FD MODULE:NAME PARENT`. FD is a listening socket; each connection to it
brings the descriptors of messages.DESCRIPTORS and becomes a child process that serves one request. The fork server has
no secrets in its environment, opens no database, and dies with the process PARENT, as each child process does.
"""

from __future__ import annotations

import importlib
import os
import selectors
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.execution.executor import (
    DataFile,
    Executor,
    Fault,
    IngestError,
    Job,
    JobFailed,
    Outcome,
    Progress,
    Series,
    Values,
)
from app.execution.messages import DESCRIPTORS, WorkerGone, receive, send, send_series
from app.execution.reading.tables import read_part
from app.execution.sandbox.confinement import confine
from app.execution.sandbox.kernel import IS_LINUX, PR_SET_DUMPABLE, PR_SET_PDEATHSIG, prctl
from app.execution.sandbox.limits import Limits, exceeded, release_reserve
from app.execution.sandbox.readable import readable
from app.execution.sandbox.reaper import Reaper
from app.execution.streams.samples import Allowance
from app.models.enums import ElementType, JobErrorCode, SeriesSource

OWN = (__package__ or "").rpartition(".")[0]
"""Name of the package that holds this one: `app` in a checkout."""
BACKGROUND = ("run", "ingest")
"""Requests that no caller waits for: their processes run at the lowest priority."""
KILLED_FIRST = "1000"
"""oom_score_adj of jobs: when memory is short, the kernel kills the largest of them, and not the server."""
CANNOT_RUN = "This server cannot run elements:"
"""Start of the message of each failure if the executor cannot be imported."""
CANNOT_EXPORT = "Writing BPX documents needs the extra `battery` on this server: pip install 'voltgraph[battery]'."
MOST_TRACEBACK = 16_384
"""Maximum characters of a traceback that is sent; its end is kept."""


def main(fd: int, executor: str, parent: int) -> None:
    """Fork a child process for each connection, until killed."""
    _die_with(parent)
    # Ctrl-C in a terminal must end only the server, which then ends its children in order. A session of its own would
    # also achieve that, but Linux gives each session as much of a core as the server's, whatever the nice value.
    os.setpgid(0, 0)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(KILLED_FIRST)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    work = load(executor)
    if IS_LINUX:
        prctl(PR_SET_DUMPABLE, 0)
    _serve(socket.socket(fileno=fd), work)


def _serve(listener: socket.socket, work: Executor) -> None:
    """Fork a child process for each connection, and wait for those that end."""
    own, paths, reaper = os.getpid(), readable(), Reaper()
    woken, waking = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == woken:
                    os.read(woken, 1 << 16)
                    reaper.reap()
                    continue
                connection, _ = listener.accept()
                _, descriptors, _, _ = socket.recv_fds(connection, 1, len(DESCRIPTORS))
                if len(descriptors) == len(DESCRIPTORS):
                    *outputs, status = descriptors
                    pid = os.fork()
                    if pid == 0:
                        _child(connection, outputs, work, own, paths)
                    for each in outputs:
                        os.close(each)
                    reaper.watch(pid, status)
                connection.close()


def _keep_only(connection: socket.socket, outputs: Sequence[int]) -> None:
    """Write standard output, standard error and warnings to the job's log, and close every other descriptor."""
    signal.set_wakeup_fd(-1)
    output, error, warned = outputs
    os.dup2(output, 1)
    os.dup2(error, 2)
    kept = sorted({2, connection.fileno(), warned})
    for low, high in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low + 1, high)

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        with suppress(OSError):
            os.write(warned, f"{category.__name__}: {message} ({Path(filename).name}, line {lineno})\n".encode())

    warnings.showwarning = show  # type: ignore[assignment]


def load(name: str) -> Executor:
    """Return the executor `MODULE:NAME`; if it cannot be imported, one that fails each job with the reason."""
    module, _, attribute = name.partition(":")
    try:
        executor: Executor = getattr(importlib.import_module(own(module)), attribute)()
    except Exception as error:
        traceback.print_exc()
        return Missing(f"{CANNOT_RUN} {error}")
    return executor


def own(module: str) -> str:
    """Return the name under which a module is imported: `app.…` is Voltgraph's own, which the wheel places in
    `voltgraph`."""
    top, dot, rest = module.partition(".")
    here = OWN.split(".")
    return f"{OWN}.{rest}" if dot and top == here[-1] else module


class Missing:
    """Executor that fails each job, because the configured one cannot be imported."""

    def __init__(self, message: str = "This process runs no elements.") -> None:
        self._message = message

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        raise JobFailed(JobErrorCode.CONFIGURATION_ERROR, self._message)

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        raise JobFailed(JobErrorCode.CONFIGURATION_ERROR, self._message)


def _child(
    connection: socket.socket, outputs: Sequence[int], work: Executor, parent: int, paths: Sequence[Path]
) -> None:
    """Serve one request, then exit the process; exit silently if the worker is gone."""
    try:
        _keep_only(connection, outputs)
        _die_with(parent)
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        send(connection, {"kind": "began", "pid": os.getpid()})
        request = receive(connection)
        os.nice(request["nice"])
        if request["kind"] in BACKGROUND:
            _run_when_idle()
        limits = Limits(**request["limits"])
        files = [*map(Path, request.get("readable", ()))]
        # The reader of measurement files cannot work without a thread.
        confine(limits, Path(request["folder"]), [*paths, *files], request["sandbox"], threads=bool(files))
        answered = answer(request, work, connection, limits)
        _end_log(outputs[-1])
        send(connection, answered)
    except WorkerGone:
        pass  # the job needs no answer
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(0)


def _run_when_idle() -> None:
    """Run this process only while a core has nothing else to do (SCHED_IDLE). With a nice value alone, the kernel lets
    it finish its slice, several milliseconds, while a request waits."""
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):  # a container may refuse it: the nice value stays
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _end_log(warned: int) -> None:
    """Close the streams of the log: the worker has it all before the answer."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    for descriptor in (1, 2, warned):
        with suppress(OSError):
            os.close(descriptor)


def answer(request: dict[str, Any], work: Executor, connection: socket.socket, limits: Limits) -> dict[str, Any]:
    """Return the answer to a request: problems of each job for `check`, a result or a failure for `run`, a
    description or a failure for `ingest`, a series or a failure for `part`, a document or a failure for `export`.
    Series are sent before their result."""
    try:
        return _answer(request, work, connection)
    except Exception as error:
        release_reserve()
        message = exceeded(error, limits)
        if message is not None:
            return _failed(JobErrorCode.MODEL_ERROR, message)
        if isinstance(error, JobFailed):
            return _failed(error.code, error.message, error.detail) | _traceback(error)
        traceback.print_exc()
        message = f"The job ended with an unexpected {type(error).__name__}."
        return _failed(JobErrorCode.INTERNAL_ERROR, message) | _traceback(error)


def _answer(request: dict[str, Any], work: Executor, connection: socket.socket) -> dict[str, Any]:
    if request["kind"] == "ingest":
        return _ingested(request)
    if request["kind"] == "part":
        return _part(request, connection)
    if request["kind"] == "export":
        return _exported(request)
    files = {id: DataFile(**file) for id, file in request.get("measurements", {}).items()}
    jobs = [Job(job["name"], ElementType[job["type"]], job["config"], files) for job in request["jobs"]]
    if request["kind"] == "check":
        return {"kind": "faults", "faults": [_faults(found) for found in work.check(jobs)]}
    outcome = work.run(jobs[0], request["inputs"], lambda progress: send(connection, _told(progress)))
    allowance = Allowance()
    for series in outcome.series:
        send_series(connection, series, allowance)
    return {"kind": "result", "result": outcome.result}


def _ingested(request: dict[str, Any]) -> dict[str, Any]:
    """Read an uploaded file by the function `MODULE:NAME` of the request, which is imported here: no other process
    needs its libraries."""
    module, _, attribute = request["ingest"].partition(":")
    try:
        ingest = getattr(importlib.import_module(own(module)), attribute)
        options = request["options"] | {"out": request["folder"]}
        return {"kind": "ingested", **ingest(request["path"], options)}
    except IngestError as error:
        return _failed(JobErrorCode.CONFIGURATION_ERROR, str(error))
    except ImportError as error:
        traceback.print_exc()
        return _failed(JobErrorCode.CONFIGURATION_ERROR, f"This server cannot read files: {error}")
    except MemoryError:
        return _failed(JobErrorCode.CONFIGURATION_ERROR, "The file needs more memory than its process may use.")


def _exported(request: dict[str, Any]) -> dict[str, Any]:
    """Write parameter values by the function `MODULE:NAME` of the request, which is imported here."""
    module, _, attribute = request["export"].partition(":")
    try:
        export = getattr(importlib.import_module(own(module)), attribute)
    except ImportError as error:
        traceback.print_exc()
        return _failed(JobErrorCode.SUBMISSION_FAILED, f"{CANNOT_EXPORT} ({error})")
    return {"kind": "result", "result": export(request)}


def _part(request: dict[str, Any], connection: socket.socket) -> dict[str, Any]:
    """Send a part of a stored table as a series, thinned; a part without rows has none."""
    from app.pipelines.results import downsampling  # it imports numpy, which a fork server need not hold

    part = request["part"]
    try:
        columns = read_part(request["path"], part)
    except IngestError as error:
        return _failed(JobErrorCode.CONFIGURATION_ERROR, str(error))
    except ImportError as error:
        return _failed(JobErrorCode.SUBMISSION_FAILED, str(error))
    shown: dict[str, Any] = downsampling.cut(columns, part["axis"], None, None, part["max_points"])
    if len(shown[part["axis"]]):
        send_series(connection, Series("part", SeriesSource.OPTIMAL, shown), Allowance())
    return {"kind": "result", "result": {}}


def _failed(code: JobErrorCode, message: str, detail: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"kind": "failed", "code": code.name, "message": message, "detail": detail}


def _traceback(error: Exception) -> dict[str, str]:
    """Return the traceback of a failure that is a fault of the server, for the server's log."""
    if isinstance(error, JobFailed) and error.code is not JobErrorCode.INTERNAL_ERROR:
        return {}
    return {"traceback": "".join(traceback.format_exception(error))[-MOST_TRACEBACK:]}


def _faults(found: list[Fault]) -> list[dict[str, Any]]:
    return [{"message": fault.message, "path": [*map(str, fault.path)]} for fault in found]


def _told(progress: Progress) -> dict[str, Any]:
    return {
        "kind": "progress",
        "iteration": progress.iteration,
        "cost": progress.cost,
        "best_cost": progress.best_cost,
        "parameters": progress.parameters,
    }


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies (PR_SET_PDEATHSIG); exit if the parent is dead
    already."""
    if IS_LINUX:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
