"""Actions: the changes of a pipeline that its status allows."""

from __future__ import annotations

from app.auth.caller import Caller
from app.models.enums import PipelineStatus

TERMINAL = frozenset(status for status in PipelineStatus if status.is_terminal)
PENDING, RUNNING = frozenset({PipelineStatus.PENDING}), frozenset({PipelineStatus.RUNNING})
STATUSES = {
    "start": PENDING,
    "cancel": PENDING | RUNNING,
    "edit": PENDING,
    "delete": PENDING | TERMINAL,
    "rerun": TERMINAL,
}
"""Statuses in which each action changes something. The service and the lifecycle of pipelines refuse the others, and
`tests/pipelines/test_overview.py` compares them."""


def is_possible(action: str, status: PipelineStatus, caller: Caller) -> bool:
    """Return whether the caller may do this with a pipeline that the caller sees."""
    return caller.may_write and status in STATUSES[action]
