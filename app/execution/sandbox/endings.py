"""Endings of a job's process without an answer, and the limit that each came from."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

from app.execution.sandbox.limits import ALLOCATION_SIGNALS, Limits, says_out_of_memory
from app.models.enums import JobErrorCode

NEARLY = 0.9
"""Part of the memory limit from which a crash counts as caused by it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended, as its fork server said."""

    signal: int | None = None
    cpu: float = 0.0
    """Seconds of CPU time that it used."""
    memory: int = 0
    """Bytes of its largest resident set."""

    @classmethod
    def parse(cls, said: bytes) -> Ending:
        """Parse a report; without one, nothing is known."""
        return cls(**json.loads(said)) if said else cls()

    @property
    def name(self) -> str:
        """Name of the signal that ended the process; empty if none did."""
        try:
            return signal.Signals(self.signal).name if self.signal else ""
        except ValueError:
            return f"signal {self.signal}"

    def exceeded(self, limits: Limits, errors: str) -> tuple[JobErrorCode, str] | None:
        """Return the failure of a process that reached a limit; None for another cause. `errors` is the end of its
        standard error."""
        is_killed = self.signal == signal.SIGKILL and self.cpu >= limits.cpu
        if self.signal == signal.SIGXCPU or is_killed:
            return JobErrorCode.EXECUTION_TIMEOUT, limits.cpu_exceeded
        if self.signal == signal.SIGXFSZ:
            return JobErrorCode.MODEL_ERROR, limits.disk_exceeded
        is_full = self.memory >= NEARLY * limits.memory or says_out_of_memory(errors)
        if self.signal in ALLOCATION_SIGNALS and is_full:
            return JobErrorCode.MODEL_ERROR, limits.memory_exceeded
        return None
