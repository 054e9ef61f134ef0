"""Coverage of standard errors: over repeated noise, the intervals contain the truth as often as they state."""

from __future__ import annotations

import numpy as np
import pytest

from tests.battery import pulses
from tests.battery.family import Problem, problems
from tests.battery.work import run


def deviations(seed: int) -> dict[str, float]:
    """Return the deviation of each estimate from the truth, in standard errors."""
    result = run(pulses.elements(seed))["fit"]
    return {
        name: (result["parameter_values"][name] - truth) / result["standard_errors"][name]
        for name, truth in pulses.TRUTHS.items()
    }


def test_estimates_of_a_few_noises_are_within_what_is_stated() -> None:
    found = [deviation for seed in range(5) for deviation in deviations(seed).values()]
    # The sum of squares of ten is chi-squared; these are its quantiles at 0.5% and 99.5%.
    assert 2.16 < sum(each**2 for each in found) < 25.19


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parallel
def test_68_percent_intervals_hold_the_truth_as_often_as_that() -> None:
    found = [deviations(seed) for seed in range(30)]
    for name in pulses.TRUTHS:
        assert 14 <= sum(abs(each[name]) <= 1 for each in found) <= 27


def within(problem: Problem, seed: int) -> tuple[dict[str, bool], dict[str, float]]:
    """Fit data with another noise; return whether each 95% interval contains the truth, and the estimates."""
    problem.seed = seed
    vars(problem).pop("data", None)
    found = run(problem.elements({"type": "ScipyLeastSquares"}, "good", bounded=True))["fit"]
    truths = problem.reported({name: each.truth for name, each in problem.starts.items()})
    intervals = found["confidence_intervals"]
    held = {name: intervals[name]["lower"] <= truth <= intervals[name]["upper"] for name, truth in truths.items()}
    return held, found["standard_errors"] | {f"{name} found": found["parameter_values"][name] for name in truths}


def scatter(name: str, seeds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return, by parameter, the share of intervals that contain the truth, and the standard error over the scatter."""
    problem = problems()[name]()
    fits = [within(problem, seed) for seed in range(seeds)]
    shares = {each: sum(held[each] for held, _ in fits) / seeds for each in problem.starts}
    ratios = {
        each: float(np.mean([found[each] for _, found in fits]) / np.std([found[f"{each} found"] for _, found in fits]))
        for each in problem.starts
    }
    return shares, ratios


def test_fractions_that_are_divided_by_their_sum_scatter_as_their_errors_say() -> None:
    _, ratios = scatter("MSMR", 30)
    # The standard deviation of 30 is known to 13%.
    assert all(0.6 < ratio < 1.6 for ratio in ratios.values()), ratios


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parallel
@pytest.mark.parametrize("name", ["SPM discharge", "MSMR", "Thevenin"])
def test_95_percent_intervals_hold_the_truth_as_often_as_that(name: str) -> None:
    shares, ratios = scatter(name, 200)
    assert all(0.90 <= share <= 0.99 for share in shares.values()), shares
    assert all(0.8 < ratio < 1.25 for ratio in ratios.values()), ratios
