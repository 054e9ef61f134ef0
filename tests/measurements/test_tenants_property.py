"""Tenancy over generated sequences: two organizations with two projects each, whose keys create, change, read,
reference and delete. No answer has a text of another one, and an id of another one is an id that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from tests.measurements.conftest import Lab, serving

MISSING = "01a22800-0000-7000-8000-000000000000"
ACTORS = [(organization, project) for organization in ("north", "south") for project in ("left", "right")]
ERRORS = "userErrors { code message field }"
DATA = {"Time [s]": [0, 1], "Voltage [V]": [4.2, 4.1]}
MEASUREMENT, CELL, SPECIFICATION = "Measurement", "CellInstance", "CellSpecification"
KINDS = (MEASUREMENT, CELL, SPECIFICATION)
READS = (
    """query($id: ID!) { measurement(id: $id) { id name notes tags steps series downloadUrl cell { name details }
    usedBy { totalCount nodes { name } } } }""",
    "query($id: ID!) { measurement(id: $id) { series(xMin: 0.5, firstStep: 0) } }",
    "query($id: ID!) { node(id: $id) { id ... on Measurement { name } ... on CellInstance { name } } }",
    "query($id: ID!) { cellInstance(id: $id) { id name details specification { name } } }",
    "query($id: ID!) { cellSpecification(id: $id) { id name details } }",
    "query($id: ID!) { measurements(filter: {cellInstanceId: $id}) { totalCount nodes { id name } } }",
    "query($id: ID!) { cellInstances(cellSpecificationId: $id) { totalCount nodes { id name } } }",
)
LISTS = {
    MEASUREMENT: "{ measurements(first: 100) { totalCount nodes { id name tags cell { name } } } }",
    CELL: "{ cellInstances(first: 100) { totalCount nodes { id name specification { name } } } }",
    SPECIFICATION: "{ cellSpecifications(first: 100) { totalCount nodes { id name details } } }",
}
ROUTES = (
    "/cell_measurements/{}", "/cell_measurements/{}/time_series/download", "/cell_measurements/{}/steps_and_cycles",
    "/cell_measurements/{}/cycles", "/cell_instances/{}", "/cell_instances/{}/cell_measurements",
    "/cell_specifications/{}", "/cell_specifications/{}/cell_instances",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(range(len(ACTORS))),
        st.sampled_from(["create", "read", "list", "update", "patch", "delete", "remove", "reference", "route"]),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    min_size=10,
    max_size=40,
)


@dataclass
class Row:
    """A row as the model knows it."""

    owner: int
    kind: str
    is_there: bool = True
    is_used: bool = False
    """Whether a pipeline of its owner references it, or a row belongs to it."""


@dataclass
class World:
    """Server with the keys of all actors, and the model of their rows."""

    portal: BlockingPortal
    lab: Lab
    keys: list[str]
    rows: dict[str, Row] = field(default_factory=dict)
    crossed: int = 0
    """Number of requests for rows of others."""

    def ask(self, actor: int, query: str, **variables: Any) -> tuple[Any, str]:
        """Return the data of an answer, and its text without the cost."""
        told = orjson.loads(self.send(actor, "POST", "/graphql", {"query": query, "variables": variables}))
        told.pop("extensions", None)
        return told.get("data"), orjson.dumps(told).decode()

    def send(self, actor: int, method: str, path: str, body: Any = None) -> str:
        async def request() -> str:
            headers = {"x-api-key": self.keys[actor]}
            answer = await self.lab.http.request(method, path, json=body, headers=headers, follow_redirects=True)
            assert answer.status_code < 500, answer.text
            return answer.text if path == "/graphql" else f"{answer.status_code} {answer.text}"

        text = self.portal.call(request)
        for other in range(len(ACTORS)):
            assert other == actor or mark(other) not in text, f"{mark(actor)} got {text}"
        return text

    def of(self, actor: int, *kinds: str) -> list[str]:
        """Return the ids of the rows that an actor has."""
        return [id for id, row in self.rows.items() if row.owner == actor and row.is_there and row.kind in kinds]


def mark(actor: int) -> str:
    return f"only-for-{'-'.join(ACTORS[actor])}"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with start_blocking_portal() as portal:
        world = World(portal, Lab.__new__(Lab), portal.call(_keys, database_url))
        with portal.wrap_async_context_manager(serving(database_url)) as world.lab:
            portal.call(_read_some, world)
        with portal.wrap_async_context_manager(serving(database_url, workers=0)) as world.lab:
            yield world


async def _keys(database_url: str) -> list[str]:
    async with open_keys(parsed(database_url)) as store:
        return [await store.create(organization, projects=[project]) for organization, project in ACTORS]


async def _read_some(world: World) -> None:
    """Give each actor a measurement that is READY, with its cell and specification."""
    for actor, (_, project) in enumerate(ACTORS):
        world.lab.http.headers["x-api-key"] = world.keys[actor]
        input = {"projectId": project, "name": mark(actor), "details": {"text": mark(actor)}}
        made = await world.lab.run("CreateCellSpecification", input=input)
        specification = made["cellSpecification"]["id"]
        input = {"cellSpecificationId": specification, "name": mark(actor)}
        cell = (await world.lab.run("CreateCellInstance", input=input))["cellInstance"]["id"]
        id = await world.lab.ready(projectId=project, cellInstanceId=cell, name=mark(actor), tags=[mark(actor)])
        world.rows |= {specification: Row(actor, SPECIFICATION, is_used=True), cell: Row(actor, CELL, is_used=True)}
        world.rows[id] = Row(actor, MEASUREMENT)
    del world.lab.http.headers["x-api-key"]


def test_no_sequence_leaks(world: World) -> None:
    @settings(max_examples=20, phases=[Phase.generate])
    @given(STEPS)
    def run(steps: list[tuple[int, str, int, int]]) -> None:
        for actor, action, one, other in steps:
            mine = world.of(actor, *KINDS) if other % 3 == 0 else []
            ids = mine or list(world.rows)
            id = ids[one % len(ids)]
            world.crossed += world.rows[id].owner != actor
            ACTIONS[action](world, actor, id, other)
        for actor in range(len(ACTORS)):
            _list(world, actor, MISSING, 0)

    run()
    assert world.crossed > 50
    assert {row.kind for row in world.rows.values() if row.is_there} == set(KINDS)
    _delete_all(world)
    assert {row.kind for row in world.rows.values() if not row.is_there} == set(KINDS)


def _delete_all(world: World) -> None:
    """Have each actor delete what it can; the others keep theirs."""
    for actor in range(len(ACTORS)):
        for number, id in enumerate(id for kind in KINDS for id in world.of(actor, kind)):
            (_remove if number % 2 else _delete)(world, actor, id, 1)
        for each in range(len(ACTORS)):
            _list(world, each, MISSING, 0)


def _create(world: World, actor: int, id: str, number: int) -> None:
    """Create a row; below another one, which may be of another actor."""
    kind, name = KINDS[number % 3], f"{mark(actor)} {len(world.rows)}-{number}"
    if number % 5 and (parents := world.of(actor, SPECIFICATION if kind == CELL else CELL)):
        id = parents[number % len(parents)]
    input: dict[str, Any] = {"name": name, "details": {"text": mark(actor)}, "projectId": ACTORS[actor][1]}
    if kind == CELL:
        del input["projectId"]
        input["cellSpecificationId"] = id
    elif kind == MEASUREMENT:
        del input["details"]
        input |= {"tags": [mark(actor)], "notes": mark(actor), "data": DATA}
        input |= {"cellInstanceId": id} if number % 2 else {}
    one = kind[0].lower() + kind[1:]
    parent = input.get("cellSpecificationId") or input.get("cellInstanceId")
    wanted = SPECIFICATION if kind == CELL else CELL
    answer = f"{one} {{ id }} {ERRORS}"
    query = f"mutation($input: Create{kind}Input!) {{ create{kind}(input: $input) {{ {answer} }} }}"
    data, text = world.ask(actor, query, input=input)
    made = data[f"create{kind}"][one]
    is_allowed = parent is None or (parent in world.of(actor, wanted))
    assert (made is not None) == is_allowed, text
    if made is not None:
        world.rows[made["id"]] = Row(actor, kind)
        if parent is not None:
            world.rows[parent].is_used = True


def _same_as_missing(world: World, actor: int, id: str, text: str, missing: str) -> None:
    """Require that what an actor does not have answers as what does not exist."""
    row = world.rows[id]
    if row.owner != actor or not row.is_there:
        assert text.replace(id, MISSING) == missing


def _read(world: World, actor: int, id: str, number: int) -> None:
    query = READS[number % len(READS)]
    _same_as_missing(world, actor, id, world.ask(actor, query, id=id)[1], world.ask(actor, query, id=MISSING)[1])


def _list(world: World, actor: int, _: str, __: int) -> None:
    for kind, query in LISTS.items():
        data, text = world.ask(actor, query)
        assert data is not None, text
        [page] = data.values()
        mine = world.of(actor, kind)
        assert page["totalCount"] == len(mine)
        assert {each["id"] for each in page["nodes"]} == set(mine[-100:])
    for path in ("/cell_measurements", "/cell_specifications"):
        world.send(actor, "GET", path)


def _kind(world: World, id: str, number: int) -> str:
    """Return the kind that an operation on a row names: that of the row, or now and then another one."""
    return world.rows[id].kind if number % 4 else KINDS[number % 3]


def _update(world: World, actor: int, id: str, number: int) -> None:
    kind = _kind(world, id, number)
    changes = f'name: "{mark(actor)} changed {number}"'
    type = "mutation($id: ID!) {" + f" update{kind}(id: $id, input: {{{changes}}}) {{ {ERRORS} }} }}"
    _same_as_missing(world, actor, id, world.ask(actor, type, id=id)[1], world.ask(actor, type, id=MISSING)[1])


PATHS = {MEASUREMENT: "/cell_measurements", CELL: "/cell_instances", SPECIFICATION: "/cell_specifications"}


def _patch(world: World, actor: int, id: str, number: int) -> None:
    path, body = PATHS[_kind(world, id, number)], {"name": f"{mark(actor)} patched {number}"}
    text, missing = (world.send(actor, "PATCH", f"{path}/{each}", body) for each in (id, MISSING))
    _same_as_missing(world, actor, id, text, missing)


def _delete(world: World, actor: int, id: str, number: int) -> None:
    kind = _kind(world, id, number)
    query = f"mutation($id: ID!) {{ delete{kind}(id: $id) {{ {ERRORS} }} }}"
    data, text = world.ask(actor, query, id=id)
    _same_as_missing(world, actor, id, text, world.ask(actor, query, id=MISSING)[1])
    _deleted(world, actor, id, kind, not data[f"delete{kind}"]["userErrors"])


def _remove(world: World, actor: int, id: str, number: int) -> None:
    """Delete over REST."""
    kind = _kind(world, id, number)
    text, missing = (world.send(actor, "DELETE", f"{PATHS[kind]}/{each}") for each in (id, MISSING))
    _same_as_missing(world, actor, id, text, missing)
    _deleted(world, actor, id, kind, text.startswith("204"))


def _deleted(world: World, actor: int, id: str, kind: str, is_gone: bool) -> None:
    """Require that a row is deleted by its owner only, and that nothing of another actor prevents that."""
    row = world.rows[id]
    if is_gone:
        assert id in world.of(actor, kind)
        row.is_there = False
    elif id in world.of(actor, kind):
        assert row.is_used


def _reference(world: World, actor: int, id: str, number: int) -> None:
    """Create a pipeline that references a measurement, which may be of another actor."""
    config = {"data": f"db:{id}"}
    input = {"projectId": ACTORS[actor][1], "name": f"{mark(actor)} {number}"}
    elements = [{"name": "fit", "elementType": "DATA_FIT", "jobConfig": {"objectives": {"a": config}}}]
    query = (
        f"mutation($input: CreatePipelineInput!) {{ createPipeline(input: $input) {{ pipeline {{ id }} {ERRORS} }} }}"
    )
    data, text = world.ask(actor, query, input=input | {"elements": elements})
    assert data["createPipeline"]["pipeline"] is not None, text
    if id in world.of(actor, MEASUREMENT):
        world.rows[id].is_used = True


def _route(world: World, actor: int, id: str, number: int) -> None:
    path = ROUTES[number % len(ROUTES)]
    text, missing = (world.send(actor, "GET", path.format(each)) for each in (id, MISSING))
    _same_as_missing(world, actor, id, text, missing)


ACTIONS = {
    "create": _create,
    "read": _read,
    "list": _list,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "remove": _remove,
    "reference": _reference,
    "route": _route,
}
