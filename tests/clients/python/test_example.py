"""Example script: it fits a model, and plots the model against the data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.clients.python.conftest import STARTS
from tests.clients.python.official import MISSING
from tests.servers import ROOT, serving

pytest.importorskip("matplotlib", reason=MISSING)


@pytest.mark.slow
@pytest.mark.parallel
@pytest.mark.parametrize("starts", ["0", "1"], ids=["a server as it comes", "a server that starts what is created"])
def test_it_finds_the_truth_and_draws_it(sqlite_url: str, tmp_path: Path, starts: str) -> None:
    file = tmp_path / "fit.png"
    with serving(sqlite_url, **STARTS | {"VOLTGRAPH_START_ON_CREATE": starts}) as server:
        ran = subprocess.run(
            [sys.executable, "-W", "error", ROOT / "examples" / "fit_current_driven.py", file],
            env=os.environ | {"IONWORKS_API_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert "exchange-current density [A.m-2]: 3, from 1\n" in ran.stdout
    assert_drawn(file)


def assert_drawn(file: Path) -> None:
    """Check two panels: above, the red line of the model over the rings of the data; below, their difference, without
    red."""
    import matplotlib.image

    image = matplotlib.image.imread(file)[..., :3]
    height, width, _ = image.shape
    assert width > 500
    assert height > 500
    red = (image[..., 0] > 0.7) & (image[..., 1:].max(axis=-1) < 0.4)
    assert red[: height // 2].any(axis=0).sum() > 0.6 * width  # the line crosses most of the panel
    assert not red[height // 2 :].any()
    grey = (np.ptp(image, axis=-1) < 0.02) & (abs(image[..., 0] - 0.7) < 0.1)  # rings, and the grid beside them
    assert grey[: height // 2].sum() > 1.5 * grey[height // 2 :].sum()
