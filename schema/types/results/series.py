"""GraphQL arguments of an element's series."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from app.models.enums import HISTORY, SeriesSource
from app.pipelines.results.series import MOST_POINTS, Wanted

DESCRIPTION = (
    "The model against the data of one objective of a fit or a validation: an object of equally long lists of numbers "
    "by channel, the axis first; null where a channel has no value. Null unless COMPLETED, or if the "
    "objective or source does not exist."
)

HISTORY_DESCRIPTION = (
    "The evaluations of a fit's cost in their order, thinned to at most 5,000 while it ran: an object of equally long "
    "lists by column. `evaluation` is the number from 1 over all starts, `start` the number of the start from 0 "
    "(`job_id` in `result`), `cost` null if there was no solution, `best_cost` the lowest so far. One column per "
    "parameter follows, named after it, or with ` (parameter)` behind if the name is taken. The best and the last are "
    "included. Null unless a COMPLETED fit; null for fits of versions without it."
)

Objective = Annotated[str, strawberry.argument(description="The objective's name in `jobConfig`.")]
Source = Annotated[SeriesSource, strawberry.argument(description="The parameter values of the model.")]
Columns = Annotated[
    list[str] | None,
    strawberry.argument(
        description="Only these channels besides the axis; by default all. An unknown one is an error."
    ),
]
MaxPoints = Annotated[
    int | None,
    strawberry.argument(
        description=f"Maximum number of rows, peaks kept: 2 to {MOST_POINTS:,}; by default all. The first and the last "
        "row are included. So are the minimum and maximum of each channel, if the number allows two rows per channel "
        "and two more."
    ),
]
XMin = Annotated[float | None, strawberry.argument(description="Only rows where the axis is at least this.")]
XMax = Annotated[float | None, strawberry.argument(description="Only rows where the axis is at most this.")]


def wanted_history(max_points: int | None) -> Wanted:
    return Wanted(HISTORY, max_points=None if max_points is UNSET else max_points)


def wanted(objective: str, source: SeriesSource, columns: list[str] | None, **bounds: Any) -> Wanted:
    given = {name: None if value is UNSET else value for name, value in bounds.items()}
    return Wanted(
        objective, source, frozenset(columns) if columns is not None and columns is not UNSET else None, **given
    )
