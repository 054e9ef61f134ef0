"""Dependencies of both APIs."""

from dataclasses import dataclass

from app.auth.authenticator import Callers
from app.auth.keys import KeyRing, KeyStore
from app.auth.quotas import Slots
from app.auth.rate_limit import Rates
from app.auth.revocation import RevocationPoller
from app.database.interface import Database
from app.execution.queue import Engine
from app.pipelines.subscriptions import Feed
from app.server.bodies.quota import BodyQuota
from app.server.health import Health
from app.settings import Settings


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
