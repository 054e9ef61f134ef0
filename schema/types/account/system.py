"""GraphQL types of the server: its version, its limits, and its workers."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app import __version__
from app.execution.worker import ALONE
from app.models.columns import now
from app.models.sql import sql_of
from app.pipelines.elements import MAX_ELEMENTS
from app.pipelines.inputs import LIMITS
from app.pipelines.lists.pagination import MAX_PAGE
from app.pipelines.overview import load
from app.settings import Settings
from schema.types.context import Info
from schema.types.node import ID


@strawberry.type(description="A worker process, which runs pipelines.")
class WorkerStatus:
    id: ID = strawberry.field(description="Its name: `local` for the only one of a SQLite file.")
    heartbeat_at: datetime = strawberry.field(
        description="Its last heartbeat, by the clock of the database. One is written every few seconds."
    )
    running: int = strawberry.field(description="Number of the pipelines it runs that the caller may see.")


@strawberry.type(description="The server: for status pages.")
class System:
    @strawberry.field(description="The version of Voltgraph.")
    def version(self) -> str:
        return __version__

    @strawberry.field(description="The executor of elements: `MODULE:NAME`.")
    def executor(self, info: Info) -> str:
        return info.context.services.settings.executor

    @strawberry.field(description="Whether requests need an API key.")
    async def has_keys(self, info: Info) -> bool:
        return await info.context.services.authenticator.need_keys()

    @strawberry.field(description="The workers, by name. One that ended abruptly stays for a while.")
    async def workers(self, info: Info) -> list[WorkerStatus]:
        database, caller = info.context.database, info.context.caller
        if not sql_of(database.dialect).is_file:
            return [
                WorkerStatus(id=ID(each.id), heartbeat_at=each.heartbeat_at, running=each.running)
                for each in await load.workers(database, caller)
            ]
        if not info.context.services.settings.workers:
            return []
        # The worker of a file writes no heartbeats: it is a part of the process that answers.
        running = (await load.running_by_worker(database, caller)).get(ALONE, 0)
        return [WorkerStatus(id=ID(ALONE), heartbeat_at=now(), running=running)]

    @strawberry.field(description="Number of started pipelines that wait for a worker, of those the caller may see.")
    async def queued(self, info: Info) -> int:
        return await load.queued(info.context.database, info.context.caller)

    @strawberry.field(description="Number of pipelines that workers run, of those the caller may see.")
    async def running(self, info: Info) -> int:
        return await load.running(info.context.database, info.context.caller)

    @strawberry.field(
        description="Limits by name, as docs/limits.md describes them: numbers; null where there is no limit.",
        graphql_type=JSON,
    )
    def limits(self, info: Info) -> Any:
        return limits(info.context.services.settings)


def limits(settings: Settings) -> dict[str, float | None]:
    """Return the limits that clients need, by name."""
    return {
        "pageSize": MAX_PAGE,
        "elements": MAX_ELEMENTS,
        "listInput": settings.max_list_input,
        **{f"{_camel(name)}Length": length for name, (_, length) in LIMITS.items()},
        "bodyBytes": settings.max_body_bytes,
        "jsonDepth": settings.max_json_depth,
        "answerBytes": settings.max_answer_bytes,
        "documentBytes": settings.max_document_bytes,
        "documentTokens": settings.max_document_tokens,
        "depth": settings.max_depth,
        "rootFields": settings.max_root_fields,
        "aliases": settings.max_aliases,
        "directives": settings.max_directives,
        "cost": settings.max_cost,
        "costPerMinute": settings.rate_limit,
        "requestSeconds": settings.request_timeout,
        "sockets": settings.max_sockets,
        "socketOperations": settings.max_socket_operations,
        "subscriptions": settings.max_subscriptions,
        "queued": settings.max_queued,
        "queuedPerKey": settings.max_queued_per_key,
        "running": settings.max_running,
        "runningPerKey": settings.max_running_per_key,
        "fileBytes": settings.max_file_bytes,
        "storedBytes": settings.max_stored_bytes,
        "jobSeconds": settings.job_timeout,
        "jobMemoryBytes": settings.job_memory,
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
