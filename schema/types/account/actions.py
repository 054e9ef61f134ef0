"""GraphQL type of the actions that a caller may do."""

import strawberry

from app.auth.caller import Caller
from app.models.enums import PipelineStatus
from app.pipelines.overview.actions import is_possible


@strawberry.type(
    description="Whether the caller may do something with a pipeline now, by its status and the rights of the API key."
)
class PipelineActions:
    status: strawberry.Private[PipelineStatus]
    caller: strawberry.Private[Caller]

    @strawberry.field(description="Start it: it is PENDING.")
    def start(self) -> bool:
        return is_possible("start", self.status, self.caller)

    @strawberry.field(description="Cancel it: it has not ended.")
    def cancel(self) -> bool:
        return is_possible("cancel", self.status, self.caller)

    @strawberry.field(
        description="Change its elements and options: it is PENDING. With `Viewer.canWrite`, its name and description "
        "can change in any status."
    )
    def edit(self) -> bool:
        return is_possible("edit", self.status, self.caller)

    @strawberry.field(description="Delete it: it is not RUNNING.")
    def delete(self) -> bool:
        return is_possible("delete", self.status, self.caller)

    @strawberry.field(description="Run it again as a new pipeline: it has ended.")
    def rerun(self) -> bool:
        return is_possible("rerun", self.status, self.caller)
