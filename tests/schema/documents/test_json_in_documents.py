"""JSON literals in documents are stored like variables, including the variables within them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.schema.requests import post, stored, written


async def kept(api: Api, config: str, definitions: str = "", **variables: Any) -> Any:
    """Return the stored configuration of a literal."""
    payload = (await api.data(written(config, definitions), **variables))["createPipeline"]
    assert payload["userErrors"] == []
    return payload["pipeline"]["elements"][0]["jobConfig"]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("{}", {}),
        ("{a: 1, b: 1.5, c: true, d: null, e: WORD}", {"a": 1, "b": 1.5, "c": True, "d": None, "e": "WORD"}),
        ("{z: [], a: {m: [{}, [1]]}}", {"z": [], "a": {"m": [{}, [1]]}}),
        ("{a: 18446744073709551615, b: -9223372036854775808}", {"a": 2**64 - 1, "b": -(2**63)}),
        ('{a: "\\u{1F600}\\uD83D\\uDE00\\n", b: "é"}', {"a": "\U0001f600\U0001f600\n", "b": "é"}),
        ('{a: """\n  two\n    lines\n"""}', {"a": "two\n  lines"}),
    ],
)
async def test_a_literal_is_kept(shared: Api, literal: str, value: dict[str, Any]) -> None:
    found = await kept(shared, literal)
    assert found == value
    assert list(found) == list(value)


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("JSON", {"x": [1, {"y": None}]}, {"x": [1, {"y": None}]}),
        ("JSON!", "text", "text"),
        ("Int", 7, 7),
        ("Float", 0.1, 0.1),
        ("Boolean", False, False),
        ("String", "s", "s"),
        ("[String!]", ["s", "t"], ["s", "t"]),
        ("ID", 7, "7"),
        ("PipelineStatus", "PENDING", "PENDING"),
        ("[ElementType]", ["DATA_FIT", None], ["DATA_FIT", None]),
        ("DateTime", "2026-11-23T10:00:00+05:00", "2026-11-23T05:00:00.000000Z"),
        ("PipelineFilter", {"statuses": ["FAILED"]}, {"statuses": ["FAILED"]}),
        ("PipelineElementInput", *[{"name": "n", "elementType": "DATA_FIT", "jobConfig": {"a": 1}}] * 2),
    ],
)
async def test_a_variable_in_a_literal_is_kept_as_graphql_spells_it(
    shared: Api, kind: str, sent: Any, value: Any
) -> None:
    assert await kept(shared, "{a: $v, b: [{c: $v}]}", f"($v: {kind})", v=sent) == {"a": value, "b": [{"c": value}]}


async def test_a_variable_that_is_not_given_leaves_its_key_out(shared: Api) -> None:
    assert await kept(shared, "{a: $v, b: [$v], c: {d: $v}, e: 1}", "($v: JSON)") == {"b": [None], "c": {}, "e": 1}


async def test_a_default_takes_the_place_of_what_is_not_given(shared: Api) -> None:
    assert await kept(shared, "{a: $v}", '($v: JSON = {b: [1, "x"]})') == {"a": {"b": [1, "x"]}}
    assert await kept(shared, "{a: $v}", "($v: JSON = {b: 1})", v=None) == {"a": None}


async def test_a_whole_configuration_can_be_a_variable(shared: Api) -> None:
    assert await kept(shared, "$v", "($v: JSON!)", v={"z": 1, "a": {"b": 2}}) == {"z": 1, "a": {"b": 2}}


@pytest.mark.parametrize("config", ["null", "1", '"text"', "[]", "WORD", "true"])
async def test_a_configuration_is_an_object(shared: Api, config: str) -> None:
    before = await stored(shared)
    answer = (await post(shared, {"query": written(config)})).json()
    refused = answer.get("errors") or answer["data"]["createPipeline"]["userErrors"]
    assert len(refused) == 1
    assert await stored(shared) == before


async def test_a_key_is_written_once(shared: Api) -> None:
    answer = (await post(shared, {"query": written("{a: {b: 1, b: 1}}")})).json()
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(("written_levels", "sent_levels"), [(60, 60), (100, 90), (1, 110)])
async def test_a_literal_and_its_variables_nest_200_deep(shared: Api, written_levels: int, sent_levels: int) -> None:
    sent: Any = 1
    for _ in range(sent_levels):
        sent = [sent]
    found = await kept(shared, "{a: " * written_levels + "$v" + "}" * written_levels, "($v: JSON)", v=sent)
    for _ in range(written_levels):
        found = found["a"]
    assert found == sent


@pytest.mark.parametrize(("written_levels", "sent_levels"), [(100, 101), (150, 110), (170, 31)])
async def test_they_nest_no_deeper(shared: Api, written_levels: int, sent_levels: int) -> None:
    before = await stored(shared)
    sent: Any = 1
    for _ in range(sent_levels):
        sent = [sent]
    document = written("{a: " * written_levels + "$v" + "}" * written_levels, "($v: JSON)")
    [error] = (await shared.post(document, v=sent))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "200 levels" in error["message"]
    assert await stored(shared) == before
