"""Finite differences of a model's output, with step sizes from its measured noise and the parameters' sizes.

An integrator with adaptive steps has a noisy output, which jumps a little between neighbouring points. The noise is
estimated from the fourth differences of five equidistant points, as in ECnoise (More and Wild 2011,
doi:10.1137/100786125). The step then balances noise against curvature (More and Wild 2012,
doi:10.1145/2168773.2168777): forward 2 sqrt(e L / s), central (3 e L^2 / s)^(1/3), for noise e, slope s and the length
L over which the slope changes by its own size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np

from app.battery.costs import Array
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.problem import FitProblem, Point

FORWARD, CENTRAL = 1e-5, 1e-4
"""Step sizes without noise, as shares of a parameter's size."""
LARGEST = 0.1
"""Largest step, as a share of a parameter's size."""
TRIAL = 1e-2
"""Trial step for slope and curvature of a noisy output, as a share of a parameter's size."""
SPACING = 1e-5
"""Distance of the points for the noise estimate, as a share of a parameter's size."""
ORDER = 4
"""Order of the differences that estimate noise: they remove the smooth part of the output."""
FORWARD_ERROR, CENTRAL_ERROR = 1e-2, 2e-3
"""Share of noise in a slope above which the step is chosen again."""
ROOM = 10
"""Minimum number of steps between the bounds."""
SIGNIFICANT = 3.0
"""Minimum ratio of a second difference to its noise for a significant curvature."""

Output = Callable[[Point], Array]


class Noise:
    """Noise of one model's output around one point, measured on first use with four evaluations."""

    def __init__(self, problem: FitProblem, coordinates: Coordinates, here: Point) -> None:
        self._problem, self._coordinates, self.here = problem, coordinates, here

    @cached_property
    def points(self) -> list[Point]:
        """Five equidistant points, with the parameters rising and falling in turn; empty if one of them has no
        solution."""
        place, low, high = self.here.place, self._coordinates.low, self._coordinates.high
        step = np.minimum(SPACING * self._coordinates.lengths(self.here.values), (high - low) / (ROOM * ORDER))
        step[1::2] *= -1
        end = place + ORDER * step
        step = np.where((low <= end) & (end <= high), step, -step)
        found = [self.here]
        for count in range(1, ORDER + 1):
            if found[-1].errors is None:
                return []
            found.append(self._problem.at(place + count * step))
        return [] if found[-1].errors is None else found

    def of(self, output: Output) -> float | None:
        """Return the norm of the noise of an output; None if it cannot be estimated."""
        if not self.points:
            return None
        table = np.diff(np.stack([output(point) for point in self.points]), n=ORDER, axis=0)
        return float(np.linalg.norm(table)) / math.sqrt(math.comb(2 * ORDER, ORDER))


