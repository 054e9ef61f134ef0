"""Filters have the same results on both databases."""

from typing import Any

import pytest

from app.models.enums import JobErrorCode, PipelineStatus
from tests.api import Api


async def names(api: Api, **filter: Any) -> list[str]:
    found = await api.run("Pipelines", filter=filter, first=100)
    assert found["totalCount"] == len(found["nodes"])
    return sorted(node["name"] for node in found["nodes"])


def element(kind: str) -> dict[str, Any]:
    return {"name": kind, "elementType": kind, "jobConfig": {}}


async def test_fields_are_anded_and_values_ored(api: Api) -> None:
    fit, entry = element("DATA_FIT"), element("DIRECT_ENTRY")
    await api.create(name="a", projectId="1", elements=[fit, entry])
    await api.create(name="b", projectId="2", elements=[fit])
    await api.create(name="c", projectId="2", elements=[])
    assert await names(api, projectId="2") == ["b", "c"]
    assert await names(api, elementTypes=["DATA_FIT"]) == ["a", "b"]
    assert await names(api, elementTypes=["DATA_FIT"], projectId="2") == ["b"]
    assert await names(api, elementTypes=["VALIDATION", "DIRECT_ENTRY"]) == ["a"]


@pytest.mark.parametrize("field", ["statuses", "errorCodes", "elementTypes"])
async def test_an_empty_list_matches_nothing_and_null_everything(api: Api, field: str) -> None:
    await api.create(name="a")
    assert await names(api, **{field: []}) == []
    assert await names(api, **{field: None}) == ["a"]


async def test_statuses_and_counts_agree(api: Api) -> None:
    for name, status in (("a", "FAILED"), ("b", "FAILED"), ("c", "PENDING")):
        await api.set_status((await api.create(name=name))["id"], PipelineStatus[status])
    assert await names(api, statuses=["FAILED"]) == ["a", "b"]
    assert await names(api, statuses=["FAILED", "PENDING", "RUNNING"]) == ["a", "b", "c"]
    counts = {each["status"]: each["count"] for each in await api.run("PipelineCounts", filter={"nameContains": "A"})}
    assert counts == {"PENDING": 0, "RUNNING": 0, "COMPLETED": 0, "FAILED": 1, "CANCELED": 0}


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("straße", ["Straße"]),
        ("STRASSE", ["Straße"]),
        ("ÉTÉ", ["été 100%"]),
        ("%", ["été 100%"]),
        ("_", ["a_b"]),
        ("a_b", ["a_b"]),
        ("\\", ["back\\slash"]),
        ("'; --", []),
        ("", ["Straße", "aXb", "a_b", "back\\slash", "été 100%"]),
        ("x" * 20_000, []),
    ],
)
async def test_a_name_is_searched_without_case_and_without_wildcards(api: Api, part: str, found: list[str]) -> None:
    for name in ("Straße", "a_b", "aXb", "été 100%", "back\\slash"):
        await api.create(name=name)
    assert await names(api, nameContains=part) == found


async def test_times_are_exclusive_bounds_to_the_microsecond(api: Api) -> None:
    created = await api.create(name="a")
    at = created["createdAt"]
    assert await names(api, createdAfter=at) == []
    assert await names(api, createdBefore=at) == []
    earlier, later = "1969-12-31T23:59:59+23:59", "9999-12-31T23:59:59.999999Z"
    assert await names(api, createdAfter=earlier, createdBefore=later, updatedAfter=earlier, updatedBefore=later) == [
        "a"
    ]
    assert await names(api, updatedAfter=later) == []


@pytest.mark.parametrize(
    "time", ["2026-11-23", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", 5]
)
async def test_what_is_no_instant_is_an_error(api: Api, time: Any) -> None:
    [error] = (
        await api.post("query ($t: DateTime!) { pipelines(filter: {createdAfter: $t}) { totalCount } }", t=time)
    )["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "DateTime" in error["message"] or "time" in error["message"]


async def test_filters_are_combined(api: Api) -> None:
    fit, entry = element("DATA_FIT"), element("DIRECT_ENTRY")
    ids = {}
    for name, project, elements in (("a", "1", [fit, entry]), ("b", "2", [fit]), ("c", "2", [])):
        ids[name] = (await api.create(name=name, projectId=project, elements=elements, description=f"The {name}%"))[
            "id"
        ]
    assert await names(api, ids=[ids["a"], ids["c"], "none"]) == ["a", "c"]
    assert await names(api, projectIds=["1", "none"]) == ["a"]
    assert await names(api, **{"or": [{"projectId": "1"}, {"nameContains": "C"}]}) == ["a", "c"]
    assert await names(api, **{"or": []}) == []
    assert await names(api, **{"and": [{"projectId": "2"}, {"not": {"nameContains": "c"}}]}) == ["b"]
    assert await names(api, **{"not": {"createdByEmail": "none"}}) == ["a", "b", "c"]
    assert await names(api, nameStartsWith="A") == ["a"]
    assert await names(api, descriptionContains="THE B%") == ["b"]
    assert await names(api, element={"types": ["DATA_FIT"], "statuses": ["PENDING"]}) == ["a", "b"]
    assert await names(api, element={"name": "DIRECT_ENTRY", "types": ["DATA_FIT"]}) == []
    assert await names(api, element={"nameContains": "direct"}) == ["a"]
    assert await names(api, **{"not": {"element": {}}}) == ["c"]
    assert await names(api, createdByMe=True) == []
    assert await names(api, createdByMe=False) == ["a", "b", "c"]
    assert await names(api, started={"after": "2000-01-01T00:00:00Z"}) == []
    assert await names(api, **{"not": {"started": {"after": "2000-01-01T00:00:00Z"}}}) == ["a", "b", "c"]


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth else {"projectId": "p"}


@pytest.mark.parametrize(
    ("filter", "place"),
    [
        (nested(5), "filter.not.not.not.not.not"),
        ({"or": [{"projectId": "p"}] * 101}, "filter.or[99].projectId"),
        ({"and": [{"element": {"name": "x"}}] * 6}, "filter.and[5].element"),
    ],
)
async def test_a_filter_that_is_too_large_is_refused_at_its_place(api: Api, filter: dict[str, Any], place: str) -> None:
    query = "query ($f: PipelineFilter) { pipelines(filter: $f) { totalCount } }"
    [error] = (await api.post(query, f=filter))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert place in error["message"]


async def test_error_codes_and_emails_are_matched_exactly(api: Api) -> None:
    assert await names(api, errorCodes=[code.name for code in JobErrorCode]) == []
    assert await names(api, createdByEmail="a@example.org") == []
