"""Limits of answers: an answer beyond a limit is refused as a whole, and so is the work for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from app.settings import Settings
from schema.documents.cost import OperationCost
from schema.documents.documents import MAX_ERRORS
from tests import completed
from tests.api import ROOT, Api
from tests.auth.conftest import Locked, locked
from tests.schema.requests import GRAPHQL, post, refusals
from tests.sharing import in_process

__all__ = ["locked"]
BOUND = 4_000
LONG = {"a": "x" * BOUND}


def element(name: str, config: Any) -> dict[str, Any]:
    return {"name": name, "elementType": "DIRECT_ENTRY", "jobConfig": config}


@pytest.mark.parametrize("plans", [True, False])
@pytest.mark.parametrize("fields", ["jobConfig", "a: jobConfig b: jobConfig name job { progress { cost } }"])
async def test_an_answer_that_is_too_long_is_refused_whole(database_url: str, plans: bool, fields: str) -> None:
    async with in_process(database_url, max_answer_bytes=BOUND, plans=plans) as api:
        id = (await api.create(elements=[element("known", LONG)]))["id"]
        query = f"query ($id: ID!) {{ pipeline(id: $id) {{ elements {{ {fields} }} }} }}"
        [error] = refusals(
            await post(api, {"query": query, "variables": {"id": id}}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE"
        )
        assert "4,000 bytes" in error["message"]
        answer = await post(
            api, {"query": f"{{ pipelines {{ nodes {{ elements {{ {fields} }} }} }} }}"}, accept=GRAPHQL
        )
        refusals(answer, 400, "ANSWER_TOO_LARGE")
        assert (await api.data("query ($id: ID!) { pipeline(id: $id) { id } }", id=id))["pipeline"] == {"id": id}


async def test_rest_has_the_same_bound(database_url: str) -> None:
    async with in_process(database_url, max_answer_bytes=BOUND) as api:
        pipeline = await api.create(elements=[element("known", LONG)])
        for path in (f"{pipeline['id']}/elements", f"elements/{pipeline['elements'][0]['id']}"):
            answer = await api.http.get(f"/pipelines/{path}")
            assert (answer.status_code, answer.json()["error_code"]) == (400, "ANSWER_TOO_LARGE")
        assert (await api.http.get(f"/pipelines/{pipeline['id']}")).status_code == 200


@pytest.mark.parametrize("plans", [True, False])
async def test_a_long_text_is_read_as_rows(database_url: str, plans: bool) -> None:
    async with in_process(database_url, plans=plans, max_body_bytes=2**24) as api:
        config = {"a": "x" * 3 * 2**20}
        id = (await api.create(elements=[element("a", config), element("b", config)]))["id"]
        query = "query ($id: ID!) { pipeline(id: $id) { elements { name jobConfig } } }"
        found = (await api.data(query, id=id))["pipeline"]["elements"]
        assert found == [{"name": name, "jobConfig": config} for name in "ab"]


async def test_one_error_for_one_wrong_argument(database_url: str) -> None:
    async with in_process(database_url) as api:
        id = (await api.create(elements=[element(f"e{n}", {}) for n in range(250)]))["id"]
        fields = " ".join(f'a{n}: series(objective: "o", maxPoints: 1)' for n in range(3))
        fields += " job { trace(maxPoints: 0) { at } }"
        query = f"query ($id: ID!) {{ pipeline(id: $id) {{ elements {{ {fields} }} }} }}"
        answer = await post(api, {"query": query, "variables": {"id": id}}, accept=GRAPHQL)
        assert len(refusals(answer, 400, "BAD_USER_INPUT")) == 4
        skipped = query.replace("maxPoints: 0)", "maxPoints: 0) @skip(if: true)").replace("Points: 1)", "Points: 2)")
        assert "errors" not in (await post(api, {"query": skipped, "variables": {"id": id}})).json()


async def test_series_of_all_elements_take_as_many_statements_as_those_of_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    database = completed.database(api)
    kept = type(database).read

    def noting(self: Any) -> Any:
        reads.append(1)
        return kept(self)

    monkeypatch.setattr(type(database), "read", noting)
    counts = []
    for size in (1, 20):
        id = (await api.create(elements=[element(f"e{n}", {}) for n in range(size)]))["id"]
        fields = 'a: series(objective: "x", maxPoints: 9) b: series(objective: "y", maxPoints: 9)'
        reads.clear()
        await api.data(f"query ($id: ID!) {{ pipeline(id: $id) {{ elements {{ {fields} }} }} }}", id=id)
        counts.append(len(reads))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("query", ["{}", "{ viewer {} }", "{ pipelines { nodes {} } }"])
async def test_an_empty_selection_is_refused(api: Api, query: str) -> None:
    refusals(await post(api, {"query": query}, accept=GRAPHQL), 400, "GRAPHQL_PARSE_FAILED")


@pytest.mark.parametrize(("settings", "suggests"), [({}, False), ({"suggestions": True}, True)])
async def test_suggestions_go_with_introspection(database_url: str, settings: Any, suggests: bool) -> None:
    async with in_process(database_url, introspection=False, **settings) as api:
        answer = (await post(api, {"query": "{ pipelinez { totalCount } }"})).json()
        assert ("Did you mean" in answer["errors"][0]["message"]) is suggests
        query = "query ($o: PipelineOrder!) { pipelines(orderBy: $o) { totalCount } }"
        answer = (await post(api, {"query": query, "variables": {"o": {"field": "NAMES"}}})).json()
        assert ("Did you mean" in answer["errors"][0]["message"]) is suggests


@pytest.mark.parametrize(
    ("field", "cost"),
    [
        ("job { trace(maxPoints: 50) { at cost } }", 22),
        ("job { trace { at cost } }", 112),
        ("job { trace(maxPoints: $n) { at cost } }", 1_012),
        ('series(objective: "o", maxPoints: 1000)', 207),
        ('series(objective: "o")', 1_107),
        ("id", 12),
        ("job { progress { at } }", 92),
    ],
)
async def test_a_field_costs_by_what_it_reads(database_url: str, field: str, cost: int) -> None:
    definition = "query ($n: Int! = 5000)" if "$n" in field else "query"
    async with in_process(database_url, max_cost=cost - 1) as api:
        query = f'{definition} {{ pipeline(id: "x") {{ elements {{ {field} }} }} }}'
        answer = await post(api, {"query": query}, accept=GRAPHQL)
        [error] = refusals(answer, 400, "TOO_COMPLEX")
        assert f"costs {cost:,};" in error["message"]


@pytest.mark.parametrize("file", sorted((ROOT / "queries").glob("*.graphql")), ids=lambda file: file.stem)
def test_what_ships_costs_far_less_than_the_most(file: Path) -> None:
    tree = parse(file.read_text())
    [node] = [each for each in tree.definitions if isinstance(each, OperationDefinitionNode)]
    assert OperationCost(tree, node).of({}) <= Settings.model_fields["max_cost"].default / 10


async def test_documents_that_are_wrong_are_paid_for(locked: Locked) -> None:
    rates = locked.app.state.services.rate_limiter
    api = await locked.api()
    await api.post("{ viewer { organizationId } }")
    [(_, (before, _))] = rates._buckets.items()
    wrong = "{ " + "viewer { nothing } " * 20 + "}"
    assert len((await api.post(wrong))["errors"]) <= MAX_ERRORS + 1
    [(key, (after, at))] = rates._buckets.items()
    assert after < before - 1
    rates._buckets[key] = -1.0, at + 60
    refused = await api.http.post("/graphql", json={"query": "{ viewer { nothingElse } }"})
    assert refused.status_code == 429
