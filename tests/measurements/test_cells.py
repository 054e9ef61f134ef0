"""Cells over GraphQL: created, listed, changed and deleted as over REST."""

from __future__ import annotations

from typing import Any

from tests.measurements.conftest import Lab

UPDATE = """mutation($id: ID!, $input: UpdateCellInput!) { update%s(id: $id, input: $input) {
  %s { id name details } userErrors { code message field } } }"""
DELETE = "mutation($id: ID!) { delete%s(id: $id) { deleted%sId userErrors { code message field } } }"


async def _made(lab: Lab) -> tuple[str, str]:
    """Return the ids of a specification and a cell of it."""
    details = {"ratings": {"capacity": 5}, "supplier": "x"}
    specification = await lab.run(
        "CreateCellSpecification", input={"projectId": "p", "name": "M50", "details": details}
    )
    id = specification["cellSpecification"]["id"]
    cell = await lab.run(
        "CreateCellInstance", input={"cellSpecificationId": id, "name": "1", "details": {"batch": "b"}}
    )
    return id, cell["cellInstance"]["id"]


async def _update(lab: Lab, kind: str, id: str, **input: Any) -> dict[str, Any]:
    field = kind[0].lower() + kind[1:]
    payload: dict[str, Any] = (await lab.data(UPDATE % (kind, field), id=id, input=input))[f"update{kind}"]
    assert (payload[field] is None) == bool(payload["userErrors"])
    found: dict[str, Any] = payload[field] or payload["userErrors"][0]
    return found


async def _delete(lab: Lab, kind: str, id: str) -> Any:
    """Return the deleted id, or the code and the message of the error."""
    payload = (await lab.data(DELETE % (kind, kind), id=id))[f"delete{kind}"]
    if payload["userErrors"]:
        [error] = payload["userErrors"]
        assert payload[f"deleted{kind}Id"] is None
        return error["code"], error["message"], error["field"]
    return payload[f"deleted{kind}Id"]


async def test_cells_are_changed_as_over_rest(still: Lab) -> None:
    specification, cell = await _made(still)
    changed = await _update(still, "CellSpecification", specification, name="M50T", details={"supplier": None, "a": 1})
    assert changed == {"id": specification, "name": "M50T", "details": {"ratings": {"capacity": 5}, "a": 1}}
    answer = (await still.http.get(f"/cell_specifications/{specification}")).json()
    assert (answer["name"], answer["ratings"], answer["a"], "supplier" in answer) == ("M50T", {"capacity": 5}, 1, False)
    changed = await _update(still, "CellInstance", cell, details={"batch": "c"})
    assert changed == {"id": cell, "name": "1", "details": {"batch": "c"}}
    assert (await _update(still, "CellInstance", cell, name="2"))["details"] == {"batch": "c"}
    other = await still.run("CreateCellInstance", input={"cellSpecificationId": specification, "name": "3"})
    listed = await still.run("CellInstances", cellSpecificationId=specification)
    assert [each["name"] for each in listed["nodes"]] == ["3", "2"]
    assert listed["nodes"][0]["id"] == other["cellInstance"]["id"]
    assert listed["nodes"][0]["specification"] == {"id": specification, "name": "M50T"}


async def test_wrong_changes_name_their_place(still: Lab) -> None:
    specification, cell = await _made(still)
    await still.run("CreateCellInstance", input={"cellSpecificationId": specification, "name": "2"})
    for input, code, field in (
        ({"name": " "}, "INVALID", ["input", "name"]),
        ({"name": None}, "INVALID", ["input", "name"]),
        ({"details": []}, "INVALID", ["input", "details"]),
        ({"details": {"name": "x"}}, "INVALID", ["input", "details", "name"]),
        ({"name": "2"}, "CONFLICT", ["input", "name"]),
    ):
        error = await _update(still, "CellInstance", cell, **input)
        assert (error["code"], error["field"]) == (code, field), input
    assert (await _update(still, "CellInstance", cell))["name"] == "1"
    missing = await _update(still, "CellSpecification", cell, name="x")
    assert (missing["code"], missing["field"]) == ("NOT_FOUND", ["id"])


async def test_cells_in_use_are_not_deleted(still: Lab) -> None:
    specification, cell = await _made(still)
    made = await still.new(
        cellInstanceId=cell, format=None, projectId=None, data={"Time [s]": [0, 1], "Voltage [V]": [4, 4]}
    )
    used = ("INVALID_STATE", "The cell specification has cell instances: delete them first.", ["id"])
    assert await _delete(still, "CellSpecification", specification) == used
    used = ("INVALID_STATE", "The cell instance has measurements: delete them first.", ["id"])
    assert await _delete(still, "CellInstance", cell) == used
    await still.run("DeleteMeasurement", id=made["measurement"]["id"])
    assert await _delete(still, "CellInstance", cell) == cell
    assert (await _delete(still, "CellInstance", cell))[0] == "NOT_FOUND"
    assert await _delete(still, "CellSpecification", specification) == specification
    assert (await still.run("CellSpecifications"))["nodes"] == []


async def test_own_fields_of_cells_are_not_taken_from_details(still: Lab) -> None:
    details = {"id": "x", "name": "y", "a": 1}
    payload = await still.run("CreateCellSpecification", input={"projectId": "p", "name": "D", "details": details})
    assert [each["field"] for each in payload["userErrors"]] == [["input", "details", name] for name in ("id", "name")]
    assert payload["cellSpecification"] is None
    specification, _ = await _made(still)
    refused = await _update(still, "CellSpecification", specification, details={"created_at": 1})
    assert refused["message"] == "`details` takes no `created_at`: cells have that field."
