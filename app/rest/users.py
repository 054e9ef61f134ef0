"""REST endpoint of the current user, which the official client's `whoami` reads."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.rest.pipelines import By
from app.rest.route import StrictRoute
from app.rest.serializers import JsonResponse

users = APIRouter(prefix="/users", tags=["User"], route_class=StrictRoute)


class Organization(BaseModel):
    """Organization of the API key."""

    id: str
    name: str = Field(description="The id, because organizations have no names.")


class User(BaseModel):
    """User of the API key."""

    id: str | None = None
    email: str | None = None
    authorized_organization: Organization
    organizations: list[Organization]


@users.get("/me", response_model=User)
async def get_me(by: By) -> Response:
    """Get the user of the request's API key."""
    organization = {"id": by.organization_id, "name": by.organization_id}
    user = {"id": by.user_id, "email": by.email}
    return JsonResponse({**user, "authorized_organization": organization, "organizations": [organization]})
