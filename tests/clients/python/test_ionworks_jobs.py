"""Jobs of the official client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.python.official import ended, ionworks, job_of, told
from tests.completed import CHANNELS, CURRENT, DATA, MODEL, TIME

SERIES = [{"objective": "1 C", "channels": CHANNELS}]
FIT = {"steps": 3, "series": SERIES, "result": {"parameter_values": {"D": 2.0}}}


@pytest.fixture
def job(client: Any) -> str:
    """Return the job of a completed fit."""
    id = told(client, FIT, kind="data_fit")
    ended(client, id)
    return job_of(client, id)


def test_one(client: Any, job: str) -> None:
    found = client.job.get(job)
    assert (found.job_id, found.status, found.job_type) == (job, "completed", "data_fit")
    assert (found.is_terminal, found.is_failed, found.error) == (True, False, None)
    assert found.result["parameter_values"] == {"D": 2.0}


def test_the_newest_first(client: Any) -> None:
    ids = [told(client, {}) for _ in range(2)]
    for id in ids:
        ended(client, id)
    found = [each.job_id for each in client.job.list()]
    assert found.index(job_of(client, ids[1])) < found.index(job_of(client, ids[0]))


def test_one_that_failed(client: Any) -> None:
    id = told(client, {"fail": "SOLVER_ERROR", "message": "It did not converge."})
    ended(client, id)
    found = client.job.get(job_of(client, id))
    assert (found.status, found.is_failed, found.error) == ("failed", True, "It did not converge.")


def test_to_cancel_one_cancels_its_pipeline(client: Any) -> None:
    id = told(client, {"seconds": 60})
    canceled = client.job.cancel(job_of(client, id))
    assert (canceled.status, canceled.is_failed) == ("canceled", True)
    assert client.pipeline.get(id).status == "canceled"


def test_none_is_created_by_itself(client: Any) -> None:
    payload = ionworks.job.JobCreationPayload(job_type="data_fit", params={})
    with (
        pytest.warns(DeprecationWarning, match="rejects direct job submissions"),
        pytest.raises(ionworks.IonworksError, match="create a pipeline and start it") as raised,
    ):
        client.job.create(payload)
    assert raised.value.status_code == 410


def test_metadata(client: Any, job: str) -> None:
    found = client.job.get_metadata(job)
    assert found["validation_plot_config"] == {"objectives": {"1 C": {"type": None, "plot_count": 2}}}
    assert [each["cost"] for each in found["intermediate_results"]][-1] == pytest.approx(1 / 3)


def test_the_course_of_a_fit(client: Any, job: str) -> None:
    trace = client.job.get_parameter_trace(job)
    assert trace[-1]["inputs_unscaled"] == {"x": 3}
    assert trace == client.job.get_metadata(job)["intermediate_results"]


def test_a_fit_without_samples(client: Any, job: str) -> None:
    assert client.job.get_posterior_samples(job) == {}
    assert client.job.get_posterior_samples("none") == {}


def test_a_plot(client: Any, job: str) -> None:
    plot = client.job.get_plot_data(job, "1 C", max_points=100, x_min=1, x_max=2)
    assert plot["traces"][1] == {"name": "Model", "x": [1.0, 2.0], "y": CHANNELS[MODEL][1:3]}
    assert (plot["x_full_min"], plot["x_full_max"]) == (0.0, 4.0)
    with pytest.raises(ionworks.IonworksError) as raised:
        client.job.get_plot_data(job, "1 C", 9)
    assert raised.value.status_code == 404


def test_channels(client: Any, job: str) -> None:
    assert client.job.get_series_channels(job) == {"1 C": {"optimal": list(CHANNELS)}}


def test_a_series(client: Any, job: str) -> None:
    assert client.job.get_series(job, "1 C") == CHANNELS
    found = client.job.get_series(job, "1 C", columns=[MODEL], x_column=CURRENT, x_min=5, max_points=100)
    assert found == {CURRENT: [5.0, 5.0, 5.0], MODEL: CHANNELS[MODEL][:3]}


def test_a_channel_that_is_not_there_is_shown(client: Any, job: str) -> None:
    with pytest.raises(ionworks.IonworksError, match=r"The series has no channel 'Heat'") as raised:
        client.job.get_series(job, "1 C", columns=[TIME, DATA, "Heat"])
    assert raised.value.status_code == 422
    with pytest.raises(ionworks.IonworksError, match=r"The series does not exist\."):
        client.job.get_series(job, "2 C")
