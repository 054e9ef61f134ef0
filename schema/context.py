"""What a resolver knows: who asks, the database, and one batch of reads for all siblings."""

from __future__ import annotations

from functools import partial
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
        self.database = database = services.database
        self.elements: DataLoader[str, list[PipelineElement]] = DataLoader(
            partial(reading.elements_of, database, caller), max_batch_size=BATCH, cache=False
        )
        self.newest_checkpoints: DataLoader[str, Checkpoint | None] = DataLoader(
            partial(reading.newest_checkpoints, database, caller), max_batch_size=BATCH, cache=False
        )
        self._large = {
            column: DataLoader[str, str | None](
                partial(reading.large_column, database, caller, column), max_batch_size=BATCH, cache=False
            )
            for column in reading.LARGE
        }

    async def large(self, column: str, element_id: str) -> Any:
        """A JSON column of an element, as the text it is stored as: nothing parses it on its way to the wire."""
        text = await self.large_text(column, element_id)
        return None if text is None else orjson.Fragment(text)

    async def large_text(self, column: str, element_id: str) -> str | None:
        return await self._large[column].load(element_id)


Info = strawberry.Info[Context, None]
