"""What Alembic runs: the migrations, on the connection that `upgrade` was given."""

from alembic import context
from sqlmodel import SQLModel

import app.models  # noqa: F401  registers the tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
context.run_migrations()
