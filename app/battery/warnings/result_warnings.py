"""Warnings of a result: the fit or validation completed, and its reader should look at this before trusting it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ResultWarning:
    """One warning: a stable code for programs, a message for people, and the parameter or objective it is about."""

    code: str
    message: str
    parameter: str | None = None
    objective: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that have a value."""
        return {name: value for name, value in asdict(self).items() if value is not None}
