"""Fork server: a process that has imported the executor, so that a child process starts by a fork instead of seconds of
imports.

Run as `python -m app.execution.forkserver FD MODULE:NAME PARENT`. FD is a listening socket; each connection to it
becomes a child process that serves one request. The fork server has no secrets in its environment, opens no database,
and dies with the process PARENT, as each child process does.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
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
    Values,
)
from app.execution.messages import WorkerGone, receive, send, send_series
from app.execution.samples import Allowance
from app.models.enums import ElementType, JobErrorCode

PR_SET_PDEATHSIG = 1
NICE = 10
"""Nice value of jobs, so that API requests run first on few cores."""


def main(fd: int, executor: str, parent: int) -> None:
    """Fork a child process for each connection, until killed."""
    _die_with(parent)
    # Ctrl-C in a terminal must end only the server, which then ends its children in order. A session of its own would
    # also achieve that, but Linux gives each session as much of a core as the server's, whatever the nice value.
    os.setpgid(0, 0)
    os.nice(NICE)
    own = os.getpid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    listener = socket.socket(fileno=fd)
    work = load(executor)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _child(connection, work, own)
        connection.close()


def load(name: str) -> Executor:
    """Return the executor `MODULE:NAME`; if it cannot be imported, one that fails each job with the reason."""
    module, _, attribute = name.partition(":")
    try:
        executor: Executor = getattr(importlib.import_module(module), attribute)()
    except Exception as error:
        traceback.print_exc()
        return Missing(f"This server cannot run elements: {error}")
    return executor


class Missing:
    """Executor that fails each job, because the configured one cannot be imported."""

    def __init__(self, message: str) -> None:
        self._message = message

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        raise JobFailed(JobErrorCode.CONFIGURATION_ERROR, self._message)

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        raise JobFailed(JobErrorCode.CONFIGURATION_ERROR, self._message)


def _child(connection: socket.socket, work: Executor, parent: int) -> None:
    """Serve one request, then exit the process; exit silently if the worker is gone."""
    try:
        _die_with(parent)
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        send(connection, {"kind": "began", "pid": os.getpid()})
        send(connection, answer(receive(connection), work, connection))
    except WorkerGone:
        pass  # the job needs no answer
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def answer(request: dict[str, Any], work: Executor, connection: socket.socket) -> dict[str, Any]:
    """Return the answer to a request: problems of each job for `check`, a result or a failure for `run`, a description
    or a failure for `ingest`. Series are sent before their result."""
    try:
        if request["kind"] == "ingest":
            return _ingested(request)
        files = {id: DataFile(**file) for id, file in request.get("measurements", {}).items()}
        jobs = [Job(job["name"], ElementType[job["type"]], job["config"], files) for job in request["jobs"]]
        if request["kind"] == "check":
            return {"kind": "faults", "faults": [_faults(found) for found in work.check(jobs)]}
        outcome = work.run(jobs[0], request["inputs"], lambda progress: send(connection, _told(progress)))
        allowance = Allowance()
        for series in outcome.series:
            send_series(connection, series, allowance)
        return {"kind": "result", "result": outcome.result}
    except JobFailed as failure:
        return {"kind": "failed", "code": failure.code.name, "message": failure.message, "detail": failure.detail}
    except Exception as error:
        traceback.print_exc()
        return _failed(JobErrorCode.INTERNAL_ERROR, f"The job ended with an unexpected {type(error).__name__}.")


def _ingested(request: dict[str, Any]) -> dict[str, Any]:
    """Read an uploaded file by the function `MODULE:NAME` of the request, which is imported here: no other process
    needs its libraries."""
    module, _, attribute = request["ingest"].partition(":")
    try:
        ingest = getattr(importlib.import_module(module), attribute)
        return {"kind": "ingested", **ingest(request["path"], request["options"])}
    except IngestError as error:
        return _failed(JobErrorCode.CONFIGURATION_ERROR, str(error))
    except ImportError as error:
        traceback.print_exc()
        return _failed(JobErrorCode.CONFIGURATION_ERROR, f"This server cannot read files: {error}")
    except MemoryError:
        return _failed(JobErrorCode.CONFIGURATION_ERROR, "The file needs more memory than its process may use.")


def _failed(code: JobErrorCode, message: str) -> dict[str, Any]:
    return {"kind": "failed", "code": code.name, "message": message, "detail": None}


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
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
