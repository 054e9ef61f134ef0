"""The errors that fits state are of the size of those they make: repeated with other noise, they hold the truth."""

from __future__ import annotations

import pytest

from tests.battery import pulses
from tests.battery.work import run


def deviations(seed: int) -> dict[str, float]:
    """Of each estimate from the truth, in standard errors."""
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
def test_68_percent_intervals_hold_the_truth_as_often_as_that() -> None:
    found = [deviations(seed) for seed in range(30)]
    for name in pulses.TRUTHS:
        assert 14 <= sum(abs(each[name]) <= 1 for each in found) <= 27
