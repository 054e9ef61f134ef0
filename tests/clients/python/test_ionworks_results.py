"""Results of the official client, and its plots of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ionworks_schema as iws
import pytest

from tests.clients.python.official import ENTRY, ended, job_of, told
from tests.completed import CHANNELS, DATA, MODEL, TIME

FIT = {
    "result": {
        "type": "OptimizationResult",
        "parameter_values": {"D": 2.0},
        "cost": 0.25,
        "initial_guess": {"D": 1.0},
        "x": [2.0],
        "fun": 0.25,
    },
    "steps": 3,
    "series": [
        {"objective": "1 C", "channels": CHANNELS},
        {"objective": "1 C", "source": "BASELINE", "channels": CHANNELS},
    ],
}


@pytest.fixture
def fit(client: Any) -> str:
    """Return a completed fit with checkpoints and series, in the element `e0`."""
    id = told(client, FIT, kind="data_fit", options={"live_progress_updates": True})
    assert ended(client, id).status == "completed"
    return id


def test_values_of_all_elements(client: Any) -> None:
    made = client.pipeline.create({"elements": {"one": ENTRY, "two": {"element_type": "entry", "values": {"b": "x"}}}})
    ended(client, made.id)
    result = client.pipeline.result(made.id)
    assert result.result == {"parameter_values": {"a": 1, "b": "x"}}
    assert result.element_results["two"]["parameter_values"] == {"b": "x"}


def test_of_what_has_not_ended(client: Any) -> None:
    id = told(client, {"seconds": 60})
    result = client.pipeline.result(id)
    assert (result.result, result.element_results, result.results) == ({"parameter_values": {}}, {}, {})
    client.pipeline.cancel(id)


def test_an_element_is_typed(client: Any, fit: str) -> None:
    result = client.pipeline.result(fit).element("e0")
    assert isinstance(result, iws.OptimizationResult)
    assert (result["D"], result.cost, result.initial_guess) == (2.0, 0.25, {"D": 1.0})
    with pytest.raises(ValueError, match="No element named 'e9'"):
        client.pipeline.result(fit).element("e9")


def test_all_elements_are_typed(client: Any) -> None:
    id = told(client, {}, FIT)
    ended(client, id)
    kinds = {name: type(each).__name__ for name, each in client.pipeline.result(id).results.items()}
    assert kinds == {"e0": "PassthroughResult", "e1": "OptimizationResult"}


def test_the_overlay(client: Any, fit: str) -> None:
    overlay = client.pipeline.result(fit).element("e0").overlay
    curve, error = overlay["1 C"]["plots"]
    assert [trace["name"] for trace in curve["traces"]] == ["Data", "Model"]
    assert curve["traces"][1]["y"] == CHANNELS[MODEL]
    assert error["traces"][0]["name"] == "Error"


def test_the_trace(client: Any, fit: str) -> None:
    trace = client.pipeline.result(fit).element("e0").trace
    assert trace[-1]["best_cost"] == pytest.approx(1 / 3)
    assert trace[-1]["inputs_unscaled"] == {"x": 3}


def test_the_series(client: Any, fit: str) -> None:
    series = client.pipeline.result(fit).element("e0").series
    assert series == {"1 C": {"optimal": CHANNELS, "baseline": CHANNELS}}


def test_a_fit_without_samples_has_no_posterior(client: Any, fit: str) -> None:
    assert client.pipeline.result(fit).element("e0").posterior == {}


def test_metadata_of_a_named_element(client: Any, fit: str) -> None:
    found = client.pipeline.get_element_metadata(fit, "e0")
    assert found["validation_plot_config"]["objectives"]["1 C"]["plot_count"] == 2
    assert found == client.job.get_metadata(job_of(client, fit))


def test_series_of_a_named_element(client: Any, fit: str) -> None:
    assert client.pipeline.get_element_series_channels(fit, "e0")["1 C"]["baseline"] == list(CHANNELS)
    window = {"columns": [DATA], "x_min": 1, "x_max": 3}
    assert client.pipeline.get_element_series(fit, "e0", "1 C", **window) == {
        TIME: [1.0, 2.0, 3.0],
        DATA: CHANNELS[DATA][1:4],
    }


def test_what_it_draws(client: Any, fit: str, tmp_path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    result = client.pipeline.result(fit).element("e0")
    figure, axes = result.plot_fit_results()["1 C"]
    curves = {line.get_label(): list(line.get_ydata()) for line in axes[0].lines}
    assert curves["Model"] == CHANNELS[MODEL]
    assert axes[0].get_ylabel() == "Voltage [V]"
    course, _ = result.plot_trace()
    for drawn in (figure, course):
        drawn.savefig(tmp_path / "drawn.png")
        assert (tmp_path / "drawn.png").stat().st_size > 5_000
        plt.close(drawn)
