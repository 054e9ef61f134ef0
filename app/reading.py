"""Reads by id. What the caller's organization does not own is not there."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import ColumnElement
from sqlalchemy.orm import defer
from sqlmodel import col, select

from app.callers import Caller
from app.database import Database
from app.models import Pipeline, PipelineElement

LARGE = ("job_config", "result", "error_detail")
"""The JSON columns of an element, which only what asks for them reads."""
WITHOUT_LARGE = tuple(defer(getattr(PipelineElement, name), raiseload=True) for name in LARGE)


def owned(caller: Caller) -> ColumnElement[bool]:
    """The pipelines that the caller may see: the one place that says so."""
    return col(Pipeline.organization_id) == caller.organization_id


def owned_elements(caller: Caller) -> ColumnElement[bool]:
    """The elements that the caller may see."""
    return col(PipelineElement.organization_id) == caller.organization_id


async def pipeline(database: Database, caller: Caller, id: str) -> Pipeline | None:
    async with database.read() as session:
        return (await session.exec(select(Pipeline).where(owned(caller), col(Pipeline.id) == id))).first()


async def element(database: Database, caller: Caller, id: str, *, whole: bool = False) -> PipelineElement | None:
    """An element; its large columns only when it is read whole."""
    query = select(PipelineElement).where(owned_elements(caller), col(PipelineElement.id) == id)
    async with database.read() as session:
        return (await session.exec(query if whole else query.options(*WITHOUT_LARGE))).first()


async def node(database: Database, caller: Caller, id: str) -> Pipeline | PipelineElement | None:
    """Whatever has this id."""
    return await pipeline(database, caller, id) or await element(database, caller, id)


async def elements_of(
    database: Database, caller: Caller, pipeline_ids: Sequence[str], *, whole: bool = False
) -> list[list[PipelineElement]]:
    """The elements of each of the pipelines, in execution order; their large columns only when read whole."""
    query = (
        select(PipelineElement)
        .where(owned_elements(caller), col(PipelineElement.pipeline_id).in_(pipeline_ids))
        .order_by(col(PipelineElement.pipeline_id), col(PipelineElement.element_order))
    )
    async with database.read() as session:
        rows = await session.exec(query if whole else query.options(*WITHOUT_LARGE))
        found = {id: list(group) for id, group in groupby(rows, lambda row: row.pipeline_id)}
    return [found.get(id, []) for id in pipeline_ids]


async def large_column(database: Database, caller: Caller, column: str, element_ids: Sequence[str]) -> list[str | None]:
    """One of the LARGE columns of each of the elements, as JSON text."""
    query = select(PipelineElement.id, getattr(PipelineElement, column)).where(
        owned_elements(caller), col(PipelineElement.id).in_(element_ids)
    )
    async with database.read() as session:
        found = dict((await session.exec(query)).all())
    return [found.get(id) for id in element_ids]
