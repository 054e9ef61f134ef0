"""Tenancy: for what another organization or project owns, every operation, route and subscription answers as for what
does not exist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
import pytest

from app.auth.caller import LOCAL, Caller
from app.errors import Rejected, RequestError
from app.measurements import service
from tests.measurements.conftest import CSV, Lab, serving

SECRET = "a-name-that-nobody-else-may-see"
MISSING = "01a22800-0000-7000-8000-000000000000"


class World(NamedTuple):
    lab: Lab
    keys: dict[str, str]
    ids: dict[str, str]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """Server with the rows of one organization, and keys of it, of another one, and of another project of it."""
    from app.auth.keys import open_keys
    from app.database.connect import database_url as parsed

    async with open_keys(parsed(database_url)) as store:
        keys = {
            "owner": await store.create("ours", projects=["cells"]),
            "other organization": await store.create("theirs"),
            "other project": await store.create("ours", projects=["elsewhere"]),
            "reading": await store.create("ours", read_only=True),
        }
    async with serving(database_url) as lab:
        lab.http.headers["x-api-key"] = keys["owner"]
        specification = await _post(lab, "/cell_specifications", {"project_id": "cells", "name": SECRET})
        cell = await _post(lab, f"/cell_specifications/{specification}/cell_instances", {"name": SECRET})
        fields: Any = {"projectId": "cells", "cellInstanceId": cell, "name": SECRET, "tags": [SECRET]}
        ids = {"measurement": await lab.ready(**fields), "cell": cell, "specification": specification}
        ids["waiting"] = (await lab.new(**fields | {"name": f"{SECRET}-2"}))["measurement"]["id"]
        yield World(lab, keys, ids)


async def _post(lab: Lab, path: str, body: dict[str, Any]) -> str:
    answer = await lab.http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


QUERIES = (
    "query($id: ID!) { measurement(id: $id) { id name } }",
    "query($id: ID!) { measurement(id: $id) { series(xMin: 1, firstStep: 0) } }",
    "query($id: ID!) { node(id: $id) { id ... on Measurement { name } } }",
    "query($id: ID!) { cellInstance(id: $id) { id name } }",
    "query($id: ID!) { cellSpecification(id: $id) { id name } }",
    "query($id: ID!) { cellInstances(cellSpecificationId: $id) { totalCount nodes { id name } } }",
    "query($id: ID!) { measurements(filter: {cellInstanceId: $id}) { totalCount nodes { id name } edges { cursor } } }",
    "query { measurements { totalCount nodes { id name downloadUrl series cell { name } usedBy { totalCount } } } }",
    "query { cellSpecifications { totalCount nodes { id name } } }",
    "query { cellInstances { totalCount nodes { id name specification { name } } } }",
    "mutation($id: ID!) { completeMeasurement(id: $id) { measurement { id } userErrors { code message field } } }",
    'mutation($id: ID!) { updateMeasurement(id: $id, input: {notes: "x"}) { userErrors { code message field } } }',
    "mutation($id: ID!) { deleteMeasurement(id: $id) { userErrors { code message field } } }",
    'mutation($id: ID!) { createCellInstance(input: {cellSpecificationId: $id, name: "n"}) '
    "{ cellInstance { id } userErrors { code message field } } }",
    'mutation($id: ID!) { updateCellSpecification(id: $id, input: {name: "taken"}) '
    "{ cellSpecification { id } userErrors { code message field } } }",
    "mutation($id: ID!) { updateCellInstance(id: $id, input: {details: {taken: true}}) "
    "{ cellInstance { id } userErrors { code message field } } }",
    "mutation($id: ID!) { deleteCellSpecification(id: $id) "
    "{ deletedCellSpecificationId userErrors { code message field } } }",
    "mutation($id: ID!) { deleteCellInstance(id: $id) { deletedCellInstanceId userErrors { code message field } } }",
    'mutation($id: ID!) { createMeasurement(input: {cellInstanceId: $id, name: "n"}) '
    "{ measurement { id } userErrors { code message field } } }",
)
ROUTES = (
    ("GET", "/cell_specifications", None),
    ("GET", "/cell_specifications/{id}", None),
    ("PATCH", "/cell_specifications/{id}", {"name": "taken"}),
    ("DELETE", "/cell_specifications/{id}", None),
    ("POST", "/cell_specifications/{id}/cell_instances", {"name": "n"}),
    ("GET", "/cell_specifications/{id}/cell_instances", None),
    ("GET", "/cell_instances/{id}", None),
    ("PATCH", "/cell_instances/{id}", {"name": "taken"}),
    ("DELETE", "/cell_instances/{id}", None),
    ("GET", "/cell_instances/{id}/cell_measurements", None),
    ("POST", "/cell_instances/{id}/cell_measurements/initiate-upload", {"measurement": {"name": "n"}}),
    (
        "POST",
        "/cell_instances/{id}/cell_measurements/create",
        {"name": "n", "measurement_type": "properties", "properties": {}},
    ),
    ("GET", "/cell_measurements", None),
    ("GET", "/cell_measurements?q=nobody&tags_any=" + SECRET, None),
    ("GET", "/cell_measurements/{id}", None),
    ("PATCH", "/cell_measurements/{id}", {"notes": "taken"}),
    ("DELETE", "/cell_measurements/{id}", None),
    ("GET", "/cell_measurements/{id}/time_series/download", None),
    ("GET", "/cell_measurements/{id}/steps/download", None),
    ("GET", "/cell_measurements/{id}/steps_and_cycles", None),
    ("GET", "/cell_measurements/{id}/cycles", None),
    (
        "POST",
        "/cell_measurements/{id}/confirm-upload",
        {"cell_instance_id": "{id}", "measurement": {"name": "n"}},
    ),
)


@pytest.mark.parametrize("stranger", ["other organization", "other project"])
async def test_strangers_learn_nothing(world: World, stranger: str) -> None:
    lab = world.lab
    before = await _state(world)
    lab.http.headers["x-api-key"] = world.keys[stranger]
    for id in world.ids.values():
        for query in QUERIES:
            told = await _told(lab, {"query": query, "variables": {"id": id}}, id)
            assert told == await _told(lab, {"query": query, "variables": {"id": MISSING}}, MISSING), query
            assert SECRET not in told
        for method, path, body in ROUTES:
            told = await _asked(lab, method, path, body, id)
            assert told == await _asked(lab, method, path, body, MISSING), path
            assert SECRET not in told.partition(" ")[2] or "tags_any" in path
            assert not told.startswith("5")
    with pytest.raises(RequestError, match="does not exist"):
        async for _ in lab.services.measurements.states(Caller("theirs"), world.ids["measurement"]):
            pass
    assert await _state(world) == before


async def _told(lab: Lab, body: dict[str, Any], id: str) -> str:
    told = await lab.send(body)
    told.pop("extensions", None)  # the cost that is left
    return orjson.dumps(told).decode().replace(id, "ID")


async def _asked(lab: Lab, method: str, path: str, body: Any, id: str) -> str:
    sent = None if body is None else orjson.loads(orjson.dumps(body).replace(b"{id}", id.encode()))
    answer = await lab.http.request(method, path.format(id=id), json=sent)
    return f"{answer.status_code} {answer.text}".replace(id, "ID")


async def _state(world: World) -> str:
    world.lab.http.headers["x-api-key"] = world.keys["owner"]
    query = "{ measurements { nodes { id name notes tags status updatedAt } } cellInstances { nodes { id name } } }"
    return orjson.dumps(await world.lab.data(query)).decode()


async def test_a_reading_key_changes_nothing(world: World) -> None:
    before = await _state(world)
    world.lab.http.headers["x-api-key"] = world.keys["reading"]
    for id in world.ids.values():
        for query in (each for each in QUERIES if each.startswith("mutation")):
            [payload] = (await world.lab.data(query, id=id)).values()
            assert [each["code"] for each in payload["userErrors"]] == ["FORBIDDEN"], query
        for method, path, body in (each for each in ROUTES if each[0] != "GET"):
            assert (await _asked(world.lab, method, path, body, id))[:3] in ("403", "404", "422"), path
    assert await _state(world) == before


async def test_an_address_is_the_right(world: World) -> None:
    """Signed addresses need no key; a key of a stranger changes nothing about them."""
    lab = world.lab
    payload = await lab.new(projectId="cells", name="signed")
    query = "query($id: ID!) { measurement(id: $id) { downloadUrl } }"
    address = (await lab.data(query, id=world.ids["measurement"]))["measurement"]["downloadUrl"]
    for headers in ({}, {"x-api-key": "nonsense"}, {"x-api-key": world.keys["other organization"]}):
        del lab.http.headers["x-api-key"]
        lab.http.headers.update(headers)
        assert (await lab.http.get(address)).content == CSV
        lab.http.headers["x-api-key"] = world.keys["owner"]
    del lab.http.headers["x-api-key"]
    assert (await lab.put(payload["upload"]["url"], CSV)).status_code == 200


async def test_a_refused_deletion_names_only_pipelines_of_the_caller(still: Lab) -> None:
    data = {"Time [s]": [0, 1], "Voltage [V]": [4, 4]}
    id = (await still.new(projectId="p", format=None, data=data))["measurement"]["id"]
    config = {"objectives": {"a": {"type": "CurrentDriven", "data": f"db:{id}"}}}
    elements = [{"name": "fit", "elementType": "VALIDATION", "jobConfig": config}]
    mine, other = [(await still.create(projectId=name, elements=elements))["id"] for name in "pq"]
    for projects, named in ((frozenset("p"), {mine}), (None, {mine, other})):
        caller = replace(LOCAL, projects=projects)
        with pytest.raises(Rejected) as refused:
            await service.delete(still.services.database, caller, id)
        assert {each for each in (mine, other) if each in str(refused.value)} == named
    await still.run("DeletePipeline", id=mine)
    with pytest.raises(Rejected, match=r"have not ended\.$"):
        await service.delete(still.services.database, replace(LOCAL, projects=frozenset("p")), id)
