"""BPX documents: read by an entry, and written from parameter values.

The files of `bpx/` are the examples of the BPX project (About:Energy, MIT), without their validation data.
"""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.entries.bpx.export import export
from app.battery.entries.bpx.formulas import Formula, WrongFormula, bpx, without_code, written
from tests.battery.work import entry, faults, result

FILES = sorted((Path(__file__).parent / "bpx").glob("*.json"))
EXACT, CLOSE = 1e-6, 1e-3
"""Volts by which voltages may differ: after a copy, and after a document."""
VOLUME = "Volume [m3]"
FITTED = {"Positive particle diffusivity [m2.s-1]": 6.0e-15, "Negative electrode conductivity [S.m-1]": 150.0}


def load(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def known(config: dict[str, Any]) -> dict[str, Any]:
    """Return the values of an entry, as its result stores them."""
    values: dict[str, Any] = json.loads(json.dumps(result(config)["parameter_values"]))
    return values


def voltage(values: pybamm.ParameterValues, model: type = pybamm.lithium_ion.SPMe) -> Any:
    """Return the voltage over a discharge at 1C."""
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
    simulation = pybamm.Simulation(model(), parameter_values=values, solver=solver)
    return simulation.solve([0, 3000], t_interp=np.linspace(0, 3000, 100))["Voltage [V]"].data


def difference(one: pybamm.ParameterValues, other: pybamm.ParameterValues) -> float:
    first, second = voltage(one), voltage(other)
    count = min(len(first), len(second))
    assert count > 50
    return float(np.abs(first[:count] - second[:count]).max())


def read(document: dict[str, Any]) -> pybamm.ParameterValues:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pybamm.ParameterValues.create_from_bpx_obj(copy.deepcopy(document))


def test_the_values_of_a_result_are_a_set_of_pybamm() -> None:
    values = known(entry(parameter_set="Chen2020", values=FITTED))
    chen = pybamm.ParameterValues("Chen2020")
    chen.update(FITTED)
    assert difference(pybamm.ParameterValues.from_json(values), chen) < EXACT


def test_tables_are_kept_in_a_set_of_pybamm() -> None:
    values = known(entry(parameter_set="OKane2022"))
    assert any("interpolant" in json.dumps(each) for each in values.values())
    assert difference(pybamm.ParameterValues.from_json(values), pybamm.ParameterValues("OKane2022")) < EXACT


@pytest.mark.parametrize("name", ["Chen2020", "OKane2022"])
def test_a_set_comes_back_from_bpx(name: str) -> None:
    values = known(entry(parameter_set=name))
    written = export({"values": values, "title": name})
    assert difference(pybamm.ParameterValues.from_json(values), read(written["document"])) < CLOSE
    names = {each["name"] for each in written["omitted"]}
    assert names == (set() if name == "Chen2020" else OMITTED)
    assert set(values) - {each["name"] for each in written["omitted"]} <= set(read(written["document"]).keys())


OMITTED = {
    "Negative electrode OCP [V]",
    "Exchange-current density for plating [A.m-2]",
    "Exchange-current density for stripping [A.m-2]",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_goes_in_and_out(file: Path) -> None:
    document = load(file)
    values = known(entry(bpx=document))
    original = read(document)
    assert difference(original, pybamm.ParameterValues.from_json(values)) < CLOSE
    written = export({"values": values, "title": file.stem})
    assert written["omitted"] == []
    assert difference(original, read(written["document"])) < CLOSE


def test_values_beside_a_document_replace_its_own() -> None:
    values = known(entry(bpx=load(FILES[0]), values=FITTED))
    assert {name: values[name] for name in FITTED} == FITTED


def test_a_result_tells_what_the_reader_assumed() -> None:
    found = result(entry(bpx=load(FILES[0])))
    assert {each["code"] for each in found["warnings"]} == {"BPX_DOCUMENT"}
    assert found["effective_config"]["bpx"] == {"Header": load(FILES[0])["Header"]}


def test_problems_have_their_places() -> None:
    document = load(FILES[1])
    electrode = document["Parameterisation"]["Negative electrode"]
    electrode["OCP [V]"] = "__import__('os').system('true')"
    electrode["Diffusivity [m2.s-1]"] = "x ** y"
    found = {fault.path: fault.message for fault in faults(entry(bpx=document))}
    place = ("bpx", "Parameterisation", "Negative electrode")
    assert set(found) == {(*place, "OCP [V]"), (*place, "Diffusivity [m2.s-1]")}
    assert "exp, tanh, cosh" in found[*place, "OCP [V]"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d["Parameterisation"]["Separator"].pop("Porosity"), ("Parameterisation", "Separator", "Porosity")),
        (lambda d: d["Header"].update(Model="SPM"), ("Header", "Model")),
        (lambda d: d.pop("Parameterisation"), ()),
        (
            lambda d: d["Parameterisation"]["Cell"].update({VOLUME: True}),
            ("Parameterisation", "Cell", VOLUME),
        ),
    ],
)
def test_a_wrong_document_is_refused_at_its_place(change: Any, place: tuple[str, ...]) -> None:
    document = load(FILES[1])
    change(document)
    found = faults(entry(bpx=document))
    assert found
    assert any(each.path[: len(place) + 1] == ("bpx", *place) or each.path == ("bpx",) for each in found)


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, {"Header": 3}, {"Parameterisation": []}, {"Header": {}}])
def test_what_is_no_document_is_refused(odd: Any) -> None:
    found = faults(entry(bpx=odd))
    assert found


