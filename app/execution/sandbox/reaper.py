"""Reaper of the fork server: it waits for the processes of jobs, says how each ended, and kills what they left."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from app.execution.sandbox.kernel import IS_LINUX, PR_SET_CHILD_SUBREAPER, prctl


class Reaper:
    """Reaper of child processes. As their subreaper it becomes the parent of each process whose parent died, and no
    process of a job can leave its reach."""

    def __init__(self) -> None:
        self._jobs: dict[int, int] = {}
        if IS_LINUX:
            prctl(PR_SET_CHILD_SUBREAPER, 1)

    def watch(self, pid: int, status: int) -> None:
        """Say on the descriptor `status` how the process ends."""
        self._jobs[pid] = status

    def reap(self) -> None:
        """Wait for all processes that ended. When a job ended, kill the processes that have no job."""
        while True:
            ended = self._wait()
            if not ended or not self._kill_orphans():
                return

    def _wait(self) -> bool:
        ended = False
        with suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    break
                ended = True
                descriptor = self._jobs.pop(pid, None)
                if descriptor is not None:
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(pid, signal.SIGKILL)
                    _tell(descriptor, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
        return ended

    def _kill_orphans(self) -> bool:
        orphans = [pid for pid in _children() if pid not in self._jobs]
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(orphans)


def _tell(descriptor: int, status: int, cpu: float, memory: int) -> None:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    with suppress(OSError):  # the worker is gone
        os.write(descriptor, json.dumps({"signal": number, "cpu": cpu, "memory": memory}).encode())
    os.close(descriptor)


def _children() -> list[int]:
    """Return the processes whose parent this one is."""
    try:
        texts = [each.read_text() for each in Path("/proc/self/task").glob("*/children")]
    except OSError:
        return []
    return [int(pid) for text in texts for pid in text.split()]
