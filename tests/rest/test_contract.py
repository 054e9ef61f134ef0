"""OpenAPI document: it keeps the contract of POST /pipelines, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.main import create_app
from app.settings import Settings
from tests.rest.conformity import FREE, differences

CONTRACT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "contract" / "create_pipeline.openapi.yaml").read_text()
)
OURS = create_app(Settings()).openapi()
POST = CONTRACT["paths"]["/pipelines"]["post"]


def compared(document: dict[str, Any]) -> list[str]:
    return differences(CONTRACT, document, "/pipelines", "post")


def places(node: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield every keyword, property and list item that must not differ."""
    for key, item in node.items() if isinstance(node, dict) else enumerate(node):
        if key not in FREE or at[-1] == "properties":
            yield (*at, key)
            if isinstance(item, dict | list):
                yield from places(item, (*at, key))


def test_it_is_kept() -> None:
    assert compared(OURS) == []


PLACES = [
    *places(POST, ("paths", "/pipelines", "post")),
    *places(CONTRACT["components"]["schemas"], ("components", "schemas")),
]


def test_the_comparison_looks_everywhere() -> None:
    assert compared(CONTRACT) == []
    assert len(PLACES) > 250
    for *parents, last in PLACES:
        changed = deepcopy(CONTRACT)
        node: Any = changed
        for step in parents:
            node = node[step]
        del node[last]
        assert compared(changed), f"nobody misses {parents} {last}"


def schema(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def find(document: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = document["components"]["schemas"][name]
        return found

    return find


Change = Callable[[dict[str, Any]], Any]
WRONG: dict[str, Change] = {
    "another operation id": lambda d: d["paths"]["/pipelines"]["post"].update(operationId="create"),
    "another success": lambda d: d["paths"]["/pipelines"]["post"]["responses"].update(
        {"200": d["paths"]["/pipelines"]["post"]["responses"].pop("201")}
    ),
    "a request may be empty": lambda d: d["paths"]["/pipelines"]["post"]["requestBody"].update(required=False),
    "a request needs more": lambda d: schema("PipelineConfig")(d)["required"].append("name"),
    "a request needs a property of ours": lambda d: (
        schema("PipelineConfig")(d)["properties"].update(key={"type": "string"}),
        schema("PipelineConfig")(d)["required"].append("key"),
    ),
    "a text has an end": lambda d: schema("PipelineConfig")(d)["properties"]["project_id"].update(maxLength=255),
    "unknown properties are refused": lambda d: schema("PipelineConfig")(d).update(additionalProperties=False),
    "elements are typed": lambda d: schema("PipelineConfig")(d)["properties"]["elements"].update(
        additionalProperties={"type": "object"}
    ),
    "a text cannot be null": lambda d: schema("PipelineDetail")(d)["properties"]["error"].update(
        anyOf=[{"type": "string"}]
    ),
    "null comes first": lambda d: schema("PipelineDetail")(d)["properties"]["error"]["anyOf"].reverse(),
    "a property is optional": lambda d: schema("PipelineDetail")(d)["required"].remove("status"),
    "a property is required": lambda d: schema("PipelineDetail")(d)["required"].append("error"),
    "another default": lambda d: schema("PipelineDetail")(d)["properties"]["elements"].update(default=None),
    "another status word": lambda d: schema("PipelineStatus")(d)["enum"].append("queued"),
    "another error code": lambda d: schema("JobErrorCode")(d)["enum"].remove("MODEL_ERROR"),
    "another type": lambda d: schema("PipelineElement")(d)["properties"]["element_order"].update(type="number"),
    "another bound": lambda d: schema("PipelineElement")(d)["properties"]["element_order"].update(exclusiveMinimum=1),
    "a bound of another kind": lambda d: schema("PipelineElement")(d)["properties"]["element_order"].update(
        exclusiveMinimum=False
    ),
    "a time is a text": lambda d: schema("PipelineElement")(d)["properties"]["created_at"].pop("format"),
    "an element without a configuration": lambda d: schema("PipelineElement")(d)["properties"].pop("job_config"),
    "a closed result": lambda d: schema("PipelineElement")(d)["properties"]["result"]["anyOf"][0].update(
        additionalProperties=False
    ),
    "a reference elsewhere": lambda d: schema("PipelineElement")(d)["properties"]["status"].update(
        {"$ref": "#/components/schemas/PipelineStatus"}
    ),
    "a place of texts only": lambda d: schema("ValidationError")(d)["properties"]["loc"]["items"]["anyOf"].pop(),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=list(WRONG))
def test_a_wrong_document_is_found_different(change: Change) -> None:
    wrong = deepcopy(OURS)
    change(wrong)
    assert compared(wrong) != []


ADDED: dict[str, Change] = {
    "a status": lambda d: d["paths"]["/pipelines"]["post"]["responses"].update({"503": {"description": "Busy."}}),
    "an optional header": lambda d: d["paths"]["/pipelines"]["post"]["parameters"].append(
        {"name": "X", "in": "header"}
    ),
    "security": lambda d: d["paths"]["/pipelines"]["post"].update(security=[{"key": []}]),
    "a required property of the answer": lambda d: (
        schema("PipelineDetail")(d)["properties"].update(progress={"type": "number"}),
        schema("PipelineDetail")(d)["required"].append("progress"),
    ),
    "a description": lambda d: schema("PipelineStatus")(d).update(description="Where it is."),
}


@pytest.mark.parametrize("change", ADDED.values(), ids=list(ADDED))
def test_what_may_be_added_is_no_difference(change: Change) -> None:
    more = deepcopy(OURS)
    change(more)
    assert more != OURS
    assert compared(more) == []
