"""Gradient of a cost by the chain rule from slopes of the errors, which keeps the curvature of the cost out of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.battery.costs import Array
from app.battery.fit.misfit import Misfit
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.problem import Point

SMALL = 1e-5
"""Step over which errors are taken to be linear, as a share of a parameter's size."""


def stacked(misfit: Misfit, point: Point) -> Array:
    """Return the errors of all terms, each multiplied by the square root of its weight, (n,)."""
    errors: Any = point.errors
    together: Array = np.concatenate(
        [each.weight**0.5 * error for each, error in zip(misfit.terms, errors, strict=True)]
    )
    return together


def split(misfit: Misfit, together: Array) -> list[Array]:
    """Split stacked errors, or stacked slopes of errors, by term."""
    ends = np.cumsum([each.data.size for each in misfit.terms])[:-1]
    return [part / each.weight**0.5 for each, part in zip(misfit.terms, np.split(together, ends), strict=True)]


def gradient(misfit: Misfit, coordinates: Coordinates, here: Point, columns: list[Array | None]) -> Array:
    """Return the gradient of the minimised cost, (d,), from stacked slopes of the errors; 0 for a column without
    slopes."""
    found = np.zeros(here.place.size)
    lengths = coordinates.lengths(here.values)
    for index, column in enumerate(columns):
        if column is not None:
            slopes, step = split(misfit, column), SMALL * float(lengths[index])
            ahead, behind = (_moved(misfit, coordinates, here, index, slopes, side * step) for side in (1, -1))
            found[index] = (ahead - behind) / (2 * step)
    return found


def _moved(
    misfit: Misfit, coordinates: Coordinates, here: Point, index: int, slopes: list[Array], step: float
) -> float:
    errors = [error + step * slope for error, slope in zip(here.errors or [], slopes, strict=True)]
    name, place = coordinates.names[index], float(here.place[index])
    return misfit.value(errors, here.values | {name: coordinates.physical(index, place + step)})
