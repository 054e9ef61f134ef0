"""Lists of the official client: every filter, operator and order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.python.conftest import Connect
from tests.clients.python.official import ended, ionworks, told
from tests.servers import Server

FAILS = {"fail": "MODEL_ERROR"}


@pytest.fixture(scope="module")
def listed(locked: tuple[Server, dict[str, str]]) -> Any:
    """Client whose project has four pipelines: Ångström and base completed, other % and Zebra failed.

    The project is new each time, because a test process may set the module up twice.
    """
    server, keys = locked
    client = ionworks.Ionworks(api_key=keys["ours"], api_url=server.url, project_id=str(uuid4()))
    for name, description, fake in (
        ("Ångström", "first", {}),
        ("base", "a (b), c", {}),
        ("other %", None, FAILS),
        ("Zebra", "first", FAILS),
    ):
        ended(client, told(client, fake, name=name, description=description))
    yield client
    client.session.close()


def names(page: Any) -> set[str]:
    return {each.name for each in page}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"name": "base"}, "base"),
        ({"name": "eq.base"}, "base"),
        ({"name": "neq.base"}, "Ångström,other %,Zebra"),
        ({"name": "ilike.%B%"}, "base,Zebra"),
        ({"name": "ilike.å%"}, "Ångström"),
        ({"name": "in.(base,Zebra,none)"}, "base,Zebra"),
        ({"name": "gte.b"}, "Ångström,base,other %"),
        ({"description": "first"}, "Ångström,Zebra"),
        ({"description": "eq.a (b), c"}, "base"),
        ({"description": 'in.("a (b), c",none)'}, "base"),
        ({"description": "ilike.FIRST"}, "Ångström,Zebra"),
        ({"status": "failed"}, "other %,Zebra"),
        ({"status": "neq.failed"}, "Ångström,base"),
        ({"status": "in.(failed,canceled)"}, "other %,Zebra"),
        ({"created_by_email": "ada@lab.example"}, "Ångström,base,other %,Zebra"),
        ({"created_by_email": "ilike.%@else.example"}, ""),
        ({"name": "ilike.%e%", "status": "completed"}, "base"),
        ({"created_at": "gte.2000-01-01"}, "Ångström,base,other %,Zebra"),
        ({"created_at": "lt.2000-01-01T00:00:00+01:00"}, ""),
        ({"updated_at": "gt.2000-01-01T00:00:00Z"}, "Ångström,base,other %,Zebra"),
        ({"updated_at": "lte.2000-01-01"}, ""),
        ({"project_id": "another"}, ""),
    ],
    ids=str,
)
def test_a_filter(listed: Any, filters: dict[str, str], expected: str) -> None:
    page = listed.pipeline.list(**filters)
    assert names(page) == set(filter(None, expected.split(",")))
    assert page.total == page.count == len(page)


def test_one_by_its_id(listed: Any) -> None:
    [base] = listed.pipeline.list(name="base")
    assert names(listed.pipeline.list(id=base.id)) == {"base"}


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
def test_bounds_of_times_are_inclusive(listed: Any, column: str) -> None:
    at = {each.name: listed.get(f"/pipelines/{each.id}")[column] for each in listed.pipeline.list()}
    bounds = {f"{column}_gt": at["base"], f"{column}_lt": at["other %"]}
    assert names(listed.pipeline.list(**bounds)) == {"base", "other %"}


ORDERS: dict[str, Callable[[Any], Any]] = {
    "id": lambda row: row["id"],
    "name": lambda row: row["name"].encode(),
    "status": lambda row: (row["status"], row["id"]),
    "created_at": lambda row: row["created_at"],
    "updated_at": lambda row: row["updated_at"],
    "created_by_email": lambda row: (row["created_by_email"], row["id"]),
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("column", ORDERS)
def test_an_order(listed: Any, column: str, order: str) -> None:
    rows = [listed.get(f"/pipelines/{each.id}") for each in listed.pipeline.list()]
    found = [each.id for each in listed.pipeline.list(order_by=column, order=order)]
    assert found == [row["id"] for row in sorted(rows, key=ORDERS[column], reverse=order == "desc")]


def test_by_description_those_without_come_last(listed: Any) -> None:
    for order in ("asc", "desc"):
        assert listed.pipeline.list(order_by="description", order=order)[-1].name == "other %"


def test_pages(listed: Any) -> None:
    pages = [listed.pipeline.list(limit=3, offset=offset, order_by="created_at", order="asc") for offset in (0, 3, 6)]
    assert [[each.name for each in page] for page in pages] == [["Ångström", "base", "other %"], ["Zebra"], []]
    assert [(page.count, page.total) for page in pages] == [(3, 4), (1, 4), (0, 4)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": "done"}, "'done' is no status"),
        ({"created_at": "gte.yesterday"}, "'yesterday' is no time"),
        ({"name": "in.base"}, r"Write a list as in\.\(a,b\)"),
        ({"limit": 101}, "less than or equal to 100"),
        ({"order_by": "size"}, "'created_at'"),
    ],
    ids=str,
)
def test_a_wrong_filter_is_shown(listed: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ionworks.IonworksError, match=message) as raised:
        listed.pipeline.list(**wrong)
    assert raised.value.status_code == 422
    [fault] = raised.value.message
    assert fault["loc"] == ["query", *wrong]


def test_without_a_project_nothing_is_asked(fake: Server, connect: Connect) -> None:
    with pytest.raises(ValueError, match="project_id is required"):
        connect(fake, project_id=None).pipeline.list()
