"""What a resolver knows: who asks, the database, and one batch of reads for all siblings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import orjson
import strawberry
from strawberry.dataloader import DataLoader

from app import reading
from app.callers import Caller
from app.models import Checkpoint, PipelineElement
from app.services import Services

BATCH = 500


class Context:
    """Made anew for every operation, so that nothing read for one is shown to another. Nor is what was read before
    a mutation shown after it: loaders batch, and keep nothing."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self.services, self.caller = services, caller
        self.database = services.database
        self._large: dict[str, DataLoader[str, str | None]] = {}

    @cached_property
    def elements(self) -> DataLoader[str, list[PipelineElement]]:
        return self._loader(reading.elements_of)

    @cached_property
    def newest_checkpoints(self) -> DataLoader[str, Checkpoint | None]:
        return self._loader(reading.newest_checkpoints)

    def _loader(self, read: Callable[..., Any], *arguments: Any) -> DataLoader[str, Any]:
        return DataLoader(partial(read, self.database, self.caller, *arguments), max_batch_size=BATCH, cache=False)

    async def large(self, column: str, element_id: str) -> Any:
        """A JSON column of an element, as the text it is stored as: nothing parses it on its way to the wire."""
        text = await self.large_text(column, element_id)
        return None if text is None else orjson.Fragment(text)

    async def large_text(self, column: str, element_id: str) -> str | None:
        if column not in self._large:
            self._large[column] = self._loader(reading.large_column, column)
        return await self._large[column].load(element_id)


Info = strawberry.Info[Context, None]
