"""GraphQL types of the audit log."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from app.auth.caller import Caller
from app.auth.key_manager import require_admin
from app.models import audit as tables
from app.models.enums import AuditAction, AuditedType
from app.pipelines.lists.audit import AuditOrder
from app.pipelines.lists.row_filters import RowFilter, row_filter
from schema.types.context import Info
from schema.types.lists.connection import Connection
from schema.types.lists.fields import about, given
from schema.types.lists.pages import Asked, asked, load
from schema.types.node import ID
from schema.types.values import enums  # noqa: F401  registers the enums
from schema.types.values.input_factory import quick


@strawberry.type(
    description="A change that an API key made, or that the command line made to a key. Other changes without a key "
    "are not recorded."
)
class AuditEntry:
    id: ID = strawberry.field(description="Its id. Later entries have greater ids.")
    at: datetime = strawberry.field(description="When the change was made.")
    key: ID = strawberry.field(description="The prefix of the API key; `voltgraph keys` for the command line.")
    user_id: ID | None = strawberry.field(description="The user of the key, if named.")
    email: str | None = strawberry.field(description="The email of its user, if named.")
    action: AuditAction = strawberry.field(description="The kind of change.")
    object_type: AuditedType = strawberry.field(description="The type of the changed object.")
    object_id: ID = strawberry.field(
        description="The id of the changed object, which may have been deleted since. For an API key, its prefix."
    )
    object_name: str = strawberry.field(
        description="Its name after the change. For an API key, its email, its user or its prefix."
    )
    project_id: ID = strawberry.field(
        description="Its project. Empty for an API key, unless it is limited to one project."
    )


@quick
@strawberry.input(description="Fields are ANDed; an empty list matches nothing, null filters nothing.")
class AuditFilter:
    project_id: ID | None = about("Changes in this project.")
    object_id: ID | None = about("Changes of this object.")
    key: ID | None = about("Changes by the API key with this prefix.")
    actions: list[AuditAction] | None = about("Changes of these kinds.")
    after: datetime | None = about("Changes later than this.")
    before: datetime | None = about("Changes earlier than this.")

    def plain(self) -> RowFilter:
        return row_filter(tables.AuditEntry, PREDICATES, {name: given(value) for name, value in vars(self).items()})


PREDICATES = {
    "project_id": ("project_id", "eq"),
    "object_id": ("object_id", "eq"),
    "key": ("key", "eq"),
    "actions": ("action", "in"),
    "after": ("at", "gt"),
    "before": ("at", "lt"),
}
"""Field and operator of each filter."""


def audit_page(
    caller: Caller,
    filter: AuditFilter | None = UNSET,
    first: int | None = UNSET,
    after: str | None = UNSET,
) -> Asked:
    """Validate the arguments of a page. Raises FORBIDDEN without an administrator's key, and BAD_USER_INPUT."""
    require_admin(caller)
    return asked(filter.plain() if filter else RowFilter(), AuditOrder(), first, after)


@strawberry.type
class AuditQueries:
    @strawberry.field(
        description="Changes that API keys made in the projects that the caller may use, newest first. Changes of a "
        "key belong to its project if it is limited to exactly one, otherwise to no project: administrators of all "
        "projects see them. FORBIDDEN without an administrator's key."
    )
    async def audit_log(
        self,
        info: Info,
        filter: Annotated[
            AuditFilter | None, strawberry.argument(description="The filter; by default all entries.")
        ] = UNSET,
        first: Annotated[
            int | None, strawberry.argument(description="Number of entries: 1 to 100; by default 20.")
        ] = UNSET,
        after: Annotated[str | None, strawberry.argument(description="Only entries after this cursor.")] = UNSET,
    ) -> Connection[AuditEntry]:
        return Connection(page=await load(info, audit_page(info.context.caller, filter, first, after)))
