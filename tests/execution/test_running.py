"""Run of a pipeline from start to end, with its progress."""

import asyncio

from app.models.enums import JobErrorCode
from tests.execution.conftest import Runs


def statuses(pipeline: dict) -> list[str]:  # type: ignore[type-arg]
    return [element["status"] for element in pipeline["elements"]]


async def test_elements_run_in_order_and_hand_their_values_on(runs: Runs) -> None:
    pipeline = await runs.end(await runs.start({}, {}, {}))
    assert (pipeline["status"], pipeline["error"], pipeline["errorCode"]) == ("COMPLETED", None, None)
    assert pipeline["progress"] == {"finished": 3, "total": 3, "current": None}
    times = [(element["job"]["startedAt"], element["job"]["finishedAt"]) for element in pipeline["elements"]]
    assert times == sorted(times)
    result = (await runs.http.get(f"/pipelines/{pipeline['id']}/result")).json()
    assert result["result"] == {"parameter_values": {"v0": 0, "v1": 1, "v2": 2}}
    assert list(result["element_results"]) == ["e0", "e1", "e2"]


async def test_no_elements_are_done_at_once(runs: Runs) -> None:
    assert (await runs.end(await runs.start()))["status"] == "COMPLETED"


async def test_starting_again_changes_nothing(runs: Runs) -> None:
    id = await runs.start({"seconds": 0.5})
    payloads = await asyncio.gather(*(runs.run("StartPipeline", id=id) for _ in range(10)))
    assert [payload["pipeline"]["status"] for payload in payloads] == ["RUNNING"] * 10
    pipeline = await runs.end(id)
    assert pipeline["elements"][0]["job"]["attempt"] == 1


async def test_a_terminal_pipeline_stays_terminal(runs: Runs) -> None:
    id = await runs.start({})
    await runs.end(id)
    for operation in ("StartPipeline", "CancelPipeline"):
        [error] = (await runs.run(operation, id=id))["userErrors"]
        assert (error["code"], error["field"]) == ("INVALID_STATE", ["id"])
    assert (await runs.http.post(f"/pipelines/{id}/start")).status_code == 409
    assert (await runs.http.post(f"/pipelines/{id}/cancel")).json()["status"] == "completed"


async def test_a_failure_ends_the_run_with_its_code_and_skips_the_rest(runs: Runs) -> None:
    for code in JobErrorCode:
        fails = {"fail": code.name, "message": "because"}
        pipeline = await runs.end(await runs.start({}, fails, {}))
        assert (pipeline["status"], pipeline["errorCode"], pipeline["error"]) == ("FAILED", code.name, "e1: because")
        assert statuses(pipeline) == ["COMPLETED", "FAILED", "SKIPPED"]
        assert pipeline["elements"][1]["error"] == "because"


async def test_all_elements_are_checked_before_the_first_runs(runs: Runs) -> None:
    id = await runs.start({}, {"refuse": "no"}, {}, {"refuse": "nor this"})
    pipeline = await runs.end(id)
    assert pipeline["errorCode"] == "CONFIGURATION_ERROR"
    assert statuses(pipeline) == ["SKIPPED", "FAILED", "SKIPPED", "FAILED"]
    whole = await runs.run("Pipeline", id=id)
    problems = {"problems": [{"message": "nor this", "path": ["fake", "refuse"]}]}
    assert whole["elements"][3]["errorDetail"] == problems
    assert pipeline["elements"][0]["job"]["attempt"] == 0


async def test_checkpoints_of_a_fit_are_kept_and_of_an_entry_only_when_asked_for(runs: Runs) -> None:
    steps = {"steps": 30, "seconds": 2.5}
    fit, entry, asked, declined = await asyncio.gather(
        runs.start(steps, kind="DATA_FIT"),
        runs.start(steps),
        runs.start(steps, options={"liveProgressUpdates": True}),
        runs.start(steps, kind="DATA_FIT", options={"liveProgressUpdates": False}),
    )
    for id, kept in ((fit, True), (entry, False), (asked, True), (declined, False)):
        pipeline = await runs.end(id)
        progress = pipeline["elements"][0]["job"]["progress"]
        trace = (await runs.run("JobTrace", id=id))["elements"][0]["job"]["trace"]
        if not kept:
            assert (progress, trace) == (None, [])
            continue
        assert progress["iteration"] == 30
        assert progress["parameters"] == {"x": 30}
        assert 3 <= len(trace) <= 5
        assert [point["iteration"] for point in trace] == sorted(point["iteration"] for point in trace)
        assert trace[-1] == progress
        assert (await runs.run("JobTrace", id=id, maxPoints=1))["elements"][0]["job"]["trace"] == [progress]


async def test_a_job_is_a_node(runs: Runs) -> None:
    pipeline = await runs.end(await runs.start({}))
    job = pipeline["elements"][0]["job"]
    node = await runs.data("query ($id: ID!) { node(id: $id) { __typename id ... on Job { attempt } } }", id=job["id"])
    assert node["node"] == {"__typename": "Job", "id": job["id"], "attempt": 1}


async def test_rest_starts_and_answers_the_whole_pipeline(runs: Runs) -> None:
    id = await runs.make({}, {})
    answer = await runs.http.post(f"/pipelines/{id}/start")
    assert answer.status_code == 200
    assert answer.json()["status"] == "running"
    assert [element["job_status"] for element in answer.json()["elements"]] == ["pending", "pending"]
    await runs.end(id)
    done = (await runs.http.get(f"/pipelines/{id}")).json()
    assert (done["status"], done["is_terminal"], done["is_failed"]) == ("completed", True, False)