@pytest.mark.parametrize(
    "text",
    [
        *("", "x +", "y", "exp", "exp(x, x)", "exp(x=1)", "sin(x)", "x.real", "lambda: x", "[x]", "x if x else x"),
        *("'a'", "True", "1j", "x @ x", "x // 2", "x % 2", "~x", "not x", "x < 1", "(x := 1)", "1e999", "x" * 30_000),
        "(" * 5_000 + "x" + ")" * 5_000,
        "-" * 300 + "x",
        "+".join(["x"] * 6_000),
    ],
    ids=lambda text: f"{text:.20}",
)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(WrongFormula):
        Formula(text)


@pytest.mark.parametrize("text", ["9 ** 9 ** 9 ** 9", "(9 ** 99) ** 99", "exp(1e6)", "1 / (x - x)", "(0 - 8) ** 0.5"])
def test_a_formula_without_a_value_ends_at_once(text: str) -> None:
    with pytest.raises(ArithmeticError):
        Formula(text)(0.5)


def test_formulas_are_not_run_as_code() -> None:
    with without_code():
        function = bpx.Function.validate("2 * x ** 2 - exp(-x) / 3").to_python_function()
        assert function(3.0) == pytest.approx(2 * 9 - np.exp(-3) / 3)
        with pytest.raises(WrongFormula):
            bpx.Function("exit(0)").to_python_function()


def test_a_formula_that_is_written_has_the_same_value() -> None:
    x = pybamm.InputParameter("x")
    symbol = -((x - 1) ** 2) / (3 - (x - 0.25)) - (-x) ** 2 + pybamm.tanh(2 * x) * pybamm.sqrt(x) - (1 - x) / (2 / x)
    text = written(symbol)
    assert text is not None
    for at in (0.1, 0.5, 0.9):
        assert Formula(text)(at) == pytest.approx(float(symbol.evaluate(inputs={"x": at})), rel=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": 1.0, "b": "text", "description": 2.0},
        {"a": {"$type": "os.system"}, "b": [1], "c": None, "d": True},
        {"Negative electrode OCP [V]": "text", "Upper voltage cut-off [V]": 0},
        {
            "Electrode height [m]": 0.0,
            "Negative particle radius [m]": 0.0,
            "Separator porosity": -1,
        },
    ],
)
def test_odd_values_make_a_partial_document(values: dict[str, Any]) -> None:
    written = export({"values": values, "title": "=1+1\n"})
    assert written["document"]["Header"]["Model"] == "Partial"
    held = written["document"]["Parameterisation"].get("User-defined", {})
    omitted = {each["name"] for each in written["omitted"]}
    for name in values:
        assert name in held or name in omitted, name


def test_values_that_read_each_other_are_left_out() -> None:
    loop = {"name": "a", "$type": "pybamm.expression_tree.parameter.Parameter", "domains": {}}
    written = export({"values": {"a": loop, "b": 1.0}, "title": "x"})
    assert "a" in {each["name"] for each in written["omitted"]}
    assert written["document"]["Parameterisation"]["User-defined"] == {"b": 1.0}
