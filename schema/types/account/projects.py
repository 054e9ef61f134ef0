"""GraphQL type of projects."""

from datetime import datetime

import strawberry

from app.models.enums import PipelineStatus
from app.pipelines.lists.pagination import by_status
from app.pipelines.overview import projects
from schema.types.context import Info
from schema.types.node import ID, Node
from schema.types.values import enums  # noqa: F401  registers the enums


@strawberry.type(description="Number of pipelines with a status.")
class StatusCount:
    status: PipelineStatus = strawberry.field(description="The status.")
    count: int = strawberry.field(description="The number of pipelines.")


def status_counts(found: dict[PipelineStatus, int]) -> list[StatusCount]:
    """Return counts by status, zeros included."""
    return [StatusCount(status=status, count=count) for status, count in by_status(found.items()).items()]


@strawberry.type(
    description="A project: the pipelines with its id as their `projectId`. It exists while it has pipelines, and is "
    "found by `project`, not by `node`."
)
class Project(Node):
    id: ID = strawberry.field(description="Its id, which clients choose.")
    found: strawberry.Private[projects.Project | None] = None
    seen: strawberry.Private[datetime | None] = None
    """When one of its pipelines was changed that has been read."""

    @strawberry.field(description="Number of its pipelines per status, including zeros.")
    async def counts(self, info: Info) -> list[StatusCount]:
        return status_counts(await info.context.project_counts.load(self.id))

    @strawberry.field(description="When one of its pipelines last changed.")
    async def updated_at(self, info: Info) -> datetime:
        found = self.found or await info.context.projects.load(self.id)
        at = found.updated_at if found else self.seen  # all its pipelines may have been deleted meanwhile
        assert at is not None
        return at


def project(found: projects.Project) -> Project:
    return Project(id=ID(found.id), found=found)
