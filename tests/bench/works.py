"""Works of the comparison, as requests to either schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from app.models.enums import ElementType
from tests.bench.load import ask, body

ELEMENT = "id name elementOrder elementType status"
ONE = f"id name status createdAt elements {{ {ELEMENT} }}"
LIST = f"id name description status createdAt updatedAt elements {{ {ELEMENT} jobConfig createdAt }}"
PAGED = f"id name status createdAt elements {{ {ELEMENT} jobConfig }}"
"""Selection whose page of 100 is within the cost limit."""
GIVEN = [{"name": kind.value, "elementType": kind.name, "jobConfig": {"values": {"a": 1}}} for kind in ElementType]


@dataclass(frozen=True, slots=True)
class Work:
    """One request to Voltgraph and to a peer, and the target ratio of its rate and that of the fastest peer."""

    title: str
    ours: bytes
    theirs: bytes
    target: float


WORKS = {
    "one": Work(
        "get one pipeline with its 4 elements",
        body(f"query One($id: ID!) {{ pipeline(id: $id) {{ {ONE} }} }}", id="@ID@"),
        body(f"query One($id: ID!) {{ pipeline(id: $id) {{ {ONE} }} }}", id="@ID@"),
        1.4,
    ),
    "list": Work(
        "list the newest 50 of a project, each with its 4 elements and their configurations",
        body(
            f"query List($p: ID!) {{ pipelines(filter: {{projectId: $p}}, first: 50) {{ nodes {{ {LIST} }} }} }}",
            p="@PROJECT@",
        ),
        body(f"query List($p: ID!) {{ pipelines(projectId: $p, first: 50) {{ {LIST} }} }}", p="@PROJECT@"),
        2.4,
    ),
    "create": Work(
        "create a pipeline with 4 elements",
        body(
            "mutation Create($input: CreatePipelineInput!) "
            "{ createPipeline(input: $input) { pipeline { id status } } }",
            input={"projectId": "created", "name": "x", "elements": GIVEN},
        ),
        body(
            "mutation Create($p: ID!, $n: String!, $e: [PipelineElementInput!]!) "
            "{ createPipeline(projectId: $p, name: $n, elements: $e) { id status } }",
            p="created",
            n="x",
            e=GIVEN,
        ),
        1.8,
    ),
    "update": Work(
        "rename a pipeline",
        body(
            "mutation Rename($id: ID!, $n: String!) "
            "{ updatePipeline(id: $id, input: {name: $n}) { pipeline { id name } } }",
            id="@ID@",
            n="@NAME@",
        ),
        body(
            "mutation Rename($id: ID!, $n: String!) { updatePipeline(id: $id, name: $n) { id name } }",
            id="@ID@",
            n="@NAME@",
        ),
        0.8,
    ),
}


def verify(work: Work, ours: str, theirs: str, pipelines: int) -> tuple[int, int]:
    """Check that both servers answer the same, for several pipelines and projects; return the sizes of their answers in
    bytes."""
    sizes = (0, 0)
    for id, project in ((1, 0), (pipelines // 2, 7), (pipelines, 19)):
        mine, other = ask(ours, work.ours, id, project), ask(theirs, work.theirs, id, project)
        assert _content(mine) == _content(other), (mine, other)
        sizes = (len(mine), len(other))
    return sizes


def _content(answer: bytes) -> Any:
    """Return the content of an answer without its wrappers; ids created by the server are blanked."""
    [(field, value)] = orjson.loads(answer)["data"].items()
    for wrapper in ("nodes", "pipeline"):
        value = value.get(wrapper, value) if isinstance(value, dict) else value
    return value | {"id": len(value["id"])} if field == "createPipeline" else value
