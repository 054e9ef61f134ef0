"""REST and GraphQL list the same pipelines in the same order for equivalent filters, over random data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from app.auth.caller import LOCAL
from app.models.columns import instant_text
from app.models.enums import JobErrorCode, PipelineStatus
from app.models.tables import Pipeline, PipelineLabel
from app.pipelines.lists.labels import dump, fold
from app.pipelines.lists.pagination import OrderField
from tests.api import Api
from tests.rest.requests import get

Equivalent = tuple[dict[str, Any], dict[str, str]]
"""A filter of GraphQL, and its query of REST."""
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PIPELINES, FILTERS = 80, 150
NAMES = ["Straße", "STRASSE 2", "100% _done", "İstanbul", "a\\b, (c)", "eq.plain", "plain"]
PARTS = ["strasse", "ß", "İ", "\\", "B, (", ".PLAIN", "", "none"]
LABELS = [["a", "B"], [], ["b"]]
PROJECTS = ["p", "P", "in.(p)", "p.q"]
EMAILS = ["a@b.c", "A@B.C", None]
COLUMNS = [field.value for field in OrderField]
LIST = """query ($filter: PipelineFilter, $order: PipelineOrder!) {
  pipelines(filter: $filter, orderBy: $order, first: 100) { totalCount nodes { id } }
}"""


def pipelines(random: Random) -> Iterable[Pipeline | PipelineLabel]:
    for number in range(PIPELINES):
        name, status = random.choice(NAMES), random.choice(list(PipelineStatus))
        yield Pipeline(
            id=f"{number:04}",
            organization_id=LOCAL.organization_id if number % 8 else "others",
            project_id=random.choice(PROJECTS),
            created_by_email=random.choice(EMAILS),
            name=name,
            folded_name=name.casefold(),
            status=status,
            error_code=random.choice(list(JobErrorCode)) if status is PipelineStatus.FAILED else None,
            created_at=AT + number // 3 * TICK,
            updated_at=AT + random.randrange(PIPELINES) * TICK,
            description=random.choice(["About _it_", "about 50%", "a", None]),
            labels=dump(labels := LABELS[number % 3]),
            started_at=(run := _run(random))[0],
            finished_at=run[1],
            duration=run[2],
        )
        yield from (PipelineLabel(pipeline_id=f"{number:04}", folded_label=fold(each)) for each in labels)


def _run(random: Random) -> tuple[datetime | None, datetime | None, float | None]:
    """Return start, end and duration."""
    start, seconds = AT + random.randrange(9) * TICK, random.randrange(1, 9)
    return random.choice([(None, None, None), (start, None, None), (start, start + seconds * TICK, seconds / 1e6)])


def by_project(random: Random) -> Equivalent:
    id = random.choice(PROJECTS)
    return {"projectId": id}, {"project_id": f"eq.{id}"}


def by_status(random: Random) -> Equivalent:
    statuses = random.choices(list(PipelineStatus), k=random.randrange(4))
    words = ",".join(status.value for status in statuses)
    return {"statuses": [status.name for status in statuses]}, {"status": f"in.({words})"}


def by_name(random: Random) -> Equivalent:
    part = random.choice(PARTS)
    return {"nameContains": part}, {"name": f"ilike.%{part}%"}


def by_email(random: Random) -> Equivalent:
    email = random.choice(["a@b.c", "A@B.C", "none"])
    return {"createdByEmail": email}, {"created_by_email": email}


def by_time(random: Random) -> Equivalent:
    """Return exclusive bounds, which are an operator in REST, or inclusive bounds one microsecond apart."""
    field, column = random.choice([("created", "created_at"), ("updated", "updated_at")])
    after = AT + random.randrange(PIPELINES // 3) * TICK
    before = after + random.randrange(PIPELINES) * TICK
    query = random.choice(
        [
            {column: f"gt.{instant_text(after)}", f"{column}_lt": instant_text(before - TICK)},
            {f"{column}_gt": instant_text(after + TICK), column: f"lt.{instant_text(before)}"},
        ]
    )
    return {f"{field}After": instant_text(after), f"{field}Before": instant_text(before)}, query


def by_range(random: Random) -> Equivalent:
    name, at = random.choice(["started", "finished"]), instant_text(AT + random.randrange(9) * TICK)
    side, operator = random.choice([("after", "gt"), ("before", "lt")])
    return {name: {side: at}}, {f"{name}_at": f"{operator}.{at}"}


def by_duration(random: Random) -> Equivalent:
    seconds = random.randrange(9) / 1e6
    least = random.choice([True, False])
    name, operator = ("durationAtLeast", "gte") if least else ("durationAtMost", "lte")
    return {name: seconds}, {"duration": f"{operator}.{seconds:.7f}"}


def by_label(random: Random) -> Equivalent:
    label = random.choice(["a", "B", "none"])
    name, parameter = random.choice([("labelsAll", "labels_all"), ("labelsAny", "labels_any")])
    return {name: [label]}, {parameter: label}


def by_description(random: Random) -> Equivalent:
    part = random.choice(["ABOUT", "it", "A", "none"])
    return {"descriptionContains": part}, {"description": f"ilike.%{part}%"}


def by_start_of_name(random: Random) -> Equivalent:
    part = random.choice(["strasse", "ß", "p", "10", "none"])
    return {"nameStartsWith": part}, {"name": f"ilike.{part}%"}


def by_error(random: Random) -> Equivalent:
    codes = random.choices(list(JobErrorCode), k=2)
    return {"errorCodes": [each.name for each in codes]}, {
        "error_code": f"in.({','.join(each.value for each in codes)})"
    }


def by_other_errors(random: Random) -> Equivalent:
    """Pipelines without an error have another one than any."""
    code = random.choice(list(JobErrorCode))
    return {"not": {"errorCodes": [code.name]}}, {"error_code": f"neq.{code.value}"}


def by_several(random: Random) -> Equivalent:
    projects, ids = random.choices(PROJECTS[:2], k=2), [f"{random.randrange(PIPELINES):04}" for _ in range(40)]
    return (
        {"projectIds": projects, "ids": ids},
        {"project_id": f"in.({','.join(projects)})", "id": f"in.({','.join(ids)})"},
    )


NEWER = [by_range, by_duration, by_label, by_description, by_start_of_name, by_error, by_other_errors, by_several]
EACH = [by_project, by_status, by_name, by_email, by_time, *NEWER]


async def test_equivalent_filters_list_the_same_pipelines_in_the_same_order(api: Api) -> None:
    random = Random(1)

    async def store(session: Any) -> None:
        session.add_all(pipelines(random))

    await api.write(store)
    lengths, used = set(), set()
    for _ in range(FILTERS):
        filter: dict[str, Any] = {}
        query: dict[str, str] = {}
        for one in random.sample(EACH, k=random.choice([0, 1, 1, 2])):
            fields, parameters = one(random)
            used.add(one)
            filter |= fields
            query |= parameters
        column, direction = random.choice(COLUMNS), random.choice(["asc", "desc"])
        order = {"field": column.upper(), "direction": direction.upper()}
        listed = (await api.data(LIST, filter=filter, order=order))["pipelines"]
        page = await get(api, "/pipelines", **query, order_by=column, order=direction, limit=100)
        assert [row["id"] for row in page["pipelines"]] == [node["id"] for node in listed["nodes"]], (filter, query)
        assert page["total"] == listed["totalCount"]
        lengths.add(page["total"])
    assert used == set(EACH)
    assert len(lengths) > FILTERS / 10, "the filters hardly differ"
