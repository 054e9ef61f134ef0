"""What everything that answers requests works with."""

from dataclasses import dataclass

from app.callers import Callers
from app.database import Database
from app.execution.engine import Engine
from app.feed import Feed
from app.health import Health


@dataclass(frozen=True, slots=True)
class Services:
    """The tables, the queue of what runs, the news of both, who may ask, and whether it can be done."""

    database: Database
    engine: Engine
    feed: Feed
    callers: Callers
    health: Health
