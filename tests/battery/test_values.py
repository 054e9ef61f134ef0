"""Parameter values: each problem is reported with its path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.checks.guard import MAX_DEPTH, MAX_NODES, NODES
from app.battery.expressions.symbols import encode
from tests.battery.symbols import SCALAR, SYMBOLS, X, negated, scalar
from tests.battery.work import faults, made, places, values


def test_the_place_of_a_fault_is_where_it_stands() -> None:
    symbol = encode("f", -pybamm.exp(X))
    symbol["children"][0]["children"][0]["$type"] = "os.abort"
    assert places(values(f=symbol)) == [("values", "f", "children", 0, "children", 0, "$type")]


def test_nodes_are_exactly_classes_of_pybamm() -> None:
    """A tag that PyBaMM renamed would make the server refuse every client."""
    from pybamm.expression_tree.operations.serialise_kernel import _class_path

    for tag in set(NODES) - {"numpy.ndarray"}:
        assert _class_path(getattr(pybamm, tag.rpartition(".")[2])) == tag


@pytest.mark.parametrize("symbol", SYMBOLS, ids=range(len(SYMBOLS)))
def test_what_the_official_client_writes_goes_through_unchanged(symbol: Any) -> None:
    wire = encode("f", symbol)
    assert made(values(f=wire)) == {"f": wire}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, ()),
        (True, ()),
        ([1.0, 2.0], ()),
        (float("nan"), ()),
        (float("inf"), ()),
        ("", ()),
        ("[input]", ()),
        ("[function]os", ()),
        (scalar("Infinity"), ("value",)),
        (scalar(float("nan")), ("value",)),
        (scalar(True), ("value",)),
        (scalar(10**400), ("value",)),
        (scalar(1) | {"extra": 1}, ("extra",)),
        ({"$type": SCALAR, "value": 1}, ("name",)),
        ({"$type": "numpy.ndarray", "data": [1, "2"], "dtype": "float64"}, ("data", 1)),
        ({"$type": "numpy.ndarray", "data": [1, 2], "dtype": "object"}, ("dtype",)),
        ({"$type": "numpy.ndarray", "data": [], "dtype": "float64"}, ("data",)),
        (negated(scalar(1)) | {"children": [scalar(1), scalar(2)]}, ("children",)),
        (negated(scalar(1)) | {"children": "x"}, ("children",)),
        (negated(scalar(1)) | {"domains": {}}, ("domains",)),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_place(value: Any, place: tuple[str | int, ...]) -> None:
    assert places(values(width=value)) == [("values", "width", *place)]


def test_a_text_goes_through() -> None:
    assert made(values(chemistry="lithium_ion")) == {"chemistry": "lithium_ion"}


def test_citations_are_no_parameter() -> None:
    assert made(values(citations=["Chen2020"], width=1)) == {"width": 1}


class TestTables:
    TABLE = encode("f", pybamm.Interpolant(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), X))

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"x": [[0.0, 1.0]]}, ("y",)),
            ({"x": [[0.0, "1", 2.0]]}, ("x", 0, 1)),
            ({"x": []}, ("x",)),
            ({"x": "012"}, ("x",)),
            ({"y": [1.0, None, 2.0]}, ("y", 1)),
            ({"interpolator": "os.abort"}, ("interpolator",)),
            ({"_num_derivatives": 1000000}, ("_num_derivatives",)),
            ({"children": []}, ("children",)),
            ({"x": [[2.0, 1.0, 0.0]]}, ()),  # only PyBaMM detects that it falls
        ],
    )
    def test_that_do_not_fit_are_refused_at_their_place(self, change: Any, place: Any) -> None:
        assert places(values(f=self.TABLE | change)) == [("values", "f", *place)]

    def test_of_a_hundred_thousand_rows_go_through(self) -> None:
        column = [float(i) for i in range(100_000)]
        table = self.TABLE | {"x": [column], "y": column}
        assert made(values(f=table))["f"]["x"] == [column]


def test_a_symbol_may_nest_as_deep_as_is_said_and_no_deeper() -> None:
    symbol = scalar(1)
    for _ in range(MAX_DEPTH - 1):
        symbol = negated(symbol)
    assert places(values(f=symbol)) == []
    assert "nests deeper" in faults(values(f=negated(symbol)))[0].message
    for _ in range(5_000):
        symbol = negated(symbol)
    assert len(faults(values(f=symbol))) == 1


def test_a_symbol_with_too_many_nodes_is_refused() -> None:
    symbol = encode("f", X + 1)
    for _ in range(15):
        symbol = symbol | {"children": [symbol, symbol]}
    assert any(f"{MAX_NODES} nodes" in fault.message for fault in faults(values(f=symbol)))
