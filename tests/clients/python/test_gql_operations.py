"""Operations of gql over each of its transports."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from graphql import GraphQLError, print_ast

from tests.api import ROOT, operation
from tests.clients.python.graphql_client import (
    HTTP,
    SOCKETS,
    TRANSPORTS,
    DSLQuery,
    DSLSchema,
    ask,
    client,
    dsl_gql,
    gql,
    request,
)
from tests.servers import Server

WHO = "{ viewer { organizationId email } }"
Locked = tuple[Server, dict[str, str]]


def one(**fields: Any) -> dict[str, Any]:
    element = {"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a": [1.5, None, "é"]}}}
    return {"input": {"projectId": str(uuid4()), "name": "by gql", "elements": [element], **fields}}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_mutation_and_a_query(fake: Server, transport: str) -> None:
    asker = client(transport, fake.url)
    payload = (await ask(asker, operation("CreatePipeline"), **one()))["createPipeline"]
    assert payload["userErrors"] == []
    found = (await ask(asker, operation("Pipeline"), id=payload["pipeline"]["id"]))["pipeline"]
    assert found["name"] == "by gql"
    assert found["elements"][0]["jobConfig"] == {"values": {"a": [1.5, None, "é"]}}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_the_caller_can_fix_is_data(fake: Server, transport: str) -> None:
    wrong = one(elements=[{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": 7}])
    payload = (await ask(client(transport, fake.url), operation("CreatePipeline"), **wrong))["createPipeline"]
    assert payload["pipeline"] is None
    [error] = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "elements", "0", "jobConfig"])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_wrong_request_is_raised_with_its_code(fake: Server, transport: str) -> None:
    with pytest.raises(gql.transport.exceptions.TransportQueryError, match="pipelinez") as raised:
        await ask(client(transport, fake.url), "{ pipelinez { totalCount } }")
    assert raised.value.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    with pytest.raises(gql.transport.exceptions.TransportQueryError) as raised:
        await ask(client(transport, fake.url), "{ pipelines(first: 1000) { totalCount } }")
    assert raised.value.errors[0]["path"] == ["pipelines"]
    assert raised.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_schema_is_fetched_and_checks_documents(fake: Server, transport: str) -> None:
    asker = client(transport, fake.url, fetch_schema_from_transport=True)
    assert (await ask(asker, WHO))["viewer"]["organizationId"] == "local"
    assert asker.schema.get_type("Pipeline").description
    for file in (ROOT / "queries").glob("*.graphql"):
        asker.validate(gql.gql(file.read_text()))
    with pytest.raises(GraphQLError, match="Cannot query field 'pipelinez'"):
        await ask(asker, "{ pipelinez { totalCount } }")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_query_is_built_from_the_schema(fake: Server, transport: str) -> None:
    asker = client(transport, fake.url, fetch_schema_from_transport=True)
    await ask(asker, WHO)
    schema = DSLSchema(asker.schema)
    query = schema.Query.pipelines(first=1).select(schema.PipelineConnection.totalCount)
    found = await ask(asker, print_ast(dsl_gql(DSLQuery(query)).document))
    assert found["pipelines"]["totalCount"] >= 0


@pytest.mark.parametrize("transport", HTTP)
async def test_several_operations_in_one_body_are_refused(fake: Server, transport: str) -> None:
    asker = client(transport, fake.url)
    send = asyncio.to_thread(asker.execute_batch, [request(WHO)] * 2)
    if transport not in ("requests", "httpx"):
        send.close()
        send = asker.execute_batch_async([request(WHO)] * 2)
    with pytest.raises(gql.transport.exceptions.TransportServerError, match="400"):
        await send


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_key_says_who_asks(locked: Locked, transport: str) -> None:
    server, keys = locked
    for headers in ({"X-API-Key": keys["ours"]}, {"Authorization": f"Bearer {keys['ours']}"}):
        who = (await ask(client(transport, server.url, headers=headers), WHO))["viewer"]
        assert who == {"organizationId": "ours", "email": "ada@lab.example"}


@pytest.mark.parametrize("transport", HTTP)
async def test_a_wrong_key_is_refused(locked: Locked, transport: str) -> None:
    with pytest.raises(gql.transport.exceptions.TransportQueryError, match="Send a valid API key") as raised:
        await ask(client(transport, locked[0].url, headers={"X-API-Key": "vg_wrong"}), WHO)
    assert raised.value.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("transport", SOCKETS)
async def test_a_wrong_key_closes_a_socket(locked: Locked, transport: str) -> None:
    with pytest.raises(gql.transport.exceptions.TransportError, match=r"(?i)closed") as raised:
        await ask(client(transport, locked[0].url, headers={"X-API-Key": "vg_wrong"}), WHO)
    if transport == "websockets":  # gql's transport by aiohttp does not expose the reason
        assert "(code=4403, reason='Send a valid API key" in repr(raised.value.__cause__)
