"""Outcomes of elements: results by the type of their element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.models.enums import ElementType
from app.pipelines.results.parsed import ObjectiveSummary, ParameterValue, ParsedResult, ResultWarning


@dataclass(frozen=True)
class Outcome:
    """Outcome of a completed element. Its attributes are made when they are read."""

    element_type: ElementType
    element: str
    result: ParsedResult

    @cached_property
    def parameters(self) -> Sequence[ParameterValue]:
        return self.result.parameters(self.element)

    @property
    def warnings(self) -> list[ResultWarning]:
        return self.result.warnings

    @property
    def objectives(self) -> list[ObjectiveSummary]:
        """Statistics of a validation by objective."""
        return self.result.summaries

    @property
    def cost(self) -> float | None:
        return self.result.number("cost")

    @property
    def initial_cost(self) -> float | None:
        return self.result.number("initial_cost")

    @property
    def data_cost(self) -> float | None:
        return self.result.number("data_cost")

    @property
    def success(self) -> bool | None:
        return self.result.flag("success")

    @property
    def message(self) -> str | None:
        return self.result.text("message")

    @property
    def evaluations(self) -> int | None:
        return self.result.integer("evaluations")

    @property
    def failed_evaluations(self) -> int | None:
        return self.result.integer("failed_evaluations")

    @property
    def iterations(self) -> int | None:
        return self.result.integer("iterations")

    @property
    def restarts(self) -> int | None:
        return self.result.integer("restarts")
