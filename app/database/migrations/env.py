"""Alembic environment: run the migrations on the connection passed to `upgrade`."""

from alembic import context
from sqlmodel import SQLModel

import app.models.measurements
import app.models.tables  # noqa: F401  registers the tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
context.run_migrations()
