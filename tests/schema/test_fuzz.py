"""Random operations, valid and invalid: the answer is never a fault of the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from itertools import count
from typing import Any

import graphql
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema, nodes

from app.models.enums import PipelineStatus
from schema import schema
from tests.api import Api
from tests.schema.requests import post
from tests.sharing import in_process

NAMES = st.sampled_from(["a", "values", "element_type", "__typename", "x1"])
PLAIN = (
    st.integers(-(2**63), 2**64 - 1).map(nodes.Int)
    | st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float)
    | st.text().map(nodes.String)
    | st.sampled_from(["entry", "Data Fit"]).map(nodes.String)
    | st.booleans().map(nodes.Boolean)
    | st.just(nodes.Null)
)


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(NAMES, values, max_size=3).map(
        lambda items: nodes.Object([named(name, value) for name, value in items.items()])
    )


def named(name: str, value: graphql.ValueNode) -> graphql.ObjectFieldNode:
    return graphql.ObjectFieldNode(name=graphql.NameNode(value=name), value=value)


JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3).map(nodes.List) | objects(inner), max_leaves=8)
ENTRIES = objects(JSON).map(
    lambda config: nodes.Object(
        [
            *[each for each in config.fields if each.name.value != "element_type"],
            named("element_type", nodes.String("entry")),
        ]
    )
)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda time: nodes.String(time.isoformat())) | st.text().map(
    nodes.String
)
SIZES = {"first", "last", "maxPoints", "maxLines"}
"""Arguments that hold the number of items of a list."""
OPERATIONS = {
    mode: from_schema(
        schema.as_str(),
        custom_scalars={"JSON": JSON | objects(JSON) | objects(ENTRIES), "DateTime": TIMES},
        print_ast=lambda document: document,
        allow_x00=mode is not Mode.POSITIVE,
        mode=mode,
    )
    for mode in (Mode.POSITIVE, Mode.NEGATIVE)
}


@dataclass
class Target:
    """Server that receives the operations, with statistics of the answers."""

    portal: BlockingPortal
    api: Api
    ids: list[str]
    sent: int = 0
    answered: int = 0
    codes: set[str] = field(default_factory=set)

    def send(self, document: graphql.DocumentNode, choice: int) -> None:
        text = graphql.print_ast(self._aimed(document, choice))
        answer = self.portal.call(post, self.api, {"query": text})
        assert answer.status_code < 500, text
        errors = answer.json().get("errors", [])
        codes = {error["extensions"]["code"] for error in errors}
        assert "INTERNAL_SERVER_ERROR" not in codes, text
        assert all(error["message"] for error in errors)
        self.sent += 1
        self.answered += not errors
        self.codes |= codes

    def _aimed(self, document: graphql.DocumentNode, choice: int) -> graphql.DocumentNode:
        """Return the document with ids of existing or deleted objects, and sizes in range, in most such arguments."""
        pick = count(choice)

        class Aim(graphql.Visitor):
            def enter_argument(_, node: graphql.ArgumentNode, *__: Any) -> Any:
                if node.name.value not in {"id", "ids", *SIZES} or (index := next(pick)) % 4 == 0:
                    return None
                id = nodes.String(self.ids[index % len(self.ids)])
                values = {"id": id, "ids": nodes.List([id])}
                value = values.get(node.name.value, nodes.Int(2 + index % 9))
                return graphql.ArgumentNode(name=node.name, value=value)

        aimed: graphql.DocumentNode = graphql.visit(document, Aim())
        return aimed


async def things(api: Api) -> list[str]:
    """Create pipelines in every status, with their elements; some are pending."""
    ids = []
    for status in [*PipelineStatus, *[PipelineStatus.PENDING] * 10]:
        pipeline = await api.create()
        await api.set_status(pipeline["id"], status)
        ids += [pipeline["id"], pipeline["elements"][0]["id"]]
    return ids


@pytest.fixture
def target(shared_url: str) -> Iterator[Target]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(in_process(shared_url)) as api:
        yield Target(portal, api, portal.call(things, api))


LONG = [pytest.mark.slow, pytest.mark.parallel, pytest.mark.long]


@pytest.mark.parametrize(
    ("mode", "examples", "answered", "codes"),
    [
        pytest.param(Mode.POSITIVE, 120, 46, {"BAD_USER_INPUT"}, id="valid"),
        pytest.param(Mode.POSITIVE, 600, 230, {"BAD_USER_INPUT"}, id="many valid", marks=LONG),
        pytest.param(Mode.NEGATIVE, 100, 0, {"GRAPHQL_VALIDATION_FAILED"}, id="invalid"),
    ],
)
def test_every_operation_is_answered(target: Target, mode: Mode, examples: int, answered: int, codes: set[str]) -> None:
    @settings(max_examples=examples, phases=[Phase.generate])
    @given(OPERATIONS[mode], st.integers(0, 1000))
    def send(document: graphql.DocumentNode, choice: int) -> None:
        target.send(document, choice)

    send()
    assert target.sent >= examples
    assert target.answered >= answered
    assert codes <= target.codes
