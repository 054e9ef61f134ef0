"""Plans serve all callers, each with its own rows."""

from __future__ import annotations

import orjson

from app.auth.caller import LOCAL, Caller
from schema.answers.answer import encoded
from tests.schema.plans.data import OTHERS, PIPELINES, id_of
from tests.schema.plans.pair import Pair

QUERY = """query ($id: ID!) {
  pipeline(id: $id) { organizationId elements { organizationId } }
  node(id: $id) { id }
  pipelines(first: 100) { totalCount nodes { organizationId elements { organizationId } } }
  pipelineCounts { count }
  viewer { organizationId }
}"""


async def test_one_plan_serves_two_organizations_with_their_own(pair: Pair) -> None:
    operation = await pair.operation(QUERY, {"id": id_of(1, 6)})
    compiled = pair.plans.tally.compiled
    answers = [
        orjson.loads(encoded(await pair.plans.data(operation.document, None, operation.variables, caller) or {}))
        for caller in (LOCAL, Caller(OTHERS), LOCAL)
    ]
    assert pair.plans.tally.compiled == compiled + 1
    ours, theirs, again = answers
    assert ours == again
    assert ours["pipeline"] is ours["node"] is None
    assert theirs["pipeline"]["organizationId"] == OTHERS
    assert [element["organizationId"] for element in theirs["pipeline"]["elements"]] == [OTHERS]
    assert theirs["node"] == {"id": id_of(1, 6)}
    for answer, organization, owned in ((ours, LOCAL.organization_id, PIPELINES - 2), (theirs, OTHERS, 2)):
        assert answer["viewer"] == {"organizationId": organization}
        assert answer["pipelines"]["totalCount"] == len(answer["pipelines"]["nodes"]) == owned
        assert sum(each["count"] for each in answer["pipelineCounts"]) == owned
        assert {node["organizationId"] for node in answer["pipelines"]["nodes"]} == {organization}