class Differences:
    """Slopes of an output along each coordinate. A given `step`, as a share of sizes, replaces the chosen ones."""

    def __init__(
        self, problem: FitProblem, coordinates: Coordinates, output: Output, noise: Noise, step: float | None
    ) -> None:
        self._problem, self._coordinates, self._output = problem, coordinates, output
        self._noise, self._step = noise, step
        self._shares: dict[tuple[int, bool], float] = {}
        self._here: tuple[Point, Array, list[float]] | None = None

    @cached_property
    def noise(self) -> float | None:
        """Norm of the output's noise."""
        return self._noise.of(self._output)

    def column(self, here: Point, index: int, central: bool) -> Array | None:
        """Return the slope along one coordinate, within the bounds; None if the model has no solution on either
        side."""
        sides = self._sides(here, index, self.share(index, central), central)
        if sides is None:
            return None
        slope = self._slope(sides, index)
        if self._step or self._is_clean(sides, index, slope, central):
            return slope
        if (index, central) not in self._shares:
            self._learn(here, index)
            sides = self._sides(here, index, self._shares[index, central], central) or sides
        return self._slope(sides, index)

    def share(self, index: int, central: bool = True) -> float:
        """Return the step along one coordinate, as a share of the parameter's size."""
        return self._step or self._shares.get((index, central)) or (CENTRAL if central else FORWARD)

    def jacobian(self, here: Point, central: bool) -> Array:
        """Return the Jacobian, (n, d). A column without a solution on either side is 0."""
        flat = np.zeros_like(self._around(here)[1])
        columns = [self.column(here, index, central) for index in range(here.place.size)]
        slopes: Array = np.stack([flat if column is None else column for column in columns], axis=1)
        return slopes

    def _slope(self, sides: tuple[Point, Point], index: int) -> Array:
        ahead, behind = sides
        slope: Array = (self._at(ahead) - self._at(behind)) / (ahead.place[index] - behind.place[index])
        return slope

    def _around(self, here: Point) -> tuple[Point, Array, list[float]]:
        """Return a point with its output and its lengths, cached for all columns."""
        if self._here is None or self._here[0] is not here:
            self._here = here, self._output(here), self._coordinates.lengths(here.values).tolist()
        return self._here

    def _at(self, point: Point) -> Array:
        is_here = self._here is not None and self._here[0] is point
        return self._around(point)[1] if is_here else self._output(point)

    def _is_clean(self, sides: tuple[Point, Point], index: int, slope: Array, central: bool) -> bool:
        """Return whether noise is a small share of a slope."""
        if self.noise is None:
            return True
        change = math.sqrt(float(slope @ slope)) * abs(float(sides[0].place[index] - sides[1].place[index]))
        return math.sqrt(2) * self.noise <= (CENTRAL_ERROR if central else FORWARD_ERROR) * change

    def _learn(self, here: Point, index: int) -> None:
        """Choose the steps from slope and curvature over a trial step; a longer trial step is used if noise
        dominates."""
        noise, length = self.noise or 0.0, self._around(here)[2][index]
        slope, reach, step = 0.0, length, 0.0
        for trial in (TRIAL, LARGEST):
            ahead, behind = (self._beside(here, index, side * trial) for side in (1, -1))
            if ahead is None or behind is None:
                break
            step = float(ahead.place[index] - behind.place[index]) / 2
            outputs = [self._at(point) for point in (ahead, here, behind)]
            slope = float(np.linalg.norm(outputs[0] - outputs[2])) / (2 * step)
            bend = float(np.linalg.norm(outputs[0] - 2 * outputs[1] + outputs[2]))
            if bend > SIGNIFICANT * math.sqrt(6) * noise:
                reach = min(length, slope * step**2 / bend)
            if slope * 2 * step > noise / CENTRAL_ERROR / 10:
                break
        for central, least in ((False, FORWARD), (True, CENTRAL)):
            best = _balanced(noise, reach, slope, central) if step else TRIAL * length
            self._shares[index, central] = min(max(min(best, reach / 2) / length, least), LARGEST)

    def _sides(self, here: Point, index: int, share: float, central: bool) -> tuple[Point, Point] | None:
        """Return the two points of a difference quotient; None if the model has fewer than two solutions there."""
        ahead = self._beside(here, index, share)
        behind = self._beside(here, index, -share) if central or ahead is None else None
        sides = [side for side in (ahead, behind) if side is not None]
        if len(sides) == 1 and here.errors is not None:
            sides.append(here)
        return (sides[0], sides[1]) if len(sides) == 2 else None

    def _beside(self, here: Point, index: int, share: float) -> Point | None:
        """Evaluate a step along one coordinate; None outside of the bounds or without a solution."""
        coordinates, other = self._coordinates, here.place.copy()
        low, high = float(coordinates.low[index]), float(coordinates.high[index])
        step = abs(share) * self._around(here)[2][index]
        other[index] += math.copysign(min(step, (high - low) / ROOM), share)
        if not low <= other[index] <= high or other[index] == here.place[index]:
            return None
        point = self._problem.at(other)
        return None if point.errors is None else point


def _balanced(noise: float, reach: float, slope: float, central: bool) -> float:
    """Return the step with the least sum of the errors from noise and from curvature."""
    if slope == 0:
        return math.inf
    return (3 * noise * reach**2 / slope) ** (1 / 3) if central else 2 * math.sqrt(noise * reach / slope)
