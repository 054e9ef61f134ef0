"""Problems of configurations, as a check or a failed run finds them."""

from __future__ import annotations

import strawberry


@strawberry.type(description="A problem of the configuration of an element.")
class ConfigurationProblem:
    element: str | None = strawberry.field(description="The element's name.")
    path: list[str] = strawberry.field(
        description='Its place in `jobConfig`, outermost first: `["objectives", "1C", "data"]`. Empty: the whole.'
    )
    message: str = strawberry.field(description="The problem, for people.")
