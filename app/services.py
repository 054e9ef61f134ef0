"""Dependencies of both APIs."""

from dataclasses import dataclass

from app.body_quota import BodyQuota
from app.callers import Callers
from app.database import Database
from app.execution.engine import Engine
from app.feed import Feed
from app.health import Health
from app.keys import KeyRing, KeyStore
from app.rates import Rates
from app.revocation import RevocationPoller
from app.settings import Settings
from app.slots import Slots


@dataclass(frozen=True, slots=True)
class Services:
    """Dependencies of both APIs: database, run queue, subscriptions, authenticator, rate limits, quotas, health."""

    database: Database
    engine: Engine
    feed: Feed
    callers: Callers
    revocations: RevocationPoller
    health: Health
    rates: Rates
    bodies: BodyQuota
    sockets: Slots
    subscriptions: Slots


def services(settings: Settings, database: Database, engine: Engine, keys: KeyStore) -> Services:
    """Build the services of a server."""
    callers = Callers(KeyRing(keys), settings.allow_anyone)
    sockets = Slots(settings.max_sockets, "WebSockets")
    subscriptions = Slots(settings.max_subscriptions, "subscriptions")
    health, rates, revocations = Health(database), Rates(settings.rate_limit), RevocationPoller(callers)
    feed, bodies = Feed(database, revocations), BodyQuota(settings.max_held_bytes)
    return Services(database, engine, feed, callers, revocations, health, rates, bodies, sockets, subscriptions)
