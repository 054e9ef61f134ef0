"""Malicious documents: refused quickly, with GraphQL's messages."""

from __future__ import annotations

import time

import pytest

from tests.api import Api
from tests.schema.requests import GRAPHQL, post, refusals, stored, written


def nested(opening: str, closing: str, depth: int, inner: str = "1") -> str:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    "document",
    [
        nested("{ a ", "}", 500, "{ a }"),
        nested("{ ... ", "}", 500, "{ __typename }"),
        "query ($a: " + nested("[", "]", 900, "Int") + ") { __typename }",
        "{ a(b: " + nested("[", "]", 900) + ") }",
        "{ a(b: " + nested("{c: ", "}", 450) + ") }",
        written(nested("{c: ", "}", 450)),
        "query ($a: JSON = " + nested("[", "]", 900) + ") { __typename }",
    ],
    ids=lambda document: document[:20],
)
async def test_a_deep_document_is_not_parsed(shared: Api, document: str) -> None:
    [error] = refusals(await post(shared, {"query": document}, accept=GRAPHQL), 400, "GRAPHQL_PARSE_FAILED")
    assert "nest" in error["message"]
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    "document",
    [
        "{" + "__typename " * 1990 + "}",
        "{" + "pipelines { nodes { id } } " * 285 + "}",
        "{" + " ".join(f"a{i}: __typename" for i in range(650)) + "}",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "{ ...f0 }" + "".join(f" fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(150)),
        "{" + "".join(f"...f{i} " for i in range(150)) + "}" + " fragment f on Query { __typename }" * 150,
        "query (" + " ".join(f"$v{i}: Int" for i in range(390)) + ") { __typename }",
        " ".join(f"query q{i} {{ __typename }}" for i in range(390)),
        "{" + "a" * 90_000 + "}",
        "{ __schema" + "{ types { fields { type " * 12 + "{ name }" + "} } }" * 12 + "}",
    ],
    ids=lambda document: document[:40],
)
async def test_a_hostile_document_is_answered_in_seconds(shared: Api, document: str) -> None:
    start = time.perf_counter()
    answer = await post(shared, {"query": document})
    assert time.perf_counter() - start < 5
    assert answer.status_code < 500
    assert all(error["extensions"]["code"] != "INTERNAL_SERVER_ERROR" for error in answer.json().get("errors", []))


@pytest.mark.parametrize("place", ["pipeline(id: {}) {{ id }}", "pipelines(first: {}) {{ totalCount }}"])
@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "9" * 5000])
async def test_an_integer_beyond_64_bits_is_refused(shared: Api, place: str, number: str) -> None:
    document = "{" + place.format(number) + "}"
    [error] = refusals(await post(shared, {"query": document}, accept=GRAPHQL), 400, "GRAPHQL_VALIDATION_FAILED")
    assert error["message"] == "This integer does not fit in 64 bits."


@pytest.mark.parametrize(
    "value", ["1e400", "-1e999", "9" * 400 + ".5", '"\\u0000"', '"\\u{0}"', "99999999999999999999"]
)
async def test_a_configuration_in_a_document_holds_only_what_can_be_kept(shared: Api, value: str) -> None:
    for document in (
        written(f"{{a: {value}}}"),
        written(f"{{a: [{{b: {value}}}]}}"),
        written("$c", f"($c: JSON! = {{a: {value}}})"),
    ):
        refusals(await post(shared, {"query": document}, accept=GRAPHQL), 400, "GRAPHQL_VALIDATION_FAILED")
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    "escape", ["\\uD800", "\\uDC00", "\\uD83D\\u0041", "\\u{D800}", "\\u{110000}", "\\u{}", "\\x41"]
)
async def test_a_character_that_is_none_is_not_parsed(shared: Api, escape: str) -> None:
    document = written(f'{{a: "{escape}"}}')
    refusals(await post(shared, {"query": document}, accept=GRAPHQL), 400, "GRAPHQL_PARSE_FAILED")
    assert await stored(shared) == 0


@pytest.mark.parametrize("directive", ["@defer", "@stream(initialCount: 0)", "@include", "@skip(if: 1)", "@unknown"])
async def test_a_directive_that_is_not_there_is_refused(shared: Api, directive: str) -> None:
    document = f"{{ pipelines {{ nodes {directive} {{ id }} }} }}"
    refusals(await post(shared, {"query": document}, accept=GRAPHQL), 400, "GRAPHQL_VALIDATION_FAILED")
