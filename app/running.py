"""Start and cancel, as the APIs offer them: in the tables first, then in the engine."""

from __future__ import annotations

from app import runs
from app.callers import Caller
from app.execution.engine import SubmissionFailed
from app.models import JobErrorCode, Pipeline
from app.reading import pipeline
from app.services import Services


async def start(services: Services, caller: Caller, id: str) -> Pipeline:
    """The pipeline, running; FAILED with SUBMISSION_FAILED when the engine cannot take it. NOT_FOUND; INVALID_STATE
    for a terminal one. Between the two steps a crash loses nothing: a worker queues what is running and not queued."""
    started, new = await runs.start(services.database, caller, id)
    if not new:
        return started
    try:
        await services.engine.submit(id)
    except SubmissionFailed as failure:
        await runs.fail(services.database, id, JobErrorCode.SUBMISSION_FAILED, str(failure))
    return await pipeline(services.database, caller, id) or started


async def cancel(services: Services, caller: Caller, id: str) -> Pipeline:
    """The pipeline, canceled. NOT_FOUND; INVALID_STATE when it ended otherwise."""
    canceled = await runs.cancel(services.database, caller, id)
    await services.engine.cancel(id)
    return canceled
