"""GraphQL subscriptions to measurements."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry

from schema.types.context import Info
from schema.types.measurements.types import Measurement
from schema.types.node import ID


@strawberry.type
class MeasurementSubscriptions:
    @strawberry.subscription(
        description="The current state of a measurement, then its newest state after changes (quick ones may merge). "
        "Completes after READY or FAILED, which is always sent, or when the measurement is deleted. One that does not "
        "exist or that the caller may not see is an error: NOT_FOUND.",
        graphql_type=Measurement,
    )
    def measurement_updated(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The measurement's id.")]
    ) -> AsyncGenerator[Any, None]:
        return info.context.services.measurements.states(info.context.caller, id)
