"""Metrics in Prometheus' format."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.models.enums import PipelineStatus
from app.server.observability.metrics import MOST_NAMES, OTHER, Metrics
from tests.api import Api
from tests.sharing import in_process


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
    for _ in range(2):
        await api.set_status((await api.create())["id"], PipelineStatus.RUNNING)
    found = await scraped(api)
    assert (found["voltgraph_running_pipelines"], found["voltgraph_queued_pipelines"]) == (2, 2)
    assert (found["voltgraph_waiting_writes"], found["voltgraph_waiting_reads"]) == (0, 0)
    assert (found["voltgraph_open_sockets"], found["voltgraph_subscriptions"]) == (0, 0)


async def test_rest_is_counted_by_route_and_status(api: Api) -> None:
    for path in ("/pipelines/a", "/pipelines/b", "/pipelines?limit=0", "/nowhere", "/explorer/none", "/pipelines"):
        await api.http.get(path)
    await api.http.post("/pipelines/a/start")
    found = await scraped(api)
    counts = {name.partition(" ")[2]: count for name, count in found.items() if name.startswith("voltgraph_rest")}
    assert counts == {
        "/pipelines/{pipeline_id} 404 GET": 2,
        "/pipelines 422 GET": 1,
        "/pipelines 200 GET": 1,
        "/pipelines/{pipeline_id}/start 404 POST": 1,
        "/explorer/{name} 404 GET": 1,
        "404 other other": 1,
    }


async def test_a_fault_in_rest_is_counted_too(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.pipelines.repository.pipeline", None)  # None, so that a call raises
    async with in_process(sqlite_url) as api:
        assert (await api.http.get("/pipelines/x")).status_code == 500
        assert (await scraped(api))["voltgraph_rest_requests_total /pipelines/{pipeline_id} 500 GET"] == 1


def operations(metrics: Metrics) -> dict[str, float]:
    [requests, *_] = metrics.collect()
    return {sample.labels["operation"]: sample.value for sample in requests.samples}


def test_names_of_operations_have_an_end() -> None:
    metrics = Metrics()
    for number in range(MOST_NAMES * 2):
        metrics.request(f"Name{number}", "OK", 0.1)
    [requests, *_] = metrics.collect()
    counts = {sample.labels["operation"]: sample.value for sample in requests.samples}
    assert len(counts) == MOST_NAMES + 1
    assert counts[OTHER] == MOST_NAMES


def test_reserved_names_keep_their_places() -> None:
    metrics = Metrics()
    metrics.reserve(["Viewer", "T" * 100])
    for number in range(MOST_NAMES * 2):
        metrics.request(f"Name{number}", "OK", 0.1)
    for name in ("Viewer", "T" * 100, "Unknown"):
        metrics.request(name, "OK", 0.1)
    counts = operations(metrics)
    assert (counts["Viewer"], counts["T" * 63 + "…"], counts[OTHER]) == (1, 1, MOST_NAMES + 1)
    assert "Unknown" not in counts


def test_labels_are_short_and_printable() -> None:
    metrics = Metrics()
    for name in ("A" * 64, "B" * 65, "C" * 90_000, "red\x1b[31m"):
        metrics.request(name, "OK", 0.1)
    assert operations(metrics) == {"A" * 64: 1, OTHER: 3}


async def test_names_of_clients_displace_no_operation_that_ships(api: Api) -> None:
    for number in range(MOST_NAMES + 10):
        await api.post(f"query Flood{number} {{ __typename }}")
    await api.post("query " + "B" * 9000 + " { __typename }")
    await api.run("Viewer")
    await api.run("Pipelines")
    found = await scraped(api)
    assert found["voltgraph_requests_total OK other"] == 11
    assert (found["voltgraph_requests_total OK Viewer"], found["voltgraph_requests_total OK Pipelines"]) == (1, 1)
    assert "B" * 65 not in str(found)


async def test_trusted_names_are_reserved(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.graphql").write_text("query Mine { viewer { email } }\nquery Second { __typename }")
    async with in_process(sqlite_url, trusted_documents=str(tmp_path)) as api:
        metrics: Metrics = api.http._transport.app.state.metrics  # type: ignore[attr-defined]
        metrics._left = 0
        await api.send({"query": (tmp_path / "mine.graphql").read_text(), "operationName": "Second"})
        assert (await scraped(api))["voltgraph_requests_total OK Second"] == 1
