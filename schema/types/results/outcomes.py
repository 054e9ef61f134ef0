"""GraphQL types of outcomes. Fields read the attributes of `app.pipelines.results`."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.models.enums import ElementType, SeriesSource
from app.pipelines.results import outcomes
from schema.types.context import Info


@strawberry.type(description="A reason why a result may be untrustworthy.")
class ResultWarning:
    code: str = strawberry.field(description="Machine-readable code of the warning.")
    message: str = strawberry.field(description="Explanation for people, with a remedy.")
    parameter: str | None = strawberry.field(description="Name of the parameter concerned, if any.")
    objective: str | None = strawberry.field(description="Name of the objective concerned, if any.")


@strawberry.type(
    description="A parameter value of a result. The fields from `initialValue` on are null for other elements than "
    "fits, for parameters that the fit did not search, and for results of versions that did not store them."
)
class ParameterValue:
    name: str = strawberry.field(description="Its name, as PyBaMM writes it.")
    unit: str | None = strawberry.field(description="The unit at the end of its name, if any.")
    value: float | None = strawberry.field(description="Its value. Null for functions and texts; see `raw`.")
    element: str = strawberry.field(description="Name of the element that gave the value.")
    initial_value: float | None = strawberry.field(description="Initial value of the best search of a fit.")
    standard_error: float | None = strawberry.field(
        description="Its standard error. Null if the data do not determine it."
    )
    lower: float | None = strawberry.field(description="Lower end of its confidence interval.")
    upper: float | None = strawberry.field(description="Upper end of its confidence interval.")
    confidence_level: float | None = strawberry.field(description="Level of the interval, such as 0.95.")
    at_bound: bool | None = strawberry.field(description="Whether a fit ended at one of its bounds.")
    bounds: list[float | None] | None = strawberry.field(
        description="Bounds of a fit: the lower and the upper; null where there is none."
    )

    @strawberry.field(description="The value as stored: a number, a function or a text.", graphql_type=JSON)
    def raw(self, info: Info) -> Any:
        return info.context.budget.encoded(self.raw)  # the attribute of the value, not this method


@strawberry.interface(description="The result of a completed element, by its type.")
class Outcome:
    parameters: list[ParameterValue] = strawberry.field(description="The parameter values that it passes on.")
    warnings: list[ResultWarning] = strawberry.field(description="Reasons why it may be untrustworthy.")


def _is(value: Any, kind: ElementType) -> bool:
    return isinstance(value, outcomes.Outcome) and value.element_type is kind


@strawberry.type(description="The result of a fit. Fields are null in results of versions that did not store them.")
class OptimizationResult(Outcome):
    cost: float | None = strawberry.field(description="The cost at the best point.")
    initial_cost: float | None = strawberry.field(
        description="The cost where the best search started. Null if the model had no solution there."
    )
    data_cost: float | None = strawberry.field(description="The part of the cost that is not from priors.")
    success: bool | None = strawberry.field(description="Whether the search converged.")
    message: str | None = strawberry.field(description="The reason for the end of the search.")
    evaluations: int | None = strawberry.field(description="Number of evaluations of the best search.")
    failed_evaluations: int | None = strawberry.field(description="Number of evaluations without a solution, of all.")
    iterations: int | None = strawberry.field(description="Number of iterations of the best search.")
    restarts: int | None = strawberry.field(description="Number of restarts of the best search.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return _is(value, ElementType.DATA_FIT)


@strawberry.type(description="A statistic of an objective.")
class Statistic:
    name: str = strawberry.field(description="Its name, such as `RMSE`.")
    variable: str | None = strawberry.field(description="The variable compared, such as `Voltage [V]`.")
    value: float | None = strawberry.field(description="Its value. Null if it is not finite.")


@strawberry.type(description="The comparison of one objective of a validation.")
class ObjectiveSummary:
    name: str = strawberry.field(description="The objective's name.")
    statistics: list[Statistic] = strawberry.field(description="Its statistics; none if it failed.")
    error: str | None = strawberry.field(description="The reason why it could not be simulated. Null unless it failed.")


@strawberry.type(description="The result of a validation.")
class ValidationResult(Outcome):
    objectives: list[ObjectiveSummary] = strawberry.field(description="Its objectives; failed ones come last.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return _is(value, ElementType.VALIDATION)


@strawberry.type(description="The result of a direct entry.")
class EntryResult(Outcome):
    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return _is(value, ElementType.DIRECT_ENTRY)


@strawberry.type(description="The result of a calculation.")
class CalculationResult(Outcome):
    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return _is(value, ElementType.CALCULATION)


OUTCOMES = {
    ElementType.DIRECT_ENTRY: EntryResult,
    ElementType.DATA_FIT: OptimizationResult,
    ElementType.CALCULATION: CalculationResult,
    ElementType.VALIDATION: ValidationResult,
}
"""Type of the outcome of each type of element."""


@strawberry.type(description="A series that `series` returns.")
class ObjectiveSource:
    source: SeriesSource = strawberry.field(description="The parameter values of the model.")
    rows: int = strawberry.field(description="Number of rows.")
    channels: list[str] = strawberry.field(description="Names of the channels, the axis first.")


@strawberry.type(description="An objective whose series are stored.")
class ElementObjective:
    name: str = strawberry.field(description="Its name, the argument `objective` of `series`.")
    sources: list[ObjectiveSource] = strawberry.field(description="Its series.")

    @strawberry.field(
        description="Its type, such as `CurrentDriven`. Null in results of versions that did not store it."
    )
    async def type(self, info: Info) -> str | None:
        result = await info.context.results.load(self.element_id)  # type: ignore[attr-defined]
        return None if result is None else result.objective_types.get(self.name)
