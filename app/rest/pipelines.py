"""REST endpoints of pipelines, over the same service as GraphQL."""

from collections.abc import Sized
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from starlette.responses import Response

from app.auth.caller import Caller
from app.auth.rate_limit import REQUEST
from app.database.interface import Database
from app.errors import Problem, ProblemCode, Rejected, RequestError, RequestErrorCode, not_found
from app.models.tables import Pipeline
from app.pipelines import bulk, lifecycle, repository, service
from app.pipelines.budget import PARSED, Budget, size_of
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_update
from app.pipelines.lifecycle import Start
from app.pipelines.rerun.service import rerun
from app.pipelines.results.parameter_sets import JSON_TYPE, ParameterSetFormat, parameter_set
from app.pipelines.results.parsed import ParsedResult
from app.rest import serializers
from app.rest.authentication import caller, services
from app.rest.pipeline_filters import ListQuery, listing
from app.rest.route import StrictRoute
from app.rest.schemas import (
    EXAMPLE,
    BulkCreate,
    BulkCreated,
    BulkIds,
    BulkResult,
    Failure,
    PipelineCheck,
    PipelineConfig,
    PipelineDetail,
    PipelineElement,
    PipelinePage,
    PipelinePatch,
    PipelineResult,
    RerunConfig,
    Submission,
)
from app.rest.serializers import JsonResponse, StoredJson
from app.server.observability.request_log import request_id
from app.server.services import Services


def database(request: Request) -> Database:
    return services(request).database


def budget(request: Request) -> Budget:
    """Return the budget of the answer to one request."""
    return Budget(request.app.state.settings.max_answer_bytes)


def no_nul(request: Request) -> None:
    """Refuse NUL characters in paths and queries: PostgreSQL cannot store them."""
    if "\0" in request.url.path or b"%00" in request.scope["query_string"]:
        raise RequestError(RequestErrorCode.BAD_REQUEST, "The address holds a NUL character.")


def found(row: Pipeline | None) -> Pipeline:
    if row is None:
        raise not_found("pipeline")
    return row


async def stop(services: Services, by: Caller, pipeline_id: str) -> None:
    """Cancel a pipeline, unless it has ended."""
    try:
        await lifecycle.cancel(services.database, by, pipeline_id)
    except Rejected as error:
        if any(problem.code is not ProblemCode.INVALID_STATE for problem in error.problems):
            raise


def charge_each(request: Request, by: Caller, entries: Sized) -> None:
    """Charge the cost of the entries after the first, each as a request of its own. Raises RATE_LIMITED."""
    services(request).rate_limiter.spend(by, REQUEST * (len(entries) - 1))


async def _detail(db: Database, by: Caller, row: Pipeline, most: Budget) -> dict[str, Any]:
    return serializers.detail(row, await _elements(db, by, row, most))


async def _elements(db: Database, by: Caller, row: Pipeline, most: Budget) -> list[dict[str, Any]]:
    [elements] = await repository.elements_of(db, by, [row.id], budget=most, whole=True)
    if row.started_at is None and row.rerun_of is None:  # pending: no checkpoints exist
        return [serializers.element(each) for each in elements]
    newest = await repository.newest_checkpoints(db, by, [each.id for each in elements], budget=most)
    return [serializers.element(*each) for each in zip(elements, newest, strict=True)]


In = Annotated[Database, Depends(database)]
By = Annotated[Caller, Depends(caller)]
Most = Annotated[Budget, Depends(budget)]
Once = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"\S",
        max_length=255,
        description="Makes a retry safe: a repeat returns the first request's pipeline. Keys belong to projects.",
    ),
]
Format = Annotated[ParameterSetFormat, Query(description="The format of the file: pybamm, bpx or csv.")]
Config = Annotated[PipelineConfig, Body(openapi_examples={"datasheet": {"value": EXAMPLE}})]
Configs = Annotated[BulkCreate, Body(openapi_examples={"datasheet": {"value": {"pipelines": [EXAMPLE]}}})]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Failure}}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {
        "model": Failure,
        "description": "It conflicts with the current state, or an idempotency key was used for another request.",
    }
}
NOT_NOW: dict[int | str, dict[str, Any]] = {**NOT_FOUND, **CONFLICT}
NOT_YET: dict[int | str, dict[str, Any]] = {**NOT_NOW, 429: {"model": Failure}}

router = APIRouter(prefix="/pipelines", tags=["Pipeline"], route_class=StrictRoute, dependencies=[Depends(no_nul)])


