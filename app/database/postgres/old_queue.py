"""Queue of earlier versions: workflows of DBOS in the schema `dbos`, which other applications may use too."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

ROUND = 500
OURS = "name = 'run_pipeline' AND queue_name = 'pipelines'"
EXISTS = text("SELECT to_regclass('dbos.workflow_status') IS NOT NULL")
COUNT = text(f"SELECT count(*) FROM dbos.workflow_status WHERE {OURS}")
REMOVE = text(
    "DELETE FROM dbos.workflow_status WHERE workflow_uuid IN"
    f" (SELECT workflow_uuid FROM dbos.workflow_status WHERE {OURS} LIMIT {ROUND})"
)


async def count(engine: AsyncEngine) -> int:
    """Count the workflows of Voltgraph."""
    async with engine.begin() as connection:
        if not (await connection.execute(EXISTS)).scalar_one():
            return 0
        number: int = (await connection.execute(COUNT)).scalar_one()
        return number


async def remove(engine: AsyncEngine) -> int:
    """Remove some workflows of Voltgraph; return their number."""
    async with engine.begin() as connection:
        if not (await connection.execute(EXISTS)).scalar_one():
            return 0
        return (await connection.execute(REMOVE)).rowcount
