"""Status 422: every problem of a body at once, each with its path. Nothing is stored."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.api import Api
from tests.rest.requests import ENTRY, JSON, get, pipeline

Faults = list[tuple[list[Any], str]]


async def refused(api: Api, body: Any) -> list[dict[str, Any]]:
    """Return the faults of a refused body, in the contract's form."""
    answer = await api.http.post("/pipelines", content=orjson.dumps(body), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["detail"]
    faults: list[dict[str, Any]] = answer.json()["detail"]
    assert all({"loc", "msg", "type"} <= fault.keys() <= {"loc", "msg", "type", "input", "ctx"} for fault in faults)
    assert all(fault["msg"] and isinstance(fault["type"], str) for fault in faults)
    assert (await get(api, "/pipelines"))["total"] == 0
    return faults


async def test_all_problems_come_at_once(shared: Api) -> None:
    elements = {"": ENTRY, "odd": {"element_type": "fit"}, "n" * 256: ENTRY, "list": [], "none": {}}
    body = {"name": "n" * 256, "description": 5, "options": {"live_progress_updates": "perhaps"}, "elements": elements}
    faults = await refused(shared, body)
    assert sorted(fault["loc"][1:] for fault in faults) == sorted(
        [
            ["project_id"],
            ["name"],
            ["description"],
            ["options", "live_progress_updates"],
            ["elements", ""],
            ["elements", "odd", "element_type"],
            ["elements", "n" * 256],
            ["elements", "list"],
            ["elements", "none", "element_type"],
        ]
    )
    assert {fault["loc"][0] for fault in faults} == {"body"}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, [["project_id"], ["elements"]]),
        ({"project_id": "p"}, [["elements"]]),
        ({"elements": {}}, [["project_id"]]),
        (pipeline(project_id=""), [["project_id"]]),
        (pipeline(project_id=" "), [["project_id"]]),
        (pipeline(project_id="p" * 256), [["project_id"]]),
        (pipeline(project_id=None), [["project_id"]]),
        (pipeline(project_id=5), [["project_id"]]),
        (pipeline(name=["n"]), [["name"]]),
        (pipeline(description="d" * 10_001), [["description"]]),
        (pipeline(options=None), [["options"]]),
        (pipeline(options=[]), [["options"]]),
        (pipeline(options={"live_progress_updates": "true"}), [["options", "live_progress_updates"]]),
        (pipeline(options={"live_progress_updates": 1}), [["options", "live_progress_updates"]]),
        (pipeline(elements=None), [["elements"]]),
        (pipeline(elements=[]), [["elements"]]),
        (pipeline(elements="{}"), [["elements"]]),
        (pipeline(elements={str(n): ENTRY for n in range(251)}), [["elements"]]),
        (pipeline(elements={"fit": None}), [["elements", "fit"]]),
        (pipeline(elements={"fit": "entry"}), [["elements", "fit"]]),
        (pipeline(elements={"fit": [ENTRY]}), [["elements", "fit"]]),
        (pipeline(elements={"fit": {}}), [["elements", "fit", "element_type"]]),
        (pipeline(elements={"{0}": {"element_type": "{a} {} %s"}}), [["elements", "{0}", "element_type"]]),
        (None, [[]]),
        ([], [[]]),
        ([pipeline()], [[]]),
        ("abc", [[]]),
        (1, [[]]),
        (True, [[]]),
    ],
)
async def test_a_problem_is_named_by_its_place(shared: Api, body: Any, places: list[list[str]]) -> None:
    assert [fault["loc"] for fault in await refused(shared, body)] == [["body", *place] for place in places]


async def test_a_message_quotes_what_was_sent_literally(shared: Api) -> None:
    [fault] = await refused(shared, pipeline(elements={"fit": {"element_type": "{a} {} %s"}}))
    assert fault["msg"].startswith("'{a} {} %s' is no element type.")
    assert fault["input"] == "{a} {} %s"


async def test_a_long_input_is_cut_short(shared: Api) -> None:
    [fault] = await refused(shared, pipeline(project_id="p" * 100_000))
    assert fault["input"] == "p" * 200 + "…"


async def test_what_an_object_holds_is_not_shown(shared: Api) -> None:
    [fault] = await refused(shared, pipeline(elements={"": {**ENTRY, "secret": "hunter2"}}))
    assert "input" not in fault
    assert "hunter2" not in str(fault)
