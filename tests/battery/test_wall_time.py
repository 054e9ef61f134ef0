"""Duration of a fit, compared with a script that does the same with PyBaMM and SciPy alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from statistics import median
from typing import Any

import pytest

from app.execution.processes import ALWAYS
from tests.api import ROOT
from tests.battery.bare import FITS

MOST = 1.6
"""Maximum ratio of the durations. The aim is 1.3, which an idle machine meets; a shared one is less exact."""


@pytest.fixture(scope="module", params=FITS)
def timed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return results and durations of both, in a child's environment, where libraries use one thread."""
    command = [sys.executable, "-m", "tests.battery.bare", request.param]
    found = subprocess.run(command, cwd=ROOT, env=os.environ | ALWAYS, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    answer: dict[str, Any] = json.loads(found.stdout)[request.param]
    return answer


@pytest.mark.slow
@pytest.mark.long
def test_both_find_the_same(timed: dict[str, Any]) -> None:
    """The element returns the best point of all evaluations. That can be a point of its differences, 1e-5 away."""
    assert timed["found"]["element"] == pytest.approx(timed["found"]["script"], rel=3e-5)


@pytest.mark.slow
@pytest.mark.long
def test_the_element_takes_little_longer_than_the_script(timed: dict[str, Any]) -> None:
    element, script = (median(timed["spent"][who]) for who in ("element", "script"))
    assert element < MOST * script
