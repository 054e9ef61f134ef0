"""Kinds of changes: whether a pipeline entered the filter of a subscription, changed in it, left it, or was deleted."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from app.database.availability import retry_until_available
from app.database.broker import Match
from app.database.interface import Database
from app.models.enums import DescribedEnum
from app.models.tables import Pipeline
from app.pipelines.feed.readings import Reading
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.pagination import any_match

MOST_GONE = 1000
"""Maximum number of deletions whose change event is awaited."""


class Kind(DescribedEnum):
    """Kind of a change, as seen from the filter of the subscription and from the rights of the API key."""

    ENTERED = (
        "entered",
        (
            "It matches now, and did not before: it was created, it changed, or it came from a project that the API "
            "key may not use. Also sent if it is not known whether it matched before."
        ),
    )
    CHANGED = "changed", "It matched before and still does."
    LEFT = (
        "left",
        ("It matches no more; `pipeline` is its newest state. Also sent if it is not known whether it matched before."),
    )
    DELETED = "deleted", "It was deleted, or moved into a project that the API key may not use."


class Changed(NamedTuple):
    """A pipeline that a subscriber is told of, with its newest state; without one if it was deleted."""

    id: str
    kind: Kind
    newest: Pipeline | None


class Kinds:
    """Kinds of the changes of one subscription. The states before and after a change come from its events, each of
    which begins where the last one of its pipeline ended; only the deletion may be read before its event comes."""

    __slots__ = ("_database", "_filter", "_gone")

    def __init__(self, database: Database, filter: PipelineFilter) -> None:
        self._database, self._filter = database, filter
        self._gone: dict[str, None] = {}  # an empty set takes more memory
        """Pipelines that were found deleted before the event of their deletion came."""

    async def of(self, id: str, match: Match, reading: Reading) -> Kind | None:
        """Return the kind of merged changes; None if the subscriber is to be told nothing."""
        before = False if id in self._gone else match.before
        self._gone.pop(id, None)
        if match.is_gone or reading.pipeline is None:
            if not match.is_gone:
                self._await_deletion(id)
            return None if before is False else Kind.DELETED
        after = match.after
        if after is None:
            after = await reading.matches(self._filter, partial(self._matches, reading.pipeline))
        if before is False:
            return Kind.ENTERED if after else None
        if before is None:
            return Kind.ENTERED if after else Kind.LEFT
        return Kind.CHANGED if after else Kind.LEFT

    def _await_deletion(self, id: str) -> None:
        if len(self._gone) >= MOST_GONE:
            self._gone.clear()
        self._gone[id] = None

    async def _matches(self, pipeline: Pipeline) -> bool:
        """Return whether a pipeline matches now."""
        return await retry_until_available(partial(any_match, self._database, self._filter, pipeline))
