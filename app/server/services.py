"""Dependencies of both APIs."""

from dataclasses import dataclass

from app.auth.authenticator import Authenticator
from app.auth.key_manager import KeyManager
from app.auth.keys import KeyRing, KeyStore
from app.auth.quotas import ConcurrencyQuota
from app.auth.rate_limit import RateLimiter
from app.auth.revocation import RevocationPoller
from app.database.audit import KeyAuditRelay
from app.database.interface import Database
from app.execution.checking.checker import Checker
from app.execution.sandbox.isolation import Isolation, isolation
from app.measurements.downloads import Signer
from app.measurements.parts import PartReader
from app.measurements.subscriptions import MeasurementFeed
from app.pipelines.feed.subscriptions import Feed
from app.pipelines.lifecycle import QueueLimits
from app.pipelines.results.parameter_sets import BpxExporter
from app.server.bodies.quota import BodyQuota
from app.server.memory import Reclaimer
from app.server.observability.health import Health
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Dependencies of both APIs: database, queue limits, subscriptions, authenticator, rate limits, quotas, health."""

    database: Database
    queue_limits: QueueLimits
    feed: Feed
    authenticator: Authenticator
    revocations: RevocationPoller
    health: Health
    rate_limiter: RateLimiter
    bodies: BodyQuota
    sockets: ConcurrencyQuota
    subscriptions: ConcurrencyQuota
    isolation: Isolation | None
    """Isolation of jobs; None if this process runs none."""
    measurements: MeasurementFeed
    signer: Signer
    parts: PartReader
    checker: Checker
    exporter: BpxExporter
    max_file_bytes: int
    max_stored_bytes: int
    settings: Settings
    keys: KeyManager
    key_audit: KeyAuditRelay


def services(
    settings: Settings, database: Database, keys: KeyStore, parts: PartReader, checker: Checker, exporter: BpxExporter
) -> Services:
    """Build the services of a server."""
    key_audit = KeyAuditRelay(database, keys)
    authenticator = Authenticator(KeyRing(keys, key_audit.wake), settings.allow_anyone)
    sockets = ConcurrencyQuota(settings.max_sockets, "WebSockets")
    subscriptions = ConcurrencyQuota(settings.max_subscriptions, "subscriptions", Reclaimer().released)
    rate_limiter = RateLimiter(settings.rate_limit)
    health, revocations = Health(database), RevocationPoller(authenticator)
    feed, bodies = Feed(database, revocations), BodyQuota(settings.max_held_bytes)
    queue_limits = QueueLimits(settings.max_queued, settings.max_queued_per_key)
    given = isolation(settings.sandbox) if settings.workers else None
    return Services(
        database,
        queue_limits,
        feed,
        authenticator,
        revocations,
        health,
        rate_limiter,
        bodies,
        sockets,
        subscriptions,
        given,
        MeasurementFeed(database, revocations),
        Signer(database),
        parts,
        checker,
        exporter,
        settings.max_file_bytes,
        settings.max_stored_bytes,
        settings,
        KeyManager(keys, key_audit.deliver),
        key_audit,
    )