@router.post(
    "",
    status_code=201,
    response_model=PipelineDetail,
    responses=CONFLICT,
    operation_id="create_pipeline_pipelines_post",
)
async def create_pipeline(config: Config, request: Request, by: By, most: Most, key: Once = None) -> Response:
    """Create a pipeline with its elements. It does not run until it is started, unless VOLTGRAPH_START_ON_CREATE is
    set."""
    starts, limits = request.app.state.settings.start_on_create, services(request).queue_limits
    start = partial(Start, limits, by, request_id()) if starts else None
    row = await service.create(database(request), by, config.draft._replace(idempotency_key=key), start)
    return JsonResponse(await _detail(database(request), by, row, most), 201)


@router.post("/check", response_model=PipelineCheck)
async def check_pipeline(config: Config, request: Request, by: By) -> Response:
    """Check a pipeline without storing or running it: the body is that of a create, and is refused as there. The
    problems are those for which its run would fail before the first job."""
    service.require_project(by, config.draft)
    elements, needed = config.draft.elements, services(request)
    faults = await needed.checker.faults(by, elements, needed.rate_limiter)
    return JsonResponse(serializers.check(elements, faults))


@router.get("", response_model=PipelinePage)
async def list_pipelines(query: Annotated[ListQuery, Query()], db: In, by: By) -> Response:
    """List pipelines by page. Filters take a plain value or an operator: `eq.x`, `neq.x`, `in.(a,b)`, `ilike.%x%`,
    `gt.x`, `gte.x`, `lt.x`, `lte.x`."""
    rows, total = await listing(db, by, query)
    return JsonResponse(
        {"pipelines": [serializers.submission(row) for row in rows], "count": len(rows), "total": total}
    )


@router.post("/bulk/create", response_model=BulkCreated)
async def create_pipelines(body: Configs, request: Request, by: By) -> Response:
    """Create 1 to 100 pipelines in one transaction. One that is refused stores nothing; the others are created."""
    charge_each(request, by, body.pipelines)
    drafts = body.drafts(request.app.state.settings.start_on_create)
    rows = await bulk.create(database(request), services(request).queue_limits, by, drafts, request_id())
    return JsonResponse(serializers.bulk_created(rows))


@router.post("/bulk/start", response_model=BulkResult)
async def start_pipelines(body: BulkIds, request: Request, by: By) -> Response:
    """Start 1 to 100 pipelines in one transaction; they are queued in the order of the list. Each is started, returned
    unchanged if it runs, or refused, and has its own entry in the answer."""
    charge_each(request, by, body.ids)
    rows = await bulk.start(database(request), services(request).queue_limits, by, body.ids, request_id())
    return JsonResponse(serializers.bulk(body.ids, rows))


@router.post("/bulk/cancel", response_model=BulkResult)
async def cancel_pipelines(body: BulkIds, request: Request, by: By) -> Response:
    """Cancel 1 to 100 pipelines in one transaction. One that ended otherwise is refused."""
    charge_each(request, by, body.ids)
    return JsonResponse(serializers.bulk(body.ids, await bulk.cancel(database(request), by, body.ids)))


@router.post("/bulk/delete", response_model=BulkResult)
async def delete_pipelines(body: BulkIds, request: Request, by: By) -> Response:
    """Delete 1 to 100 pipelines in one transaction. A running one is refused. The entry of a deleted one has no
    pipeline and no errors."""
    charge_each(request, by, body.ids)
    return JsonResponse(serializers.bulk(body.ids, await bulk.delete(database(request), by, body.ids)))


@router.get("/{pipeline_id}", response_model=Submission, responses=NOT_FOUND)
async def get_pipeline(pipeline_id: str, db: In, by: By) -> Response:
    """Get a pipeline, without its elements."""
    return JsonResponse(serializers.submission(found(await repository.pipeline(db, by, pipeline_id))))


@router.patch("/{pipeline_id}", response_model=Submission, responses=NOT_FOUND)
async def update_pipeline(pipeline_id: str, patch: PipelinePatch, db: In, by: By) -> Response:
    """Change a pipeline's name, description or labels. A run is not affected."""
    row = await service.update(
        db, by, pipeline_id, parse_update(patch.model_dump(exclude_unset=True), SubmittedElements())
    )
    return JsonResponse(serializers.submission(row))


@router.delete("/{pipeline_id}", status_code=204, responses=NOT_NOW)
async def delete_pipeline(pipeline_id: str, db: In, by: By) -> None:
    """Delete a pipeline and its elements. A running pipeline is refused."""
    await service.delete(db, by, pipeline_id)


