"""Parameters of a fit in each form of the client."""

from __future__ import annotations

import math
from typing import Any

import ionworks_schema as iws
import pybamm
import pytest
from ionworks_schema import transforms as published

from app.battery.expressions.symbols import encode
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.parameters.free_parameters import FIELDS, FreeParameter, Parameters, parameters
from app.battery.fit.parameters.transforms import TRANSFORMS


def taken(config: Any, priors: Any = None) -> Parameters:
    found, faults = parameters(config, priors)
    assert faults == []
    assert found is not None
    return found


def one(**fields: Any) -> FreeParameter:
    return taken({"a": fields}).free["a"]


def test_what_the_client_writes_is_read() -> None:
    parameter = iws.Parameter("a", 2.0, (1.0, 4.0), prior=iws.stats.Normal(3.0, 0.5), normalize=False)
    free = one(**iws.transforms.Log10(parameter).to_config())
    assert (free.initial, free.low, free.high, free.normalize) == (2.0, 1.0, 4.0, False)
    assert free.transform is TRANSFORMS["Log10"]
    assert free.prior is not None
    assert free.prior.distribution.deviation is not None
    assert free.prior.distribution.deviation(4.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (None, (-math.inf, math.inf)),
        ([1e-15, None], (1e-15, math.inf)),
        ([None, 3.0], (-math.inf, 3.0)),
        ([-math.inf, math.inf], (-math.inf, math.inf)),
    ],
)
def test_bounds_may_be_infinite(bounds: Any, expected: tuple[float, float]) -> None:
    free = one(bounds=bounds)
    assert (free.low, free.high) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, 1.0), ({"bounds": [2, 6]}, 4.0), ({"bounds": [2, None]}, 2.0), ({"initial_value": 5}, 5.0)],
)
def test_the_initial_value_where_none_is_given(fields: Any, expected: float) -> None:
    assert one(**fields).initial == expected


def test_an_initial_value_outside_is_brought_in_where_its_check_is_off() -> None:
    assert one(initial_value=9, bounds=[0, 1], check_initial_value=False).initial == 1.0


def test_numbers_are_fixed_and_expressions_follow() -> None:
    found = taken({"a": {}, "b": 3, "c": encode("c", 2 * pybamm.Parameter("a"))})
    assert (set(found.free), found.fixed, set(found.links)) == ({"a"}, {"b": 3.0}, {"c"})
    assert found.links["c"].reads == {"a"}


@pytest.mark.parametrize(
    "config",
    [
        iws.priors.Prior("a", iws.stats.Normal(3.0, 0.5), 2.0).to_config(),
        {"distribution": "Normal", "mean": 3.0, "std": 0.5, "regularizer_weight": 2.0},
        {"type": "Prior", "distribution": "Normal", "mean": 3.0, "std": 0.5, "regularizer_weight": 2.0},
        {"distribution": {"type": "Normal", "mean": 3.0, "std": 0.5}, "regularizer_weight": 2.0},
    ],
)
def test_priors_are_read_in_each_form_in_either_place(config: Any) -> None:
    inside = one(prior=config)
    beside = taken({"a": {}}, {"a": config}).free["a"]
    listed = taken({"a": {}}, [config | {"name": "a"}]).free["a"]
    for free in (inside, beside, listed):
        assert free.prior is not None
        assert free.prior.weight == 2.0
        assert free.prior.distribution.centre == 3.0


def test_priors_alone_name_the_parameters() -> None:
    found = taken(None, {"a": {"distribution": "LogNormal", "mean": 0.0, "std": 1.0}})
    assert found.free["a"].initial == 1.0
    assert found.free["a"].low == 0.0


def test_a_uniform_prior_is_a_bound() -> None:
    free = one(initial_value=2, bounds=[0, 5], prior={"distribution": "Uniform", "lb": 1, "ub": 9})
    assert (free.low, free.high) == (1.0, 5.0)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_transform_has_its_inverse_and_its_slope(name: str) -> None:
    transform, x, step = TRANSFORMS[name], 0.3, 1e-6
    u = transform.forward(x)
    assert transform.inverse(u) == pytest.approx(x, rel=1e-12)
    slope = (transform.inverse(u + step) - transform.inverse(u - step)) / (2 * step)
    assert transform.slope(x) == pytest.approx(slope, rel=1e-6)
    low, high = transform.interval(0.2, 0.5)
    assert low < u < high


def test_transforms_are_those_of_the_public_schema() -> None:
    named = {name for name, each in vars(published).items() if isinstance(each, type)}
    assert set(TRANSFORMS) <= named
    assert {each.__name__ for each in published.Transform.__subclasses__()} == set(TRANSFORMS)


def test_fields_are_those_of_the_public_schema_and_the_transform() -> None:
    assert set(FIELDS) == set(iws.Parameter.model_fields) | {"transform"}


@pytest.mark.parametrize("transform", ["Identity", "Log", "Negate", "Inverse", "Exp"])
def test_coordinates_go_to_and_fro(transform: str) -> None:
    coordinates = Coordinates({"a": one(initial_value=2, bounds=[1, 4], transform=transform)})
    place = coordinates.point({"a": 3.0})
    assert coordinates.values(place)["a"] == pytest.approx(3.0, rel=1e-12)
    assert coordinates.low[0] < place[0] < coordinates.high[0]
    ahead = coordinates.values(place + 1e-6)["a"] - 3.0
    assert coordinates.slopes({"a": 3.0})[0] == pytest.approx(ahead / 1e-6, rel=1e-4)


def test_coordinates_are_about_one_in_size() -> None:
    small = Coordinates({"a": one(initial_value=2e-14, bounds=[1e-16, 1e-12])})
    assert small.point({"a": 2e-14}) == pytest.approx([1.0])
    zero = Coordinates({"a": one(initial_value=0, bounds=[-0.2, 0.2])})
    assert zero.high - zero.low == pytest.approx([1.0])


def test_beyond_the_bounds_is_taken_as_at_them() -> None:
    coordinates = Coordinates({"a": one(initial_value=2, bounds=[1, 4])})
    assert coordinates.values(coordinates.high + 5) == {"a": 4.0}
