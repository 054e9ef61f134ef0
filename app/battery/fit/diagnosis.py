"""Warnings about a fit: signs that its parameter values cannot be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from app.battery.fit.child import Child
from app.battery.fit.misfit import ADDED, Misfit
from app.battery.fit.problem import FitModel, FitTally
from app.battery.fit.search.restarts import UNMOVED
from app.battery.fit.uncertainty import Uncertainty, at_bounds
from app.battery.warnings.result_warnings import ResultWarning

FALL = 100.0
"""Ratio of the cost at a start to the least cost from which the start is far from the end."""
AGREEMENT = 0.01
"""Maximum relative difference of the costs of two starts that agree."""
DISAGREEMENT = 2.0
"""Minimum distance in standard errors between the values of two starts of equal cost that disagree."""
WIDE = 0.1
"""Share of the range between bounds above which a standard error is large."""
CORRELATED = 0.99
LARGEST_TEXT = 200
"""Maximum characters of a message of the solver."""


def diagnose(
    model: FitModel, winner: Child, children: Sequence[Child], known: Uncertainty, tally: FitTally
) -> list[ResultWarning]:
    """Return all warnings about a fit, the most severe first."""
    return [
        *_unconverged(winner),
        *_unmoved(model, winner),
        *_distant(model, winner),
        *_disagreeing(children, winner, known),
        *_failed(tally),
        *_bounded(model, winner),
        *_unknown(known),
        *_wide(model, winner, known),
        *_correlated(model, winner, known),
    ]


def _unconverged(winner: Child) -> Iterator[ResultWarning]:
    if not winner.fields["success"]:
        yield ResultWarning("NOT_CONVERGED", f"The search did not converge: {winner.fields['message']}")


def _unmoved(model: FitModel, winner: Child) -> Iterator[ResultWarning]:
    best = winner.best
    if best is None or not winner.descent.fit.optimiser.is_search:
        return
    start = model.coordinates.point(winner.guess)
    if np.all(np.abs(best.place - start) <= UNMOVED * model.coordinates.lengths(best.values)):
        message = f"The optimiser hardly moved: every parameter is within {UNMOVED:.1%} of its initial guess."
        yield ResultWarning("OPTIMISER_HARDLY_MOVED", message)


def _distant(model: FitModel, winner: Child) -> Iterator[ResultWarning]:
    """Warn about a start so bad that the search may have ended in another basin than that of the global minimum."""
    first, best, misfit = winner.first, winner.best, model.misfit
    if first is None or best is None or best.errors is None or not winner.descent.fit.optimiser.is_search:
        return
    if first.errors is None:
        yield ResultWarning("START_FAR_FROM_END", "The model has no solution at the initial guess. Try other starts.")
        return
    squares = [math.fsum(float(each @ each) for each in point.errors or []) for point in (first, best)]
    if squares[0] > FALL * squares[1] and squares[0] > _spread(misfit, first.values):
        message = (
            f"At the initial guess the model is farther from the data than these are from their mean (cost "
            f"{first.cost:.3g}, at the end {best.cost:.3g}): the end may depend on the start. Try `multistarts`."
        )
        yield ResultWarning("START_FAR_FROM_END", message)


def _spread(misfit: Misfit, values: Mapping[str, float]) -> float:
    """Return the sum of the squared distances of the data from their means, in units of their scales."""
    return math.fsum(
        float(np.square((term.data - term.data.mean()) / misfit.scale(term, values)).sum()) for term in misfit.terms
    )


def _disagreeing(children: Sequence[Child], winner: Child, known: Uncertainty) -> Iterator[ResultWarning]:
    """Warn about starts that ended elsewhere: at a higher cost, or at other values of equal cost."""
    best = winner.cost
    others = [child for child in children if child is not winner]
    worse = [child for child in others if not _agree(winner, child)]
    apart = [child for child in others if child not in worse and _is_apart(winner, child, known)]
    if worse:
        ended = [child.cost for child in worse if math.isfinite(child.cost)]
        most = f"at costs up to {max(ended):.4g}, the least is {best:.4g}" if ended else "without a solution"
        message = f"{len(worse)} of {len(children)} starts ended elsewhere, {most}."
        yield ResultWarning("STARTS_DISAGREE", message)
    if apart:
        message = f"{len(apart)} of {len(children)} starts ended at other values of equal cost: the data allow several."
        yield ResultWarning("STARTS_DISAGREE", message)


def _agree(winner: Child, child: Child) -> bool:
    if child.best is None or winner.best is None:
        return False
    if winner.descent.model.misfit.cost.kind in ADDED:
        return child.cost - winner.cost <= 0.5
    return child.cost <= winner.cost * (1 + AGREEMENT) or child.cost <= winner.cost + _noise(winner)


def _noise(child: Child) -> float:
    """Return the cost that the noise of the model's output causes, even for exact data."""
    slopes = child.descent.slopes
    return 0.0 if slopes is None else slopes.noise_cost


def _is_apart(winner: Child, child: Child, known: Uncertainty) -> bool:
    return any(
        abs(child.values[name] - winner.values[name]) > max(DISAGREEMENT * error, UNMOVED * abs(winner.values[name]))
        for name, error in known.errors.items()
    )


def _failed(tally: FitTally) -> Iterator[ResultWarning]:
    if tally.failed:
        message = f"The model had no solution at {tally.failed} of {tally.evaluations} points: {tally.trouble}"
        yield ResultWarning("FAILED_EVALUATIONS", message[:LARGEST_TEXT])


def _bounded(model: FitModel, winner: Child) -> Iterator[ResultWarning]:
    if winner.best is not None:
        for name, side in at_bounds(model.coordinates, winner.best.place).items():
            message = f"{name} ended at its {side} bound: the optimum may lie beyond."
            yield ResultWarning("PARAMETER_AT_BOUND", message, parameter=name)


def _unknown(known: Uncertainty) -> Iterator[ResultWarning]:
    for name, reason in known.absent.items():
        yield ResultWarning("NO_STANDARD_ERRORS", f"{name} has no standard error: {reason}.", parameter=name)


def _wide(model: FitModel, winner: Child, known: Uncertainty) -> Iterator[ResultWarning]:
    coordinates = model.coordinates
    slopes = np.abs(coordinates.slopes(winner.values))
    for name, error in known.errors.items():
        index = coordinates.names.index(name)
        reach = WIDE * (coordinates.high[index] - coordinates.low[index]) * slopes[index]
        if error > (reach if math.isfinite(reach) else abs(winner.values[name])):
            message = f"{name} is uncertain: its standard error, {error:.3g}, is large beside its bounds or its value."
            yield ResultWarning("LARGE_STANDARD_ERROR", message, parameter=name)


def _correlated(model: FitModel, winner: Child, known: Uncertainty) -> Iterator[ResultWarning]:
    if known.correlation is None:
        return
    names, tied = list(known.errors), _tied(model, winner)
    for row, column in zip(*np.nonzero(np.triu(np.abs(known.correlation) > CORRELATED, 1)), strict=True):
        if {names[row], names[column]} <= tied:
            continue
        value = float(known.correlation[row, column])
        message = f"{names[row]} and {names[column]} are correlated ({value:.4f}): the data hardly distinguish them."
        yield ResultWarning("HIGH_CORRELATION", message, parameter=names[row])


def _tied(model: FitModel, winner: Child) -> set[str]:
    """Return the parameters that the models divide by their sum: two such fractions are correlated by construction."""
    values = winner.values
    doubled = {name: model.normalised(values | {name: 2 * values[name]}).get(name) for name in model.coordinates.names}
    return {name for name, value in doubled.items() if value != 2 * values[name]}
