"""Limits of a job, and the failures of jobs that exceed them."""

from __future__ import annotations

import errno
import os
import resource
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MEBIBYTE = 1 << 20
TOO_MUCH_DISK = {errno.EFBIG, errno.ENOSPC, errno.EDQUOT}
RESERVE = 64 * MEBIBYTE
"""Bytes of address space beyond the limit, for the answer of a job that reached it."""
OUT_OF_MEMORY = ("bad_alloc", "Cannot allocate memory", "Unable to allocate", "MemoryError")
"""Words of libraries for a failed allocation."""
ALLOCATION_SIGNALS = {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP}
"""Signals by which native code ends after an allocation that failed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one job."""

    memory: int
    """Bytes of address space that it may add to that of the fork server."""
    cpu: float
    """Seconds of CPU."""
    disk: int
    """Bytes of the files in its folder."""
    files: int
    """Open files."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def apply(self) -> None:
        """Limit this process."""
        seconds = max(1, int(self.cpu + 0.999))
        limits = {
            resource.RLIMIT_AS: (_address_space() + self.memory, _address_space() + self.memory + RESERVE),
            resource.RLIMIT_CPU: (seconds, seconds + 1),
            resource.RLIMIT_FSIZE: (self.disk,) * 2,
            resource.RLIMIT_NOFILE: (self.files,) * 2,
            resource.RLIMIT_NPROC: (0, 0),
            resource.RLIMIT_CORE: (0, 0),
            resource.RLIMIT_MEMLOCK: (0, 0),
        }
        for kind, (soft, hard) in limits.items():
            most = resource.getrlimit(kind)[1]
            lower = hard if most == resource.RLIM_INFINITY else min(hard, most)
            resource.setrlimit(kind, (min(soft, lower), lower))

    @property
    def memory_exceeded(self) -> str:
        return f"The job needed more than {self.memory / MEBIBYTE:g} MiB of memory (VOLTGRAPH_JOB_MEMORY)."

    @property
    def cpu_exceeded(self) -> str:
        return f"The job used more than {self.cpu:g} s of CPU time (VOLTGRAPH_JOB_CPU)."

    @property
    def disk_exceeded(self) -> str:
        return f"The job wrote more than {self.disk / MEBIBYTE:g} MiB, or too many files (VOLTGRAPH_JOB_DISK)."

    @property
    def files_exceeded(self) -> str:
        return f"The job opened more than {self.files} files (VOLTGRAPH_JOB_FILES)."


def exceeded(error: BaseException | None, limits: Limits) -> str | None:
    """Return the message of the limit that an exception, or one that caused it, came from; None for another cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError) or says_out_of_memory(str(error)):
            return limits.memory_exceeded
        if isinstance(error, OSError) and error.errno in TOO_MUCH_DISK:
            return limits.disk_exceeded
        if isinstance(error, OSError) and error.errno == errno.EMFILE:
            return limits.files_exceeded
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return limits.memory_exceeded
        error = error.__cause__ or error.__context__
    return None


def release_reserve() -> None:
    """Permit the reserve, so that a failure can be sent."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def says_out_of_memory(text: str) -> bool:
    """Return whether a text of a library tells of a failed allocation."""
    return any(words in text for words in OUT_OF_MEMORY)


def _address_space() -> int:
    """Return the bytes of address space that this process has already."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
