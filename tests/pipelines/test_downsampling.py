"""Downsampling keeps the peaks of all channels."""

from __future__ import annotations

import numpy as np
import pytest

from app.pipelines.results import downsampling

ROWS = 20_000


def channels(count: int, rows: int = ROWS) -> downsampling.Arrays:
    """An axis and noisy channels, each with a peak and a dip of one row at different places."""
    noise = np.random.default_rng(7)
    made: downsampling.Arrays = {"x": np.arange(rows, dtype=float)}
    for i in range(count):
        values = noise.normal(size=rows)
        values[rows // 7 + 31 * i], values[rows // 3 + 17 * i] = 100 + i, -100 - i
        made[f"y{i}"] = values
    return made


def thinned(given: downsampling.Arrays, most: int) -> downsampling.Arrays:
    return downsampling.cut(given, "x", None, None, most)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("most", [18, 100, 1000, 1001])
def test_peaks_and_dips_of_every_channel_survive(count: int, most: int) -> None:
    given = channels(count)
    found = thinned(given, most)
    assert {len(values) for values in found.values()} == {len(found["x"])}
    assert len(found["x"]) <= most
    assert found["x"][[0, -1]].tolist() == [0, ROWS - 1]
    for name in given.keys() - {"x"}:
        assert (found[name].max(), found[name].min()) == (given[name].max(), given[name].min())


@pytest.mark.parametrize("count", [1, 3, 6])
def test_two_rows_a_channel_and_two_more_are_enough(count: int) -> None:
    given = channels(count)
    found = thinned(given, 2 * count + 2)
    assert all(found[name].max() == given[name].max() for name in given)
    assert len(thinned(given, 2 * count + 1)["x"]) == 2 * count + 1


@pytest.mark.parametrize("most", [2, 3, 7])
def test_fewer_are_spread_evenly(most: int) -> None:
    assert thinned(channels(6), most)["x"] == pytest.approx(np.linspace(0, ROWS - 1, most), abs=1)


def test_rows_stay_together_and_in_their_order() -> None:
    given = channels(3)
    found = thinned(given, 500)
    rows: downsampling.Array = found["x"].astype(int)
    assert (np.diff(rows) > 0).all()
    assert all((found[name] == given[name][rows]).all() for name in given)


def test_channels_that_peak_together_share_their_rows() -> None:
    given = channels(1)
    alike = {**given, **{f"z{i}": given["y0"] + i for i in range(5)}}
    assert len(thinned(alike, 1000)["x"]) > 990


def test_what_few_rows_there_are_all_stay() -> None:
    given = channels(2, 1000)
    assert all((thinned(given, 1000)[name] == given[name]).all() for name in given)
    assert len(thinned(given, 999)["x"]) <= 999


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_hardly_anything_is_thinned_to_itself(rows: int) -> None:
    given = {"x": np.arange(rows, dtype=float), "y": np.ones(rows)}
    assert len(thinned(given, 2)["y"]) == rows


def test_gaps_hide_no_peak() -> None:
    given = channels(1)
    peak = int(given["y0"].argmax())
    given["y0"][[peak - 1, peak + 1]] = np.nan
    given["y0"][1000:9000:2] = np.nan
    given["y0"][peak] = 500
    given["y1"] = np.full(ROWS, np.nan)
    found = thinned(given, 100)
    assert np.nanmax(found["y0"]) == 500
    assert np.isnan(found["y1"]).all()


def test_an_axis_may_run_backwards_or_have_gaps() -> None:
    given = channels(2)
    given["x"] = given["x"][::-1].copy()
    given["x"][5] = np.nan
    found = downsampling.cut(given, "x", 1000, 19_998, 100)
    assert found["x"][[0, -1]].tolist() == [19_998, 1000]
    assert found["y1"].max() == given["y1"].max()


def test_written_are_numbers_and_nulls() -> None:
    odd = np.array([0.1, np.nan, np.inf, -0.0, 5e-324])
    assert downsampling.written({'a"b': odd, "c": odd[:0]}) == b'{"a\\"b":[0.1,null,null,-0.0,5e-324],"c":[]}'
