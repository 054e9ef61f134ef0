"""Metadata of a job: its plots and its checkpoints."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from app.auth.caller import Caller
from app.database.interface import Database
from app.models.enums import SeriesSource
from app.models.tables import Checkpoint, PipelineElement
from app.pipelines import repository
from app.pipelines.budget import Budget
from app.pipelines.results import series
from app.rest.plots import panels


async def of(database: Database, caller: Caller, budget: Budget, element: PipelineElement) -> dict[str, Any]:
    """Load the metadata of the job of an element. Raises AnswerTooLarge."""
    found = await series.channels(database, caller, element.id)
    config: str | None = None
    if found:
        [config] = await repository.large_column(database, caller, "job_config", [element.id], budget=budget)
    types = await asyncio.to_thread(_types, config or "{}")
    counts = {name: len(panels(sources.get(SeriesSource.OPTIMAL, []))) for name, sources in found.items()}
    objectives = {name: {"type": types.get(name), "plot_count": count} for name, count in counts.items() if count}
    [checkpoints] = await repository.traces(database, caller, repository.MAX_TRACE, [element.id], budget=budget)
    return {
        "validation_plot_config": {"objectives": objectives},
        "intermediate_results": [_intermediate(each) for each in checkpoints],
    }


def _types(config: str) -> dict[str, str]:
    """Return the types of a configuration's objectives by name."""
    objectives = orjson.loads(config).get("objectives")
    named = objectives.items() if isinstance(objectives, dict) else ()
    types = {name: each.get("type") or each.get("objective") for name, each in named if isinstance(each, dict)}
    return {name: kind for name, kind in types.items() if isinstance(kind, str)}


def _intermediate(row: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint in the official client's form."""
    return {
        "cost": row.cost,
        "best_cost": row.best_cost,
        "inputs": {},
        "inputs_unscaled": orjson.Fragment(row.parameters),
        "multistart_job_id": None,
    }
