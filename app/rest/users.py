"""Who asks, over REST: what the official client's `whoami` reads, to tell which API key it was given."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.rest.answers import JsonResponse
from app.rest.body import StrictRoute
from app.rest.routes import By

users = APIRouter(prefix="/users", tags=["User"], route_class=StrictRoute)


class Organization(BaseModel):
    """Whose pipelines the API key reaches."""

    id: str
    name: str = Field(description="The id: organizations have no names of their own.")


class User(BaseModel):
    """Whom the API key belongs to."""

    id: str | None = None
    email: str | None = None
    authorized_organization: Organization
    organizations: list[Organization]


@users.get("/me", response_model=User)
async def get_me(by: By) -> Response:
    """Who sends this request."""
    organization = {"id": by.organization_id, "name": by.organization_id}
    user = {"id": by.user_id, "email": by.email}
    return JsonResponse({**user, "authorized_organization": organization, "organizations": [organization]})
