"""Hostile configurations: no part of one is imported or executed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from app.battery.expressions.symbols import encode
from app.models.enums import JobErrorCode
from tests.battery.symbols import SCALAR, SYMBOLS, negated, scalar
from tests.battery.work import calculation, entry, failure, faults, places, values

HOSTILE: list[Any] = [
    {"$type": "this.X"},
    {"$type": "antigravity.fly"},
    {"$type": "os.abort"},
    {"$type": "type", "class": "os.abort"},
    {"$type": "type", "class": "this.X"},
    {"module": "os", "class": "abort"},
    {"module": "this", "class": "X"},
    {"type": "this.X"},
    {"type": "Scalar", "value": 1},
    {"py/object": "os.abort"},
    {"py/object": "this.X", "py/id": 1},
    {"$type": "pybamm.models.base_model.BaseModel"},
    {"$type": "pybamm.expression_tree.functions.Function", "function": "os.abort"},
    {"$type": "pybamm.expression_tree.operations.serialise.Serialise"},
    {"$type": ["os.abort"]},
    {"$type": None},
    {"$type": f"{SCALAR}.__init__"},
    {"$type": "builtins.tuple", "items": [{"$type": "os.abort"}]},
    {"$type": "builtins.slice", "start": 0, "stop": 1, "step": 1},
    negated({"$type": "os.abort"}),
    negated({"module": "os", "class": "abort"}),
    negated(["os.abort"]),
    negated(negated(negated("os.abort"))),
    scalar({"$type": "os.abort"}),
    [{"$type": "os.abort"}],
]


@pytest.fixture
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make calls and imports by a configuration detectable: os.abort raises, and modules with visible effects are
    unloaded."""

    def called(*_: object) -> None:
        raise AssertionError("os.abort was called")

    monkeypatch.setattr(os, "abort", called)
    for name in ("this", "antigravity"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("symbol", HOSTILE, ids=repr)
class TestHostileSymbols:
    def test_in_values_are_refused_at_their_place(self, symbol: Any) -> None:
        found = faults(values(width=symbol))
        assert found
        assert all(fault.path[:2] == ("values", "width") for fault in found)
        assert not {"this", "antigravity"} & set(sys.modules)

    def test_do_not_run(self, symbol: Any) -> None:
        assert failure(values(width=symbol)).code is JobErrorCode.CONFIGURATION_ERROR
        assert not {"this", "antigravity"} & set(sys.modules)

    def test_among_inputs_are_refused_too(self, symbol: Any) -> None:
        config = calculation("HalfCellNominalCapacity", electrode="positive")
        failed = failure(config, {"Positive electrode capacity [A.h]": symbol})
        assert failed.code is JobErrorCode.MODEL_ERROR
        assert not {"this", "antigravity"} & set(sys.modules)

    def test_are_refused_as_names_and_types(self, symbol: Any) -> None:
        assert places({"element_type": "calculation", "type": symbol}) == [("type",)]
        assert places(entry(name=symbol)) == [("name",)]
        assert places({"element_type": symbol}) == [("element_type",)]
        assert not {"this", "antigravity"} & set(sys.modules)

    def test_are_refused_in_fields(self, symbol: Any) -> None:
        assert ("electrode",) in places(calculation("ElectrodeCapacity", electrode=symbol))
        assert ("options",) in [
            place[:1] for place in places(calculation("ElectrodeSOH", options={"known value": symbol}))
        ]
        assert places(entry("temperatures", T=symbol)) == [("T",)]


@pytest.mark.parametrize(
    "name", ["os.abort", "__init__", "validate_element", "pybamm", "ProvenanceRecord", "Bruggeman"]
)
def test_a_name_outside_the_lists_is_refused(name: str) -> None:
    assert places(entry(name=name)) == [("name",)]
    assert places(calculation(name)) == [("type",)]


def mutations(node: Any, junk: Any) -> Iterator[Any]:
    """Return `node` with one of its parts, at any depth, replaced by `junk` or removed."""
    yield junk
    if isinstance(node, dict):
        for name, part in node.items():
            yield {key: value for key, value in node.items() if key != name}
            yield from (node | {name: other} for other in mutations(part, junk))
    elif isinstance(node, list):
        for index, part in enumerate(node[:3]):
            yield from ([*node[:index], other, *node[index + 1 :]] for other in mutations(part, junk))


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("junk", ["this.X", -1, [], {"$type": "os.abort"}], ids=repr)
def test_whatever_is_changed_in_a_symbol_is_told_and_never_raised(junk: Any) -> None:
    for symbol in SYMBOLS:
        for changed in mutations(encode("f", symbol), junk):
            faults(values(f=changed))
    assert not {"this", "antigravity"} & set(sys.modules)


def test_depth_outside_of_symbols_is_harmless() -> None:
    deep: Any = 1
    for _ in range(10_000):
        deep = [deep]
    assert places(entry(values={"a": 1}, provenance=deep)) == [("provenance",)]
    assert places(entry("bruggeman", electrode=deep)) == [("electrode",)]
    assert places(calculation("ElectrodeSOH", options={"known value": deep})) == [("options", "known value")]
