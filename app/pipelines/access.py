"""Access control (tenancy): which rows a caller may read and write."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select

from app.auth.caller import Caller
from app.errors import forbidden
from app.models.tables import Pipeline, PipelineElement


def visible(caller: Caller, model: Any, *, by_id: bool = False) -> ColumnElement[bool]:
    """Return the condition for rows of a table with an organization and a project that the caller may see: the only
    place of this rule beside `may_see`. `by_id`: the rows are found by their ids. Instead of the primary key, SQLite
    would take an index of the organization for many ids, and read all rows of the organization."""
    organization_id = func.coalesce(model.organization_id, "") if by_id else col(model.organization_id)
    theirs: ColumnElement[bool] = organization_id == caller.organization_id
    return theirs if caller.projects is None else theirs & col(model.project_id).in_(sorted(caller.projects))


def visible_pipelines(caller: Caller, *, by_id: bool = False) -> ColumnElement[bool]:
    """Return the condition for pipelines that the caller may see."""
    return visible(caller, Pipeline, by_id=by_id)


def may_see(caller: Caller, organization_id: str, project_id: str) -> bool:
    """Return whether the caller may see a row: the condition of `visible` for a row in memory."""
    return organization_id == caller.organization_id and caller.may_use(project_id)


def visible_elements(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for elements that the caller may see. Elements are found by their pipelines or ids: SQLite
    must not take the index of the organization's elements instead."""
    theirs: ColumnElement[bool] = func.coalesce(PipelineElement.organization_id, "") == caller.organization_id
    if caller.projects is None:
        return theirs
    return theirs & col(PipelineElement.pipeline_id).in_(select(Pipeline.id).where(visible_pipelines(caller)))


def require_write(caller: Caller) -> None:
    """Raise Rejected with FORBIDDEN if the caller's key is read-only."""
    if not caller.may_write:
        raise forbidden("The API key is for reading only.")
