"""Input types of filters of pipelines, and their conversion to conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from app.auth.caller import Caller
from app.errors import RequestError, RequestErrorCode
from app.models.enums import ElementType, JobErrorCode, PipelineElementStatus, PipelineStatus
from app.pipelines.lists import filters
from app.pipelines.lists.labels import fold
from app.pipelines.lists.predicates import EVERYTHING, NOTHING, OF_ELEMENT, Condition, Group, predicate
from schema.types.lists.fields import about, given
from schema.types.node import ID
from schema.types.values import enums  # noqa: F401  registers the enums
from schema.types.values.input_factory import quick

MAX_DEPTH, MAX_CONDITIONS, MAX_ELEMENTS = 5, 100, 5
"""Maximum depth of filters in filters, and maximum number of conditions, and of those on elements, of one filter."""
RULE = "Fields are ANDed, list values ORed; an empty list matches nothing, null filters nothing."


@quick
@strawberry.input(description="A range of times. Null is no bound.")
class DateTimeRange:
    after: datetime | None = about("Later than this.")
    before: datetime | None = about("Earlier than this.")


@quick
@strawberry.input(description=f"One element of the pipeline has all of this. {RULE}")
class PipelineElementFilter:
    name: str | None = about("Has exactly this name.")
    name_contains: str | None = about("The name contains this; ASCII letters in upper or lower case.")
    types: list[ElementType] | None = about("Has one of these types.")
    statuses: list[PipelineElementStatus] | None = about("Has one of these statuses.")


@quick
@strawberry.input(
    description=f"{RULE} A filter has at most {MAX_CONDITIONS} fields in all, {MAX_ELEMENTS} times `element`, and "
    f"filters in filters to a depth of {MAX_DEPTH}."
)
class PipelineFilter:
    ids: list[ID] | None = about("One of these pipelines.")
    project_id: ID | None = about("In this project.")
    project_ids: list[ID] | None = about("In one of these projects.")
    statuses: list[PipelineStatus] | None = about("With one of these statuses.")
    error_codes: list[JobErrorCode] | None = about("Failed with one of these codes.")
    element_types: list[ElementType] | None = about("Has an element of one of these types.")
    element: PipelineElementFilter | None = about("Has an element that matches. Not for subscriptions.")
    name_contains: str | None = about("The name contains this, upper or lower case.")
    name_starts_with: str | None = about("The name starts with this, upper or lower case.")
    description_contains: str | None = about(
        "The description contains this; ASCII letters in upper or lower case. Not for subscriptions."
    )
    labels_all: list[str] | None = about(
        "With each of these labels, upper or lower case. An empty list filters nothing."
    )
    labels_any: list[str] | None = about("With one of these labels, upper or lower case.")
    created_by_me: bool | None = about(
        "True: created by the user of the API key; no pipeline if the key has no user. False: created by others."
    )
    created_by_email: str | None = about("Created by the user with exactly this email.")
    created_after: datetime | None = about("Created later than this.")
    created_before: datetime | None = about("Created earlier than this.")
    updated_after: datetime | None = about("Last changed later than this.")
    updated_before: datetime | None = about("Last changed earlier than this.")
    started: DateTimeRange | None = about("Started within this range; excludes pipelines that never started.")
    finished: DateTimeRange | None = about("Became terminal within this range; excludes pipelines that have not.")
    duration_at_least: float | None = about("Took this many seconds or more from start to end.")
    duration_at_most: float | None = about("Took this many seconds or fewer from start to end.")
    and_: list[PipelineFilter] | None = about(
        "Matches each of these filters. An empty list filters nothing.", name="and"
    )
    or_: list[PipelineFilter] | None = about("Matches one of these filters.", name="or")
    not_: PipelineFilter | None = about("Does not match this filter.", name="not")

    def plain(self, caller: Caller) -> filters.PipelineFilter:
        """Return the filter. Raises BAD_USER_INPUT if it is too large."""
        conditions = tuple(_conditions(self, caller, Size(), "filter", 1))
        return filters.PipelineFilter(conditions)


class Size:
    """Counters of the conditions of a filter."""

    def __init__(self) -> None:
        self.conditions = self.elements = 0

    def count(self, path: str, *, of_element: bool = False) -> None:
        """Count a condition. Raises BAD_USER_INPUT if there are too many."""
        self.conditions += 1
        self.elements += of_element
        if self.conditions > MAX_CONDITIONS:
            raise _too_large(path, f"more than {MAX_CONDITIONS} fields")
        if self.elements > MAX_ELEMENTS:
            raise _too_large(path, f"`element` more than {MAX_ELEMENTS} times")


def _conditions(given: PipelineFilter, caller: Caller, size: Size, path: str, depth: int) -> Iterator[Condition]:
    if depth > MAX_DEPTH:
        raise _too_large(path, f"filters in filters deeper than {MAX_DEPTH}")
    for name, value in vars(given).items():
        if value is UNSET or value is None:
            continue
        here = f"{path}.{to_camel_case(name.rstrip('_'))}"
        size.count(here, of_element=name == "element")
        if name in PREDICATES:
            yield predicate(*PREDICATES[name], value)
        elif name in ("and_", "or_"):
            inner = [
                Group("and", tuple(_conditions(each, caller, size, f"{here}[{index}]", depth + 1)))
                for index, each in enumerate(value)
            ]
            yield Group("and" if name == "and_" else "or", tuple(inner))
        elif name == "not_":
            yield Group("not", tuple(_conditions(value, caller, size, here, depth + 1)))
        elif name == "created_by_me":
            mine = NOTHING if caller.user_id is None else predicate("user_id", "eq", caller.user_id)
            yield mine if value else Group("not", (mine,))
        else:
            yield from SEVERAL[name](value, size, here)


def _range(field: str, value: DateTimeRange, size: Size, path: str) -> Iterator[Condition]:
    bounds = {"gt": value.after, "lt": value.before}
    yield from (predicate(field, name, bound) for name, bound in bounds.items() if given(bound) is not None)


def _element(value: PipelineElementFilter, size: Size, path: str) -> Iterator[Condition]:
    found = []
    for name, operand in vars(value).items():
        if operand is not UNSET and operand is not None:
            size.count(f"{path}.{to_camel_case(name)}")
            field, operator = OF_ONE[name]
            found.append(predicate(OF_ELEMENT + field, operator, operand))
    yield Group("element", tuple(found))


def _labels_all(value: list[str], size: Size, path: str) -> Iterator[Condition]:
    for each in dict.fromkeys(map(fold, value)):
        size.count(path)
        yield predicate("labels", "has_label", [each])
    if not value:
        yield EVERYTHING


SEVERAL: dict[str, Callable[[Any, Size, str], Iterator[Condition]]] = {
    "started": lambda *each: _range("started_at", *each),
    "finished": lambda *each: _range("finished_at", *each),
    "element": _element,
    "labels_all": _labels_all,
    "labels_any": lambda value, size, path: iter([predicate("labels", "has_label", list(map(fold, value)))]),
}
"""Fields with conditions of their own making."""
OF_ONE = {
    "name": ("name", "eq"),
    "name_contains": ("name", "contains_ascii"),
    "types": ("element_type", "in"),
    "statuses": ("status", "in"),
}
"""Field and operator of each filter of elements."""
PREDICATES = {
    "ids": ("id", "in"),
    "project_id": ("project_id", "eq"),
    "project_ids": ("project_id", "in"),
    "statuses": ("status", "in"),
    "error_codes": ("error_code", "in"),
    "element_types": ("element_types", "has_any"),
    "name_contains": ("name", "contains"),
    "name_starts_with": ("name", "starts_with"),
    "description_contains": ("description", "contains_ascii"),
    "created_by_email": ("created_by_email", "eq"),
    "created_after": ("created_at", "gt"),
    "created_before": ("created_at", "lt"),
    "updated_after": ("updated_at", "gt"),
    "updated_before": ("updated_at", "lt"),
    "duration_at_least": ("duration", "gte"),
    "duration_at_most": ("duration", "lte"),
}
"""Field and operator of each filter."""


def _too_large(path: str, fault: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_USER_INPUT, f"The filter has {fault}, at `{path}`.")
