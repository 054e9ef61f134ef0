"""Alembic environment: run the migrations on the connection passed to `upgrade`."""

from collections.abc import Callable

from alembic import context
from sqlmodel import SQLModel

import app.models.measurements
import app.models.tables  # noqa: F401  registers the tables

connection = context.config.attributes["connection"]
applied: Callable[[], None] | None = context.config.attributes["applied"]


def _count(*_: object, **__: object) -> None:
    """Report a migration that was applied."""
    if applied is not None:
        applied()


context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    on_version_apply=_count,
)
context.run_migrations()
