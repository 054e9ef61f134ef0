"""Executor whose check does what a configuration tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from app.execution.executor import Fault, Job
from app.execution.fake import FakeExecutor


class CheckingExecutor(FakeExecutor):
    """Executor with a key `check` in its configurations: `seconds`, `die`, `bytes` and `raise`."""

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        for told in (job.config.get("check", {}) for job in jobs):
            time.sleep(told.get("seconds", 0))
            bytearray(told.get("bytes", 0))
            if told.get("die"):
                os.abort()
            if told.get("raise"):
                raise ValueError("It was told to fail.")
        return super().check(jobs)
