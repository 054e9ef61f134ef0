"""Warnings of a result: the fit or validation completed, but its result may be untrustworthy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ResultWarning:
    """Warning with a stable code for programs, a message for people, and the parameter or objective it concerns."""

    code: str
    message: str
    parameter: str | None = None
    objective: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that have a value."""
        return {name: value for name, value in asdict(self).items() if value is not None}
