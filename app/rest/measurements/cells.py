"""REST endpoints of cell specifications and instances."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from app.measurements import cells, repository
from app.measurements.orders import CellInstanceOrder, CellSpecificationOrder
from app.models.measurements import CellInstance, CellSpecification
from app.pipelines.lists.row_filters import predicate
from app.rest.measurements import schemas, serializers
from app.rest.measurements.listing import cell_filter, order
from app.rest.measurements.schemas import CellBody, CellPatch, CellQuery, SpecificationBody
from app.rest.pipelines import NOT_FOUND, NOT_NOW, By, In, no_nul
from app.rest.route import StrictRoute
from app.rest.serializers import JsonResponse

specifications = APIRouter(
    prefix="/cell_specifications", tags=["Cell"], route_class=StrictRoute, dependencies=[Depends(no_nul)]
)
instances = APIRouter(prefix="/cell_instances", tags=["Cell"], route_class=StrictRoute, dependencies=[Depends(no_nul)])
OWN = {"id", "organization_id", "created_by_email", "created_at", "updated_at", "project_id", "cell_specification_id"}
"""Fields that the server sets."""


def _others(body: CellBody | CellPatch) -> dict[str, Any]:
    """Return the client's own fields of a body."""
    return {name: value for name, value in (body.model_extra or {}).items() if name not in OWN}


def _values(patch: CellPatch) -> dict[str, Any]:
    return _others(patch) | ({"name": patch.name} if "name" in patch.model_fields_set else {})


@specifications.post("", status_code=201, response_model=schemas.CellSpecification, responses=NOT_NOW)
async def create_specification(body: SpecificationBody, db: In, by: By) -> Response:
    """Create a cell specification. One of the same name in the project is a conflict."""
    row = await cells.create_specification(db, by, body.project_id, body.name, _others(body))
    return JsonResponse(serializers.cell(row), 201)


@specifications.get("", response_model=schemas.SpecificationPage)
async def list_specifications(query: Annotated[CellQuery, Query()], db: In, by: By) -> Response:
    """List cell specifications. `name` takes a plain value, `eq.x` or `ilike.%x%`."""
    filter = cell_filter(CellSpecification, query)
    rows, total = await repository.listing(
        db, by, filter, order(CellSpecificationOrder, query), query.offset, query.limit
    )
    return JsonResponse(serializers.page([serializers.cell(row) for row in rows], total))


@specifications.get("/{id}", response_model=schemas.CellSpecification, responses=NOT_FOUND)
async def get_specification(id: str, db: In, by: By) -> Response:
    """Get a cell specification."""
    return JsonResponse(serializers.cell(await cells.find(db, by, CellSpecification, id)))


@specifications.patch("/{id}", response_model=schemas.CellSpecification, responses=NOT_NOW)
async def update_specification(id: str, patch: CellPatch, db: In, by: By) -> Response:
    """Change a cell specification."""
    return JsonResponse(serializers.cell(await cells.update(db, by, CellSpecification, id, _values(patch))))


@specifications.delete("/{id}", status_code=204, responses=NOT_NOW)
async def delete_specification(id: str, db: In, by: By) -> None:
    """Delete a cell specification. One with instances is refused."""
    await cells.delete(db, by, CellSpecification, id)


@specifications.post("/{id}/cell_instances", status_code=201, response_model=schemas.CellInstance, responses=NOT_NOW)
async def create_instance(id: str, body: CellBody, db: In, by: By) -> Response:
    """Create a cell instance of a specification. One of the same name is a conflict."""
    return JsonResponse(serializers.cell(await cells.create_instance(db, by, id, body.name, _others(body))), 201)


@specifications.get("/{id}/cell_instances", response_model=schemas.InstancePage, responses=NOT_FOUND)
async def list_instances(id: str, query: Annotated[CellQuery, Query()], db: In, by: By) -> Response:
    """List the cell instances of a specification."""
    await cells.find(db, by, CellSpecification, id)
    filter = cell_filter(CellInstance, query, predicate(CellInstance, "cell_specification_id", "eq", id))
    rows, total = await repository.listing(db, by, filter, order(CellInstanceOrder, query), query.offset, query.limit)
    return JsonResponse(serializers.page([serializers.cell(row) for row in rows], total))


@instances.get("/{id}", response_model=schemas.CellInstance, responses=NOT_FOUND)
async def get_instance(id: str, db: In, by: By) -> Response:
    """Get a cell instance."""
    return JsonResponse(serializers.cell(await cells.find(db, by, CellInstance, id)))


@instances.patch("/{id}", response_model=schemas.CellInstance, responses=NOT_NOW)
async def update_instance(id: str, patch: CellPatch, db: In, by: By) -> Response:
    """Change a cell instance."""
    return JsonResponse(serializers.cell(await cells.update(db, by, CellInstance, id, _values(patch))))


@instances.delete("/{id}", status_code=204, responses=NOT_NOW)
async def delete_instance(id: str, db: In, by: By) -> None:
    """Delete a cell instance. One with measurements is refused."""
    await cells.delete(db, by, CellInstance, id)
