"""GraphQL queries of the account: the caller, its rate limit, its projects, and the server."""

from typing import Annotated

import strawberry

from app.auth.caller import Caller
from app.pipelines.overview import projects
from schema.types.account.projects import Project, project
from schema.types.account.system import System
from schema.types.account.viewer import RateLimit, Viewer
from schema.types.context import Charge, Info
from schema.types.node import ID

Id = Annotated[ID, strawberry.argument(description="Its id: the `projectId` of its pipelines.")]
First = Annotated[int, strawberry.argument(description=f"Number of projects: 1 to {projects.MAX_PROJECTS}.")]


@strawberry.type
class AccountQueries:
    @strawberry.field(description="The caller.", graphql_type=Viewer)
    def viewer(self, info: Info) -> Caller:
        return info.context.caller

    @strawberry.field(
        description="The cost of this operation, and what the API key may still spend. It costs 1 by itself.",
        graphql_type=RateLimit,
    )
    def rate_limit(self, info: Info) -> Charge:
        charge = info.context.charge
        assert charge is not None
        return charge

    @strawberry.field(
        description="A project by its id. Null if it has no pipelines, or the caller may not see them.",
    )
    async def project(self, info: Info, id: Id) -> Project | None:
        found = await info.context.projects.load(id)
        return found and project(found)

    @strawberry.field(description="Projects with pipelines that the caller may see, those that changed last first.")
    async def projects(self, info: Info, first: First = projects.DEFAULT_PROJECTS) -> list[Project]:
        return list(map(project, await projects.newest(info.context.database, info.context.caller, first)))

    @strawberry.field(description="The server: its version, limits and workers.")
    def system(self) -> System:
        return System()
