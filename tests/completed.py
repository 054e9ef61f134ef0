"""Elements completed with series, without a run."""

from __future__ import annotations

from typing import Any

from app.database.interface import Database
from app.execution.executor import Series
from app.execution.lease import Lease
from app.execution.queue import RunQueue
from app.execution.streams.samples import told
from app.models.enums import SeriesSource
from tests.api import ROOT, Api

EVERYTHING = (ROOT / "tests" / "schema" / "everything.graphql").read_text()
"""Query of all results of a pipeline; the operations of `queries/` select parts of it."""
TIME, CURRENT = "Time [s]", "Current [A]"
DATA, MODEL = "Voltage [V] (data)", "Voltage [V] (model)"
CHANNELS: dict[str, Any] = {
    TIME: [0.0, 1.0, 2.0, 3.0, 4.0],
    CURRENT: [5.0, 5.0, 5.0, 0.0, 0.0],
    DATA: [4.0, 3.9, None, 3.95, 3.96],
    MODEL: [4.01, 3.88, 3.8, 3.94, 3.97],
}


def series(channels: dict[str, Any] | None = None, objective: str = "1 C", source: str = "OPTIMAL") -> Series:
    return Series(objective, SeriesSource[source], CHANNELS if channels is None else channels)


async def held(api: Api, **fields: Any) -> tuple[Lease, dict[str, Any]]:
    """Create a pipeline of one element that a worker has started; return the element as in REST."""
    id = (await api.create(**fields))["id"]
    await api.run("StartPipeline", id=id)
    hold = await take(database(api), id, "worker")
    [element] = (await api.http.get(f"/pipelines/{id}/elements")).json()
    await hold.begin(element["id"])
    return hold, element


async def take(database: Database, pipeline_id: str, worker_id: str) -> Lease:
    """Take the lease on a running pipeline, also from another worker."""
    queue = RunQueue(database, worker_id)
    await queue.release_everything()
    [lease] = [each for each in await queue.claim(1000) if each.pipeline_id == pipeline_id]
    return lease


async def write(hold: Lease, element_id: str, *written: Series) -> None:
    """Write series as a worker does."""
    for number, each in enumerate(written):
        message, samples = told(each)
        await hold.keep_series(element_id, number, {**message, "samples": list(samples)})


async def completed(api: Api, *written: Series, **fields: Any) -> dict[str, Any]:
    """Create an element that completed with these series; return it as in REST."""
    hold, element = await held(api, **fields)
    await write(hold, element["id"], *written)
    await hold.complete_element(element["id"], {"parameter_values": {}})
    shown: dict[str, Any] = (await api.http.get(f"/pipelines/elements/{element['id']}")).json()
    return shown


def database(api: Api) -> Database:
    assert api._database is not None
    return api._database
