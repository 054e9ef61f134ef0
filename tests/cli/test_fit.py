"""Command `python -m app fit FILE`: reads a measurement, keeps the configuration, runs it, and plots the result."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.fitting.configuration import configuration, free_parameter, written
from app.cli.pipelines.client import Refused
from tests.api import ROOT

NAME = "Positive particle diffusivity [m2.s-1]"
FREE = f"{NAME}=1e-15..1e-13"
EXAMPLE = ROOT / "examples" / "discharge.csv"
TRUTH = 6e-15


def test_wide_positive_bounds_are_searched_by_logarithm() -> None:
    assert free_parameter(FREE) == (
        NAME,
        {"initial_value": pytest.approx(1e-14), "bounds": [1e-15, 1e-13], "transform": "Log10"},
    )
    assert free_parameter("Initial SoC=-1..3") == ("Initial SoC", {"initial_value": 1.0, "bounds": [-1.0, 3.0]})


@pytest.mark.parametrize(
    "text", ["D", "D=", "D=1", "D=1..", "D=a..b", "D=2..1", "D=1..1", "D=nan..1", "=1..2", "D=0..inf"]
)
def test_bounds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="--free"):
        free_parameter(text)


def made(*free: str, soc: float | None = None) -> dict[str, Any]:
    data = {"Time [s]": [0.0, 1.0, 2.0]}
    return configuration("a", data, "Chen2020", "SPMe", free, project="p", initial_soc=soc)


def test_the_configuration_is_json_that_a_person_can_change() -> None:
    text = written(made(FREE, soc=80.0))
    assert json.loads(text) == made(FREE, soc=80.0)
    assert '"Time [s]": [0.0, 1.0, 2.0]\n' in text
    assert '"bounds": [1e-15, 1e-13],\n' in text
    assert list(made(FREE, soc=80.0)["elements"]) == ["cell", "start", "fit"]
    assert list(made(FREE)["elements"]) == ["cell", "fit"]


def test_a_parameter_that_is_given_twice_is_refused() -> None:
    with pytest.raises(Refused, match="given twice"):
        made(FREE, FREE)


def fit(folder: Path, *arguments: str) -> tuple[int, str]:
    environment = os.environ | {"COLUMNS": "200", "VOLTGRAPH_DATABASE_URL": f"sqlite:///{folder}/fit.db"}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-W", "error", "-m", "app", "fit", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_a_discharge_of_the_examples_is_fitted_kept_and_plotted(tmp_path: Path) -> None:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    options = [str(EXAMPLE), "--cell", "Chen2020", "--free", FREE, "--plot", "fit.png"]
    code, out = fit(tmp_path, *options)
    assert code == 0, out
    assert "`Current [A]` was reversed" in out
    row = next(line for line in out.split("\n") if NAME in line and "±" in line)
    found, error = (float(each) for each in re.findall(r"(\d\S+e-\d+)", row))
    assert abs(found / TRUTH - 1) < 1e-3
    assert abs(found - TRUTH) < 4 * error
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
    kept = tmp_path / "discharge.fit.json"
    assert kept.read_text() == (ROOT / "examples" / "discharge.fit.json").read_text()
    kept.write_text(kept.read_text().replace("SPMe", "SPM"))
    code, out = fit(tmp_path, *options)
    assert code == 2
    assert "discharge.fit.json exists with another content. Give --overwrite" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "--cell", "Chen2020", "--free", FREE], "none.csv does not exist."),
        (["a.csv", "--cell", "Chen2020", "--free", "x"], "must be a name and bounds"),
        (["a.csv", "--cell", "Chen2020", "--free", FREE, "--plot", "a.txt"], "must name a file that ends in"),
        (["a.csv", "--cell", "Chen2020", "--free", FREE], "a.csv: The text has no table"),
        (["b.csv", "--cell", "Chen2020", "--free", FREE], "b.csv lacks Current [A]; there are Time [s], Voltage [V]"),
    ],
)
def test_what_cannot_be_fitted_is_told(tmp_path: Path, arguments: list[str], message: str) -> None:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    (tmp_path / "a.csv").write_text("no table\n")
    (tmp_path / "b.csv").write_text("Time [s],Voltage [V]\n0,4\n1,3.9\n")
    code, out = fit(tmp_path, *arguments)
    assert code == 2, out
    assert message in out
    assert not (tmp_path / "fit.db").exists()
    assert not list(tmp_path.glob("*.json"))


def test_an_unknown_cell_is_told_with_the_nearest(tmp_path: Path) -> None:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    (tmp_path / "c.csv").write_text("Time [s],Current [A],Voltage [V]\n0,1,4\n1,1,3.9\n2,1,3.8\n")
    code, out = fit(tmp_path, "c.csv", "--cell", "chen2020", "--free", FREE)
    assert code == 1, out
    assert "did you mean `Chen2020`?" in out
