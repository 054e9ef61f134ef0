"""Serial mutations: those of one document run in order, and each sees the changes of the earlier ones."""

from __future__ import annotations

from tests.api import Api

ELEMENTS = 'elements: [{{name: "{0}", elementType: DATA_FIT, jobConfig: {{of: "{0}"}}}}]'
ANSWER = "{ pipeline { name elements { name jobConfig } } userErrors { code } }"


def seen(name: str) -> list[dict[str, object]]:
    return [{"name": name, "jobConfig": {"of": name}}]


async def test_each_shows_its_own_elements(api: Api) -> None:
    id = (await api.create())["id"]
    changes = " ".join(f"{n}: updatePipeline(id: $id, input: {{{ELEMENTS.format(n)}}}) {ANSWER}" for n in "abc")
    answer = await api.data(f"mutation ($id: ID!) {{ {changes} }}", id=id)
    assert {n: answer[n]["pipeline"]["elements"] for n in "abc"} == {n: seen(n) for n in "abc"}


async def test_what_was_deleted_is_not_found_by_the_next(api: Api) -> None:
    id = (await api.create())["id"]
    steps = """mutation ($id: ID!) {
      delete: deletePipeline(id: $id) { deletedPipelineId }
      again: deletePipeline(id: $id) { userErrors { code } }
      copy: duplicatePipeline(id: $id) { userErrors { code } }
    }"""
    answer = await api.data(steps, id=id)
    assert answer["delete"] == {"deletedPipelineId": id}
    assert answer["again"] == answer["copy"] == {"userErrors": [{"code": "NOT_FOUND"}]}


async def test_a_failed_one_leaves_the_others(api: Api) -> None:
    create = 'createPipeline(input: {projectId: "p", name: "%s", %s}) { pipeline { name } userErrors { code } }'
    good, bad = "elements: []", 'elements: [{name: "", elementType: DATA_FIT, jobConfig: {}}]'
    steps = f"mutation {{ a: {create % ('a', good)} b: {create % ('b', bad)} c: {create % ('c', good)} }}"
    answer = await api.data(steps)
    assert [answer[n]["pipeline"] for n in "abc"] == [{"name": "a"}, None, {"name": "c"}]
    assert answer["b"]["userErrors"] == [{"code": "INVALID"}]
    names = (await api.data("{ pipelines(orderBy: {field: NAME, direction: ASC}) { nodes { name } } }"))["pipelines"]
    assert names == {"nodes": [{"name": "a"}, {"name": "c"}]}


async def test_a_query_shows_one_pipeline_alike_everywhere(api: Api) -> None:
    id = (await api.create())["id"]
    fields = "{ id name elements { id name jobConfig } }"
    query = f"query ($id: ID!) {{ a: pipeline(id: $id) {fields} b: node(id: $id) {{ ... on Pipeline {fields} }}"
    answer = await api.data(f"{query} c: pipelines {{ nodes {fields} edges {{ node {fields} }} }} }}", id=id)
    assert answer["a"] == answer["b"]
    assert answer["c"] == {"nodes": [answer["a"]], "edges": [{"node": answer["a"]}]}
