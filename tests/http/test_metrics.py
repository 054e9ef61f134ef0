"""What is counted, in the form that Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from app.metrics import MOST_NAMES, OTHER, Metrics
from app.models import PipelineStatus
from tests.api import Api


async def scraped(api: Api) -> dict[str, float]:
    answer = await api.http.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        " ".join([sample.name, *sorted(sample.labels.values())]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_requests_are_counted_by_operation_and_code(api: Api) -> None:
    await api.run("Viewer")
    await api.run("Viewer")
    await api.post("{ nothing }")
    await api.post("query Broken { pipelines(first: 0) { totalCount } }")
    found = await scraped(api)
    assert found["voltgraph_requests_total OK Viewer"] == 2
    assert found["voltgraph_requests_total  GRAPHQL_VALIDATION_FAILED"] == 1
    assert found["voltgraph_requests_total BAD_USER_INPUT Broken"] == 1
    assert found["voltgraph_request_seconds_count"] == 4
    assert found["voltgraph_request_seconds_bucket +Inf"] == 4


async def test_it_is_counted_what_answered(api: Api) -> None:
    before = await scraped(api)
    await api.run("Pipelines")
    await api.run("Pipelines")
    await api.data("{ __schema { queryType { name } } }")
    found = await scraped(api)
    grown = {
        kind: found[name] - before[name] for name in found if "_operations_total" in name for kind in name.split()[1:]
    }
    assert grown == {"plan": 2, "executor": 1, "compiled": 2}


async def test_what_runs_and_waits_is_told(api: Api) -> None:
    await api.set_status((await api.create())["id"], PipelineStatus.RUNNING)
    found = await scraped(api)
    assert (found["voltgraph_running_pipelines"], found["voltgraph_waiting_writes"]) == (1, 0)


def test_names_of_operations_have_an_end() -> None:
    metrics = Metrics()
    for number in range(MOST_NAMES * 2):
        metrics.request(f"Name{number}", "OK", 0.1)
    [requests, *_] = metrics.collect()
    names = [sample.labels["operation"] for sample in requests.samples]
    assert len(names) == MOST_NAMES
    assert OTHER in names
