"""References `db:ID`: resolved at the start of a run, pinned in the result, and kept from deletion."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from app.auth.caller import Caller
from app.errors import Rejected
from app.pipelines import service
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_create
from app.pipelines.lifecycle import QueueLimits
from app.pipelines.rerun.command import parse_rerun
from app.pipelines.rerun.service import rerun
from tests.measurements.conftest import CSV, Lab

RUN = """query($id: ID!) { pipeline(id: $id) { status isTerminal error
  elements { name status error errorCode errorDetail result } } }"""
START = "mutation($id: ID!) { startPipeline(id: $id) { userErrors { code } } }"
UPDATE = """mutation($id: ID!, $input: UpdatePipelineInput!) {
  updatePipeline(id: $id, input: $input) { userErrors { code } } }"""
DELETE = "mutation($id: ID!) { deleteMeasurement(id: $id) { deletedMeasurementId userErrors { code message field } } }"
USED = "query($id: ID!) { measurement(id: $id) { usedBy(first: 5) { totalCount nodes { id } } } }"


def _config(*ids: str) -> dict[str, Any]:
    objectives = {f"o{n}": {"data": {"data": f"db:{id}", "options": {}}} for n, id in enumerate(ids)}
    return {"fake": {"measurements": True}, "objectives": objectives}


async def _pipeline(lab: Lab, *configs: dict[str, Any]) -> str:
    elements = [{"name": f"e{n}", "elementType": "DATA_FIT", "jobConfig": config} for n, config in enumerate(configs)]
    id: str = (await lab.create(elements=elements))["id"]
    return id


async def _run(lab: Lab, id: str) -> dict[str, Any]:
    assert (await lab.data(START, id=id))["startPipeline"]["userErrors"] == []
    async with asyncio.timeout(30):
        while True:
            run: dict[str, Any] = (await lab.data(RUN, id=id))["pipeline"]
            if run["isTerminal"]:
                return run
            await asyncio.sleep(0.05)


async def test_a_run_gets_its_data_and_says_which(lab: Lab) -> None:
    first, second = await lab.ready(), await lab.ready(CSV + b"3,3.9\n", name="second")
    id = await _pipeline(lab, _config(first), _config(first, second), {"fake": {}})
    run = await _run(lab, id)
    assert run["status"] == "COMPLETED", run
    pin = {"id": first, "sha256": hashlib.sha256(CSV).hexdigest(), "rows": 3}
    results = [each["result"] for each in run["elements"]]
    assert results[0]["effective_config"] == {"measurements": {first: pin}}
    assert results[0]["sizes"] == {first: len(CSV), second: len(CSV) + 6}
    assert results[1]["effective_config"]["measurements"].keys() == {first, second}
    assert "effective_config" not in results[2]


async def test_a_reference_that_does_not_resolve_fails_with_its_place(lab: Lab) -> None:
    waiting = (await lab.new(name="waiting"))["measurement"]["id"]
    broken = await lab.upload(b"\xff", name="broken")
    assert (await lab.complete(broken))["status"] == "FAILED"
    run = await _run(lab, await _pipeline(lab, _config(waiting), {"fake": {}}, _config("no-such", broken)))
    assert run["status"] == "FAILED"
    codes = [(each["status"], each["errorCode"]) for each in run["elements"]]
    assert codes == [("FAILED", "CONFIGURATION_ERROR"), ("SKIPPED", None), ("FAILED", "CONFIGURATION_ERROR")]
    told = [problem for each in (0, 2) for problem in run["elements"][each]["errorDetail"]["problems"]]
    assert told == [
        {
            "message": f"The measurement {waiting} is UPLOADING: start the pipeline once it is READY.",
            "path": ["objectives", "o0", "data", "data"],
        },
        {"message": "The measurement no-such does not exist.", "path": ["objectives", "o0", "data", "data"]},
        {
            "message": f"The measurement {broken} is FAILED: upload its file again.",
            "path": ["objectives", "o1", "data", "data"],
        },
    ]


async def test_a_measurement_in_use_cannot_be_deleted(still: Lab) -> None:
    id = await still.upload()
    user = await _pipeline(still, _config(id))
    refused = (await still.data(DELETE, id=id))["deleteMeasurement"]["userErrors"]
    assert [(each["code"], each["field"]) for each in refused] == [("INVALID_STATE", ["id"])]
    assert user in refused[0]["message"]
    copy = await still.data("mutation($id: ID!) { duplicatePipeline(id: $id) { pipeline { id } } }", id=user)
    second = copy["duplicatePipeline"]["pipeline"]["id"]
    assert (await still.data(USED, id=id))["measurement"]["usedBy"] == {
        "totalCount": 2,
        "nodes": [{"id": second}, {"id": user}],
    }
    elements = [{"name": "e", "elementType": "DATA_FIT", "jobConfig": {}}]
    assert (await still.data(UPDATE, id=second, input={"elements": elements}))["updatePipeline"]["userErrors"] == []
    assert (await still.data(USED, id=id))["measurement"]["usedBy"]["totalCount"] == 1
    await still.data("mutation($id: ID!) { cancelPipeline(id: $id) { userErrors { code } } }", id=user)
    assert (await still.data(DELETE, id=id))["deleteMeasurement"] == {"deletedMeasurementId": id, "userErrors": []}


async def test_a_pipeline_reads_only_what_its_author_may_see(lab: Lab) -> None:
    """A key of one project cannot reach data of another one, even if a key of all projects starts the pipeline."""
    id = await lab.ready()
    assert lab._database is not None
    narrow = Caller("local", projects=frozenset({"elsewhere"}))
    elements = SubmittedElements(by_name={"fit": {"element_type": "data_fit", **_config(id)}})
    made = await service.create(lab._database, narrow, parse_create(project_id="elsewhere", elements=elements))
    run = await _run(lab, made.id)
    assert run["elements"][0]["error"] == f"objectives.o0.data.data: The measurement {id} does not exist."
    assert (await lab.data(USED, id=id))["measurement"]["usedBy"]["totalCount"] == 0
    assert (await lab.data(DELETE, id=id))["deleteMeasurement"]["userErrors"] == []


async def test_idempotent_creates_with_references(still: Lab) -> None:
    id = await still.upload()
    elements = [{"name": "e", "elementType": "DATA_FIT", "jobConfig": _config(id)}]
    first = await still.create(elements=elements, idempotencyKey="k")
    assert (await still.create(elements=elements, idempotencyKey="k"))["id"] == first["id"]
    assert (await still.data(USED, id=id))["measurement"]["usedBy"]["totalCount"] == 1


RERUN = """mutation($id: ID!, $input: RerunPipelineInput) { rerunPipeline(id: $id, input: $input) {
  pipeline { id } userErrors { code message field } } }"""


async def test_a_reused_element_needs_its_measurement_no_more(lab: Lab) -> None:
    first, second = await lab.ready(), await lab.ready(CSV + b"3,3.9\n", name="second")
    failing = {"fake": {"fail": "MODEL_ERROR"}, "data": f"db:{second}"}
    id = await _pipeline(lab, _config(first), failing)
    assert (await _run(lab, id))["status"] == "FAILED"
    assert (await lab.data(DELETE, id=first))["deleteMeasurement"]["userErrors"] == []
    mended = {"start": False, "elements": [{"name": "e1", "jobConfig": _config(second)}]}
    made = (await lab.data(RERUN, id=id, input=mended))["rerunPipeline"]
    assert made["userErrors"] == []
    assert (await lab.data(USED, id=second))["measurement"]["usedBy"]["totalCount"] == 2
    run = await _run(lab, made["pipeline"]["id"])
    assert run["status"] == "COMPLETED", run
    results = [each["result"] for each in run["elements"]]
    assert results[0]["effective_config"]["measurements"].keys() == {first}
    assert results[1]["sizes"] == {second: len(CSV) + 6}


async def test_an_element_that_runs_again_needs_its_measurement(lab: Lab) -> None:
    measurement = await lab.ready()
    id = await _pipeline(lab, _config(measurement), {"fake": {}})
    assert (await _run(lab, id))["status"] == "COMPLETED"
    assert (await lab.data(DELETE, id=measurement))["deleteMeasurement"]["userErrors"] == []
    made = (await lab.data(RERUN, id=id, input={"from": "e0"}))["rerunPipeline"]
    message = f"'e0' cannot run again, objectives.o0.data.data: The measurement {measurement} does not exist."
    assert made["userErrors"] == [{"code": "INVALID_STATE", "message": message, "field": ["id"]}]
    changed = {"elements": [{"name": "e1", "jobConfig": {"data": [f"db:{measurement}"]}}]}
    [error] = (await lab.data(RERUN, id=id, input=changed))["rerunPipeline"]["userErrors"]
    assert (error["code"], error["field"][-3:]) == ("INVALID", ["jobConfig", "data", "0"])
    assert (await lab.data("{ pipelines { totalCount } }"))["pipelines"]["totalCount"] == 1


async def test_a_rerun_reads_only_what_its_caller_may_see(lab: Lab) -> None:
    """A key of one project cannot read data of another through a pipeline that a key of all projects made."""
    measurement = await lab.ready(projectId="elsewhere")
    assert lab._database is not None
    id = await _pipeline(lab, _config(measurement))
    assert (await _run(lab, id))["status"] == "COMPLETED"
    narrow = Caller("local", projects=frozenset({"project"}))
    command = parse_rerun(first="e0", name=None, changes=[])
    with pytest.raises(Rejected, match="does not exist"):
        await rerun(lab._database, QueueLimits(10), narrow, id, command, lambda size: None)
