"""Durable queue of runs: the pipelines that are RUNNING without a worker, in the order of their starts.

A worker claims a pipeline by writing its own name into the row and incrementing the attempt number, which gives it the
lease. Nothing else holds the state of the queue, so that starting, canceling and ending a run are each one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.interface import Database
from app.database.writes.mutations import Steps
from app.database.writes.statements import IDS, Query
from app.execution.lease import Lease
from app.models.sql import Sql
from app.models.tables import HELD, QUEUED, Pipeline, Worker

Key = tuple[str, str | None]
"""An organization, and the prefix of one of its API keys."""


PIPELINE = SQLModel.metadata.tables["pipeline"]


def _waiting_organizations() -> sa.Select[Any]:
    """Select the organizations with a queued pipeline: one step in the index for each, whatever the length of its
    queue."""
    steps = sa.select(func.min(PIPELINE.c.organization_id).label("id")).where(QUEUED).cte("waiting", recursive=True)
    more = sa.select(func.min(PIPELINE.c.organization_id)).where(QUEUED, PIPELINE.c.organization_id > steps.c.id)
    steps = steps.union_all(sa.select(more.correlate(steps).scalar_subquery()).where(steps.c.id.is_not(None)))
    return sa.select(steps.c.id).where(steps.c.id.is_not(None))


# Statements of a claim.
WAITING = _waiting_organizations()
_KEY = PIPELINE.c.organization_id, PIPELINE.c.started_by
RUNNING = sa.select(*_KEY, func.count()).where(HELD).group_by(*_KEY)
OLDEST = (
    sa.select(PIPELINE.c.id, PIPELINE.c.started_by)
    .where(QUEUED, PIPELINE.c.organization_id == sa.bindparam("organization"))
    .order_by(PIPELINE.c.started_at, PIPELINE.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)  # skips pipelines that another transaction changes at this moment
)


def oldest_of_others(sql: Sql) -> sa.Select[Any]:
    """Select the oldest pipelines that none of some API keys started."""
    key = PIPELINE.c.started_by
    return OLDEST.where(sa.or_(key.is_(None), key.not_in(sa.select(sql.ids(IDS)))))


def oldest_of_other_keys(sql: Sql) -> sa.Select[Any]:
    """Select the oldest pipelines that API keys started, but none of some keys."""
    return oldest_of_others(sql).where(PIPELINE.c.started_by.is_not(None))


def take(sql: Sql) -> sa.Update:
    """Give pipelines to a worker: locked ones, which no other transaction can change."""
    found = sa.update(PIPELINE).where(PIPELINE.c.id.in_(sa.select(sql.ids(IDS))))
    return found.values(worker_id=sa.bindparam("worker"), attempt=PIPELINE.c.attempt + 1)


def taken(sql: Sql) -> sa.Select[Any]:
    """Select what a lease needs of pipelines."""
    columns = (PIPELINE.c[name] for name in ("id", "attempt", "live_progress_updates", "request_id"))
    return sa.select(*columns).where(PIPELINE.c.id.in_(sa.select(sql.ids(IDS)))).order_by(PIPELINE.c.started_at)


@dataclass(frozen=True, slots=True)
class RunningLimits:
    """Maximum number of pipelines that run at a time; None is no limit. Further ones wait in the queue."""

    organization: int | None = None
    key: int | None = None


@dataclass(slots=True)
class Turns:
    """Turns of the organizations that have been served: the round robin between those that run equally much."""

    _numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)
    _last: dict[str, int] = field(default_factory=dict)

    def last(self, organization_id: str) -> int:
        return self._last.get(organization_id, 0)

    def take(self, organization_id: str) -> None:
        self._last[organization_id] = self._numbers()

    def keep(self, organization_ids: set[str]) -> None:
        """Forget the turns of all other organizations."""
        for each in self._last.keys() - organization_ids:
            del self._last[each]


class RunQueue:
    """Queue of runs, as one worker uses it. One claim at a time."""

    def __init__(self, database: Database, worker_id: str, limits: RunningLimits | None = None) -> None:
        self._database, self.worker_id = database, worker_id
        self._limits = limits or RunningLimits()
        self._turns = Turns()

    @property
    def has_limits(self) -> bool:
        """Whether the end of a run can make another one claimable."""
        return self._limits != RunningLimits()

    async def claim(self, places: int) -> list[Lease]:
        """Claim up to `places` queued pipelines. The organization that runs the fewest goes first, and of several the
        one that was served longest ago; within an organization, the pipeline that was started first."""
        return await self._database.mutate(partial(self._claim, places))

    def _claim(self, places: int) -> Steps[list[Lease]]:
        waiting = [id for [id] in (yield WAITING, {})]
        if not waiting:
            return []
        running = Counter({(organization_id, key): number for organization_id, key, number in (yield RUNNING, {})})
        shares = FairShares(waiting, running, self._limits, self._turns)
        claimed: list[str] = []
        while (missing := places - len(claimed)) and (chosen := shares.choose(missing)):
            for organization_id, wanted in chosen.items():
                query, keys = _oldest(shares.full_keys(organization_id))
                found = yield query, {"organization": organization_id, "most": wanted, IDS: keys}
                ids = [id for id, key in found if shares.take(organization_id, key)]
                if ids:
                    yield take, {"worker": self.worker_id, IDS: ids}
                claimed += ids
                if len(found) < wanted:
                    shares.drop(organization_id)
        self._turns.keep({*waiting, *shares.organizations})
        rows = (yield taken, {IDS: claimed}) if claimed else ()
        return [Lease(self._database, *row) for row in rows]

    async def held(self) -> set[str]:
        """Return the ids of the pipelines that this worker holds."""
        async with self._database.read() as session:
            mine = select(Pipeline.id).where(HELD, col(Pipeline.worker_id) == self.worker_id)
            return set(await session.exec(mine))

    async def release(self, pipeline_ids: Sequence[str]) -> None:
        """Return pipelines of this worker to the queue. They keep their place there, and their attempt numbers."""
        await self._release(col(Pipeline.worker_id) == self.worker_id, col(Pipeline.id).in_(pipeline_ids))

    async def release_all(self) -> None:
        """Return all pipelines of this worker to the queue."""
        await self._release(col(Pipeline.worker_id) == self.worker_id)

    async def release_everything(self) -> None:
        """Return the pipelines of all workers to the queue; for the only worker of a file, before it claims any."""
        await self._release()

    async def take_over(self, silence: float) -> list[str]:
        """Return the pipelines of workers without a heartbeat for `silence` seconds to the queue, and remove those
        workers. Return their names, or nothing if another worker was first."""
        async with self._database.read() as session:
            dead = sorted(filter(None, await session.exec(_dead(silence))))
        if not dead:
            return []

        async def work(session: AsyncSession) -> list[str]:
            # Rows that are locked are skipped, so that no two workers wait for each other.
            of_dead = col(Pipeline.worker_id).in_(dead), col(Pipeline.worker_id).not_in(_alive(silence))
            theirs = select(Pipeline.id).where(HELD, *of_dead).with_for_update(skip_locked=True)
            released = update(Pipeline).where(col(Pipeline.id).in_(theirs)).values(worker_id=None)
            found = (await session.exec(released.returning(col(Pipeline.id)))).all()
            gone = col(Worker.id).in_(dead), col(Worker.id).not_in(_alive(silence))
            await session.exec(sa.delete(Worker).where(*gone))
            return dead if found else []

        return await self._database.write(work, is_short=True)

    async def _release(self, *which: Any) -> None:
        async def work(session: AsyncSession) -> None:
            await session.exec(update(Pipeline).where(HELD, *which).values(worker_id=None))

        await self._database.write(work, is_short=True)


class FairShares:
    """Fair shares of free places: which organizations get the next ones."""

    def __init__(self, waiting: list[str], running: Counter[Key], limits: RunningLimits, turns: Turns) -> None:
        self._waiting, self._limits, self._turns = set(waiting), limits, turns
        self._by_key = running
        self._running: Counter[str] = Counter()
        for (organization_id, _), number in running.items():
            self._running[organization_id] += number

    @property
    def organizations(self) -> set[str]:
        """Organizations with a running pipeline."""
        return set(self._running)

    def choose(self, places: int) -> Counter[str]:
        """Return the number of places that each waiting organization gets, as if each had enough pipelines."""
        running, last = self._running.copy(), {each: self._turns.last(each) for each in self._waiting}
        chosen: Counter[str] = Counter()
        newest = max(last.values(), default=0)
        for number in range(1, places + 1):
            able = [each for each in self._waiting if self._has_room(running[each])]
            if not able:
                break
            next_ = min(able, key=lambda each: (running[each], last[each], each))
            chosen[next_] += 1
            running[next_] += 1
            last[next_] = newest + number
        return chosen

    def take(self, organization_id: str, key: str | None) -> bool:
        """Give a place to a pipeline; return False if its API key runs too many."""
        if self._limits.key is not None and self._by_key[organization_id, key] >= self._limits.key:
            return False
        self._by_key[organization_id, key] += 1
        self._running[organization_id] += 1
        self._turns.take(organization_id)
        return True

    def drop(self, organization_id: str) -> None:
        """Leave out an organization without further pipelines that may run."""
        self._waiting.discard(organization_id)

    def full_keys(self, organization_id: str) -> list[str | None]:
        """Return the keys of an organization that may not run more."""
        most = self._limits.key
        if most is None:
            return []
        return [key for (each, key), number in self._by_key.items() if each == organization_id and number >= most]

    def _has_room(self, running: int) -> bool:
        return self._limits.organization is None or running < self._limits.organization


def _oldest(full_keys: list[str | None]) -> tuple[Query, list[str]]:
    """Return the query for the pipelines of an organization that were started first, except those of keys that may not
    run more, and these keys."""
    named = [key for key in full_keys if key is not None]
    if None in full_keys:
        return oldest_of_other_keys, named
    return (oldest_of_others if named else OLDEST), named


def _alive(silence: float) -> Any:
    return select(Worker.id).where(col(Worker.heartbeat_at) > func.now() - timedelta(seconds=silence))


def _dead(silence: float) -> Any:
    return select(Pipeline.worker_id).where(HELD, col(Pipeline.worker_id).not_in(_alive(silence))).distinct()
