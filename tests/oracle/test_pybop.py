"""Fits agree with PyBOP's for the same data, model, starting point and bounds."""

from __future__ import annotations

import json
import os
import subprocess
from math import hypot
from pathlib import Path
from typing import Any

import pytest

from tests.battery import pulses
from tests.battery.work import run

HERE = Path(__file__).parent
PYTHON = Path(os.environ.get("PYBOP_PYTHON", HERE / ".venv" / "bin" / "python"))
SEEDS = [0, 1, 2]

MISSING = "no PyBOP: `make long` installs it"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.parallel,
    pytest.mark.skipif(not PYTHON.exists(), reason=MISSING),
]


@pytest.fixture(scope="module")
def others() -> list[dict[str, Any]]:
    """Results of PyBOP for each seed."""
    task = {
        "set": pulses.SET,
        "parameters": pulses.PARAMETERS,
        "noise": pulses.NOISE,
        "data": [pulses.measured(seed) for seed in SEEDS],
    }
    found = subprocess.run(
        [PYTHON, HERE / "fit.py"],
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"PYBAMM_DISABLE_TELEMETRY": "true"},
    )
    answer = json.loads(found.stdout)
    assert f"pybop=={answer['version']}" in (HERE / "requirements.txt").read_text().splitlines()
    fits: list[dict[str, Any]] = answer["fits"]
    return fits


@pytest.mark.parametrize("seed", SEEDS)
def test_estimates_and_their_errors_are_those_of_pybop(others: list[dict[str, Any]], seed: int) -> None:
    elements = pulses.elements(seed)
    # Both get the true noise, which a fit cannot know, so that their errors are comparable.
    elements["fit"]["cost"] = {"type": "GaussianLogLikelihood", "sigma": {"Voltage [V]": pulses.NOISE}}
    ours, theirs = run(elements)["fit"], others[seed]
    for name, truth in pulses.TRUTHS.items():
        estimate, other = ours["parameter_values"][name], theirs["estimates"][name]
        errors = ours["standard_errors"][name], theirs["standard_errors"][name]
        assert abs(estimate - other) < 0.05 * hypot(*errors)
        assert errors[0] == pytest.approx(errors[1], rel=0.05)
        assert abs(other - truth) < 3 * errors[1]
