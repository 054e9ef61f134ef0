"""Executor that counts its runs in a file, and shows the values that each gets from earlier elements.

The key `count` of a configuration is the path of that file; the server must run without a sandbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.execution.executor import Job, Outcome, Progress, Values
from app.execution.fake import FakeExecutor


class CountingExecutor(FakeExecutor):
    """Fake executor with a counter."""

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        with Path(job.config["count"]).open("a") as file:
            file.write(f"{job.name}\n")
        outcome = super().run(job, inputs, report)
        return replace(outcome, result=outcome.result | {"inputs": inputs})


def runs_of(file: Path) -> Counter[str]:
    """Count the runs of each element, by name."""
    return Counter(file.read_text().split()) if file.exists() else Counter()
