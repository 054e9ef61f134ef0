"""Executor without battery software, for tests of API clients.

It is selected by VOLTGRAPH_EXECUTOR=app.execution.fake:FakeExecutor.

The key `fake` of an element's configuration sets the behaviour of the element: an object with optional keys.

    seconds      duration in seconds; 0
    steps        number of progress reports; 0
    result       the result; `{"parameter_values": …}` with the configuration's `values`
    fail         instead of a result, a failure with this JobErrorCode
    message      message of the failure
    refuse       a fault that the check reports
    die          true: the process ends without an answer
    measurements true: the result tells the bytes of the file of each measurement, by id
    series       the series of its result: a list of `{"objective": …, "source": "OPTIMAL" or "BASELINE", "channels":
                 {name: [number or null, …], …}}`, the axis first; without `source` it is OPTIMAL
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.execution.executor import Fault, Job, JobFailed, Outcome, Progress, Series, Values
from app.models.enums import JobErrorCode, SeriesSource


class FakeExecutor:
    """Executor that follows the instructions in the configuration."""

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        refused = [job.config.get("fake", {}).get("refuse") for job in jobs]
        return [[Fault(each, ("fake", "refuse"))] if each else [] for each in refused]

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        told: dict[str, Any] = job.config.get("fake", {})
        self._work(told, report)
        if told.get("die"):
            os.abort()
        if "fail" in told:
            raise JobFailed(JobErrorCode[told["fail"]], told.get("message", "It was told to fail."))
        default = {"type": "PassthroughResult", "parameter_values": job.config.get("values", {})}
        if told.get("measurements"):
            sizes = {id: os.stat(file.path).st_size for id, file in job.measurements.items()}
            default |= {"sizes": sizes, "effective_config": {}}
        return Outcome(told.get("result", default), [_series(each) for each in told.get("series", [])])

    def _work(self, told: dict[str, Any], report: Callable[[Progress], None]) -> None:
        steps, seconds = told.get("steps", 0), told.get("seconds", 0)
        for step in range(1, steps + 1):
            time.sleep(seconds / steps)
            report(Progress(iteration=step, cost=1 / step, best_cost=1 / step, parameters={"x": step}))
        if not steps:
            time.sleep(seconds)


def _series(told: dict[str, Any]) -> Series:
    return Series(told["objective"], SeriesSource[told.get("source", "OPTIMAL")], told["channels"])
