"""REST endpoints of jobs; each job is the execution of one element."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import not_found
from app.models.enums import SeriesSource
from app.models.tables import PipelineElement
from app.pipelines import repository
from app.pipelines.budget import Budget
from app.pipelines.results import series
from app.rest import metadata, serializers
from app.rest.authentication import services
from app.rest.errors import failure
from app.rest.job_schemas import Channels, Job, JobsQuery, Log, LogQuery, Metadata, Plot, PlotQuery, SeriesQuery
from app.rest.pipelines import NOT_FOUND, By, In, Most, no_nul, stop
from app.rest.plots import plot
from app.rest.route import StrictRoute
from app.rest.schemas import Failure
from app.rest.serializers import JsonResponse, StoredJson

jobs = APIRouter(prefix="/jobs", tags=["Job"], route_class=StrictRoute, dependencies=[Depends(no_nul)])
plots = APIRouter(prefix="/pipelines/datafits", tags=["Job"], route_class=StrictRoute, dependencies=[Depends(no_nul)])


async def job(db: Database, by: Caller, job_id: str) -> PipelineElement:
    row = await repository.element_of_job(db, by, job_id)
    if row is None:
        raise not_found("job")
    return row


async def _shown(db: Database, by: Caller, rows: list[PipelineElement], most: Budget) -> list[dict[str, Any]]:
    results = await repository.large_column(db, by, "result", [row.id for row in rows], budget=most)
    return [serializers.job(row, result) for row, result in zip(rows, results, strict=True)]


@jobs.get("/", response_model=list[Job])
async def list_jobs(query: Annotated[JobsQuery, Query()], db: In, by: By, most: Most) -> Response:
    """List jobs, newest first."""
    return JsonResponse(await _shown(db, by, await repository.jobs(db, by, query.limit, query.skip), most))


@jobs.post("/", status_code=410, deprecated=True, responses={410: {"model": Failure}})
async def submit_job() -> Response:
    """Refuse the submission of a single job: start a pipeline instead."""
    return failure(410, "GONE", "Jobs are not submitted by themselves: create a pipeline and start it.")


@jobs.get("/{job_id}", response_model=Job, responses=NOT_FOUND)
async def get_job(job_id: str, db: In, by: By, most: Most) -> Response:
    """Get a job."""
    [shown] = await _shown(db, by, [await job(db, by, job_id)], most)
    return JsonResponse(shown)


@jobs.post("/{job_id}/cancel", response_model=Job, responses=NOT_FOUND)
async def cancel_job(job_id: str, request: Request, db: In, by: By, most: Most) -> Response:
    """Cancel a job and its pipeline. A job that has ended stays unchanged."""
    row = await job(db, by, job_id)
    if row.job_status is not None and not row.job_status.is_terminal:
        await stop(services(request), by, row.pipeline_id)
    [shown] = await _shown(db, by, [await job(db, by, job_id)], most)
    return JsonResponse(shown)


@jobs.get("/{job_id}/metadata", response_model=Metadata, responses=NOT_FOUND)
async def get_metadata(job_id: str, db: In, by: By, most: Most) -> Response:
    """Get the plots and the checkpoints of a job."""
    return JsonResponse(await metadata.of(db, by, most, await job(db, by, job_id)))


@jobs.get("/{job_id}/log", response_model=Log, responses=NOT_FOUND)
async def get_log(job_id: str, query: Annotated[LogQuery, Query()], db: In, by: By, most: Most) -> Response:
    """Get lines of the log of a job: at most `limit` after the line `after`. To follow a job, poll with the number of
    the last line, until `is_terminal` comes without lines."""
    row = await job(db, by, job_id)
    [lines] = await repository.log_lines(db, by, query.after, query.limit, [row.id], budget=most)
    shown = [serializers.log_line(each) for each in lines]
    return JsonResponse({"lines": shown, "is_terminal": row.status.is_terminal})


@jobs.get("/{job_id}/series/channels", response_model=Channels, responses=NOT_FOUND)
async def get_channels(job_id: str, db: In, by: By) -> Response:
    """Get the series of a job: the names of their channels, the axis first, by source, by objective."""
    found = await series.channels(db, by, (await job(db, by, job_id)).id)
    named = {name: {source.value: names for source, names in sources.items()} for name, sources in found.items()}
    return JsonResponse(named)


@jobs.get("/{job_id}/series", response_model=dict[str, list[float | None]], responses=NOT_FOUND)
async def get_series(job_id: str, query: Annotated[SeriesQuery, Query()], db: In, by: By, most: Most) -> Response:
    """Get the data and the model's output of one objective: lists of equal length by channel, null for a missing
    value."""
    found = await series.read(db, by, most, (await job(db, by, job_id)).id, query.wanted)
    if found is None:
        raise not_found("series")
    return StoredJson(found)


@plots.get("/{job_id}/plot_data", response_model=Plot, responses=NOT_FOUND)
async def get_plot_data(job_id: str, query: Annotated[PlotQuery, Query()], db: In, by: By, most: Most) -> Response:
    """Get a plot of an objective: each trace downsampled to at most `max_points` points, its peaks kept."""
    wanted = series.Wanted(
        query.objective_name, SeriesSource.OPTIMAL, None, None, query.max_points, query.x_min, query.x_max
    )
    found = await plot(db, by, most, (await job(db, by, job_id)).id, wanted, query.plot_index)
    if found is None:
        raise not_found("plot")
    return StoredJson(found)
