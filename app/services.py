"""What everything that answers requests works with."""

from dataclasses import dataclass

from app.database import Database
from app.execution.engine import Engine


@dataclass(frozen=True, slots=True)
class Services:
    """The tables, and the queue of what runs."""

    database: Database
    engine: Engine