@router.post("/{pipeline_id}/start", response_model=PipelineDetail, responses=NOT_YET)
async def start_pipeline(pipeline_id: str, request: Request, by: By, most: Most) -> Response:
    """Start a pending pipeline. A running one is returned unchanged."""
    limits = services(request).queue_limits
    row = await lifecycle.start(database(request), limits, by, pipeline_id, request_id())
    return JsonResponse(await _detail(database(request), by, row, most))


@router.post("/{pipeline_id}/cancel", response_model=Submission, responses=NOT_FOUND)
async def cancel_pipeline(pipeline_id: str, request: Request, by: By) -> Response:
    """Cancel a pipeline. One that has ended stays unchanged."""
    await stop(services(request), by, pipeline_id)
    return JsonResponse(serializers.submission(found(await repository.pipeline(database(request), by, pipeline_id))))


@router.post("/{pipeline_id}/rerun", status_code=201, response_model=PipelineDetail, responses=NOT_YET)
async def rerun_pipeline(
    pipeline_id: str, request: Request, by: By, most: Most, config: RerunConfig | None = None, key: Once = None
) -> Response:
    """Run an ended pipeline again as a new one, which takes over the results of its completed elements up to the first
    that runs again."""
    limiter, limits = services(request).rate_limiter, services(request).queue_limits
    command, take_copy = (config or RerunConfig()).command(key), partial(limiter.charge_copy, by)
    row = await rerun(database(request), limits, by, pipeline_id, command, take_copy, request_id())
    return JsonResponse(await _detail(database(request), by, row, most), 201)


@router.get("/{pipeline_id}/result", response_model=PipelineResult, responses=NOT_FOUND)
async def get_result(pipeline_id: str, db: In, by: By, most: Most) -> Response:
    """Get the parameter values of a pipeline and the result of each element."""
    found(await repository.pipeline(db, by, pipeline_id))
    [elements] = await repository.elements_of(db, by, [pipeline_id], budget=most, whole=True)
    most.take_bytes(PARSED * sum(size_of(each.result) for each in elements))
    return JsonResponse(serializers.result(elements))


@router.get(
    "/{pipeline_id}/parameters",
    response_class=Response,
    responses={200: {"content": {JSON_TYPE: {}, "text/csv": {}}}, **NOT_NOW},
)
async def get_parameters(pipeline_id: str, request: Request, by: By, most: Most, format: Format) -> Response:
    """Download the parameter values of a pipeline's elements, later ones over earlier ones, as a file of PyBaMM, of the
    standard BPX, or with comma-separated values. The header X-Omitted has the number of parameters that the file does
    not hold, or not exactly; the GraphQL field `omitted` names them."""
    db = database(request)
    row = found(await repository.pipeline(db, by, pipeline_id))
    [elements] = await repository.elements_of(db, by, [pipeline_id], budget=most, whole=True)
    most.take_bytes(PARSED * sum(size_of(each.result) for each in elements))
    results = [(each.name, ParsedResult(each.result)) for each in elements if each.result is not None]
    charge = partial(services(request).rate_limiter.charge, by)
    file = await parameter_set(row.name, results, format, services(request).exporter, charge)
    if file is None:
        message = "No element of the pipeline has completed, so it has no parameter values yet."
        raise Rejected(Problem(ProblemCode.INVALID_STATE, message))
    most.take_bytes(size_of(file.content))
    headers = {"content-disposition": f'attachment; filename="{file.file_name}"', "x-omitted": str(len(file.omitted))}
    return StoredJson(file.content, headers=headers, media_type=file.media_type)


@router.get("/{pipeline_id}/elements", response_model=list[PipelineElement], responses=NOT_FOUND)
async def list_elements(pipeline_id: str, db: In, by: By, most: Most) -> Response:
    """List a pipeline's elements, in execution order."""
    return JsonResponse(await _elements(db, by, found(await repository.pipeline(db, by, pipeline_id)), most))


@router.get("/elements/{element_id}", response_model=PipelineElement, responses=NOT_FOUND)
async def get_element(element_id: str, db: In, by: By, most: Most) -> Response:
    """Get one element."""
    row = await repository.element(db, by, element_id, whole=True)
    if row is None:
        raise not_found("element")
    [newest] = await repository.newest_checkpoints(db, by, [row.id], budget=most)
    return JsonResponse(serializers.element(row, newest))
