"""Executor whose check does what a configuration tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from app.execution.executor import Fault, Job, JobFailed
from app.execution.fake import FakeExecutor
from app.models.enums import JobErrorCode


class CheckingExecutor(FakeExecutor):
    """Executor with a key `check` in its configurations: `seconds`, `die`, `bytes`, `raise` and `nice`, which refuses
    with the nice value of the process."""

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        for told in (job.config.get("check", {}) for job in jobs):
            time.sleep(told.get("seconds", 0))
            bytearray(told.get("bytes", 0))
            if told.get("die"):
                os.abort()
            if told.get("nice"):
                raise JobFailed(JobErrorCode.CONFIGURATION_ERROR, f"nice {os.getpriority(os.PRIO_PROCESS, 0)}")
            if told.get("raise"):
                raise ValueError("It was told to fail.")
        return super().check(jobs)
