"""Context of resolvers: the caller, the database, and loaders that batch the reads of siblings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any, NamedTuple

import orjson
import strawberry
from strawberry.dataloader import DataLoader

from app.auth.caller import Caller
from app.database.interface import Database
from app.measurements import repository as measurements
from app.measurements import series as measurement_series
from app.measurements.series import Selection
from app.models.enums import FileKind, PipelineStatus
from app.models.measurements import CellInstance, CellSpecification
from app.models.tables import Checkpoint, JobLogLine, Pipeline, PipelineElement
from app.pipelines import repository
from app.pipelines.budget import Budget, size_of
from app.pipelines.overview import projects
from app.pipelines.results import objectives, series
from app.pipelines.results.failures import ConfigurationProblem
from app.pipelines.results.objectives import Channel
from app.pipelines.results.parsed import ParsedResult, ResultParser
from app.pipelines.results.series import Wanted
from app.server.services import Services

BATCH = 500
Read = Callable[[list[Any]], Awaitable[list[Any]]]
"""Reads the values of keys, in their order."""


class Charge(NamedTuple):
    """Cost that was charged for an operation, and its limits."""

    cost: int
    remaining: int | None
    """Cost that the caller's key may still spend; None without keys."""
    max_cost: int
    """Maximum cost of an operation."""
    limit: int
    """Cost that a key may spend per minute."""


class Context:
    """Context of one operation, so that no read is shared between operations. Loaders batch without a cache, so that
    reads after a mutation are fresh."""

    def __init__(
        self,
        services: Services,
        caller: Caller,
        budget: Budget,
        database: Database | None = None,
        charge: Charge | None = None,
    ) -> None:
        """Create a context. `database`: the database for reads, if it is another view of it. `charge`: the cost of a
        query or a mutation."""
        self.charge = charge
        self.services, self.caller, self.budget = services, caller, budget
        self.database = database or services.database
        self._large: dict[str, DataLoader[str, str | None]] = {}
        self._traces: dict[int, DataLoader[str, list[Checkpoint]]] = {}
        self._logs: dict[tuple[int, int], DataLoader[str, list[JobLogLine]]] = {}

    @cached_property
    def elements(self) -> DataLoader[str, list[PipelineElement]]:
        return self._loader(repository.elements_of)

    @cached_property
    def pipelines(self) -> DataLoader[str, Pipeline | None]:
        """Loader of pipelines by id."""
        return self._loader(repository.pipelines_of)

    @cached_property
    def projects(self) -> DataLoader[str, projects.Project | None]:
        return self._loader(projects.by_id)

    @cached_property
    def project_counts(self) -> DataLoader[str, dict[PipelineStatus, int]]:
        """Loader of the counts of projects by status."""
        return self._loader(projects.counts)

    @cached_property
    def newest_checkpoints(self) -> DataLoader[str, Checkpoint | None]:
        return self._loader(repository.newest_checkpoints)

    @cached_property
    def queue_positions(self) -> DataLoader[str, int | None]:
        return self._loader(repository.queue_positions)

    @cached_property
    def results(self) -> DataLoader[str, ParsedResult | None]:
        """Loader of parsed results."""
        return self._loader(repository.parsed_results, ResultParser())

    @cached_property
    def problems(self) -> DataLoader[str, list[ConfigurationProblem]]:
        """Loader of the problems of the configurations of failed elements."""
        return self._loader(repository.problems_of)

    @cached_property
    def channels(self) -> DataLoader[str, list[Channel]]:
        """Loader of the channels of the series of elements."""
        return self._loader(objectives.read_channels)

    @cached_property
    def series(self) -> DataLoader[tuple[str, Wanted], bytes | None]:
        """Loader of all series of an operation, with any selections."""
        return self._budgeted(partial(series.read_all, self.database, self.caller, self.budget))

    @cached_property
    def cells(self) -> DataLoader[str, CellInstance | None]:
        return self._loader(measurements.instances)

    @cached_property
    def cell_specifications(self) -> DataLoader[str, CellSpecification | None]:
        return self._loader(measurements.specifications)

    @cached_property
    def measurement_series(self) -> DataLoader[tuple[str, Selection], bytes | None]:
        """Loader of the series of measurements."""
        parts = self.services.parts
        read = partial(measurement_series.read_all, self.database, self.caller, self.budget, parts)
        return self._budgeted(read)

    @cached_property
    def uploaded_files(self) -> DataLoader[str, str | None]:
        """Loader of the ids of uploaded files, by measurement."""
        return self._distinct(partial(measurements.file_ids, self.database, self.caller, FileKind.UPLOAD))

    async def large_of_measurement(self, column: str, id: str) -> Any:
        """Load a JSON column of a measurement as stored text."""
        key = f"measurement.{column}"
        if key not in self._large:
            self._large[key] = self._loader(measurements.large_column, column)
        text = await self._large[key].load(id)
        self.budget.take_bytes(size_of(text))
        return None if text is None else orjson.Fragment(text)

    def _loader(self, read: Callable[..., Any], *arguments: Any) -> DataLoader[str, Any]:
        return self._distinct(partial(read, self.database, self.caller, *arguments, budget=self.budget))

    def _distinct(self, read: Read) -> DataLoader[str, Any]:
        """Return a loader that reads each of its keys once, at most `BATCH` at a time, however many aliases load it."""

        async def read_distinct(keys: list[str]) -> list[Any]:
            found: dict[str, Any] = {}
            distinct = list(dict.fromkeys(keys))
            for start in range(0, len(distinct), BATCH):
                batch = distinct[start : start + BATCH]
                found |= zip(batch, await read(batch), strict=True)
            return [found[key] for key in keys]

        return self._budgeted(read_distinct)

    def _budgeted(self, read: Read) -> DataLoader[Any, Any]:
        """Return a loader that reads nothing more for a refused answer."""

        async def read_checked(keys: list[Any]) -> list[Any]:
            self.budget.check()
            return await read(keys)

        return DataLoader(read_checked, cache=False)

    async def trace(self, element_id: str, most: int) -> list[Checkpoint]:
        """Load the checkpoints of an element, downsampled to at most `most`."""
        if most not in self._traces:
            self._traces[most] = self._loader(repository.traces, most)
        return await self._traces[most].load(element_id)

    async def log(self, element_id: str, after: int, most: int) -> list[JobLogLine]:
        """Load lines of the log of an element: at most `most` after the number `after`."""
        if (after, most) not in self._logs:
            self._logs[after, most] = self._loader(repository.log_lines, after, most)
        return await self._logs[after, most].load(element_id)

    def take_copy(self, size: int) -> None:
        """Count bytes that a mutation copies, and charge the caller's key for the time that many take. Raises Rejected
        and RateLimited."""
        self.budget.take_copy(size)
        self.services.rate_limiter.charge_copy(self.caller, size)

    async def large(self, column: str, element_id: str) -> Any:
        """Load a JSON column of an element as stored text; it is never parsed."""
        if column not in self._large:
            self._large[column] = self._loader(repository.large_column, column)
        text = await self._large[column].load(element_id)
        self.budget.take_bytes(size_of(text))
        return None if text is None else orjson.Fragment(text)


Info = strawberry.Info[Context, None]
