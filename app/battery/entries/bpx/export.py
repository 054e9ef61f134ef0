"""Export: a BPX document of parameter values, with the reasons for what it does not hold."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pybamm

from app.battery.entries.bpx.curves import evaluate
from app.battery.entries.bpx.formulas import bpx, without_code
from app.battery.entries.bpx.readings import FARADAY, SAME, Readings

ELECTRODES = ("Negative", "Positive")
CONCENTRATIONS = [200.0, 500.0, 1000.0, 1500.0, 2500.0]
"""Concentrations of the electrolyte at which its temperature dependence is read."""
MOST_CONCENTRATION = 5_000.0
STOICHIOMETRIES = [0.1, 0.3, 0.5, 0.7, 0.9]
SALT = "Initial concentration in electrolyte [mol.m-3]"
Section = dict[str, Any]


def export(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `document` of the `values` of a request, and `omitted`: names with reasons."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), without_code():
        warnings.simplefilter("ignore")
        readings = Readings(request["values"])
        parts = _parts(readings)
        document = _document(readings, parts, request["title"])
        _set_charge(readings, document)
        bpx.parse_bpx_obj(_copied(document))
    omitted = [{"name": name, "reason": reason} for name, reason in readings.omitted.items()]
    if omitted:
        document["Header"]["Description"] += " Not held exactly: " + "; ".join(each["name"] for each in omitted) + "."
    return {"document": document, "omitted": omitted}


def _copied(document: Section) -> Section:
    """Copy a document: `bpx` writes parsed objects into what it is given."""
    return copy.deepcopy(document)


def _parts(readings: Readings) -> dict[str, Section]:
    """Return the sections that the values fill. A section that lacks a required field is left out, with the reason."""
    window = _window(readings)
    parts = {
        "Cell": partial(_cell, readings),
        "Electrolyte": partial(_electrolyte, readings),
        **{f"{side} electrode": partial(_electrode, readings, side, window) for side in ELECTRODES},
        "Separator": partial(_porous, readings, "Separator"),
    }
    found = {}
    for name, make in parts.items():
        fields = readings.take(make)
        if isinstance(fields, list):
            readings.omitted[name] = f"The section lacks {', '.join(fields)}; its other values are user-defined."
        else:
            found[name] = {field: value for field, value in fields.items() if value is not ABSENT}
    return found


ABSENT: Any = object()
"""Value of an optional field that is absent."""


def _optional(value: float | None) -> Any:
    return ABSENT if value is None else value


def _cell(readings: Readings) -> Section:
    height, width = readings.number("Electrode height [m]"), readings.number("Electrode width [m]")
    pairs = readings.number("Number of electrodes connected in parallel to make a cell")
    area = None if height is None or width is None else height * width
    if area is not None and pairs is not None and (pairs < 1 or pairs != int(pairs)):
        area, pairs = area * pairs, 1.0
    for name in ("Cell cooling surface area [m2]", "Cell volume [m3]"):
        if not readings.has(name):
            readings.omitted[name] = "It is absent; PyBaMM's reader of BPX needs it."
    return {
        "Electrode area [m2]": area,
        "External surface area [m2]": _optional(readings.number("Cell cooling surface area [m2]")),
        "Volume [m3]": _optional(readings.number("Cell volume [m3]")),
        "Number of electrode pairs connected in parallel to make a cell": None if pairs is None else int(pairs),
        "Lower voltage cut-off [V]": readings.number("Lower voltage cut-off [V]"),
        "Upper voltage cut-off [V]": readings.number("Upper voltage cut-off [V]"),
        "Nominal cell capacity [A.h]": readings.number("Nominal cell capacity [A.h]"),
        "Reference temperature [K]": readings.reference,
    }


def _electrolyte(readings: Readings) -> Section:
    fields: Section = {"Cation transference number": _constant(readings, "Cation transference number", 1000.0)}
    for field, name in (
        ("Diffusivity", "Electrolyte diffusivity [m2.s-1]"),
        ("Conductivity", "Electrolyte conductivity [S.m-1]"),
    ):
        unit = name[name.index("[") :]
        fields[f"{field} {unit}"] = readings.curve(name, 0.0, MOST_CONCENTRATION, readings.reference)
        fields[f"{field} activation energy [J.mol-1]"] = _energy(readings, name, CONCENTRATIONS)
    return fields


def _energy(readings: Readings, name: str, xs: list[float]) -> Any:
    if name not in readings.used or len(readings.arguments(name) or ()) < 2:
        return ABSENT
    return _optional(readings.activation_energy(name, lambda x, t: readings.symbol(name, x, t), xs))


def _constant(readings: Readings, name: str, x: float) -> float | None:
    """Return a function as its value at `x` and the reference temperature."""
    if (names := readings.arguments(name)) is None:
        return readings.number(name)
    value = evaluate(readings.symbol(name, x, readings.reference), math.nan)
    if not math.isfinite(value) or len(names) > 2:
        return None
    readings.used.add(name)
    readings.omitted[name] = f"Its dependence; the document holds its value {value:.6g} at {x:g}."
    return value


def _porous(readings: Readings, domain: str) -> Section:
    porosity = readings.number(f"{domain} porosity")
    power = readings.number(f"{domain} Bruggeman coefficient (electrolyte)")
    return {
        "Thickness [m]": readings.number(f"{domain} thickness [m]"),
        "Porosity": porosity,
        "Transport efficiency": None if porosity is None or power is None else porosity**power,
    }


def _electrode(readings: Readings, side: str, window: dict[str, tuple[float, float]] | None) -> Section:
    domain, low = f"{side} electrode", side.lower()
    radius = readings.number(f"{side} particle radius [m]")
    fraction = readings.number(f"{domain} active material volume fraction")
    most = readings.number(f"Maximum concentration in {low} electrode [mol.m-3]")
    diffusivity = f"{side} particle diffusivity [m2.s-1]"
    entropic = f"{domain} OCP entropic change [V.K-1]"
    fields = _porous(readings, domain)
    fields |= {
        "Conductivity [S.m-1]": _conductivity(readings, domain),
        "Minimum stoichiometry": None if window is None else window[side][0],
        "Maximum stoichiometry": None if window is None else window[side][1],
        "Maximum concentration [mol.m-3]": most,
        "Particle radius [m]": radius,
        "Surface area per unit volume [m-1]": None if fraction is None or not radius else 3 * fraction / radius,
        "Diffusivity [m2.s-1]": readings.curve(diffusivity, 0.0, 1.0, readings.reference),
        "Diffusivity activation energy [J.mol-1]": _energy(readings, diffusivity, STOICHIOMETRIES),
        "OCP [V]": readings.curve(f"{domain} OCP [V]", 0.0, 1.0, readings.reference),
        "Entropic change coefficient [V.K-1]": ABSENT,
    }
    if readings.has(entropic):
        fields["Entropic change coefficient [V.K-1]"] = readings.curve(entropic, 0.0, 1.0, most or math.nan)
    return fields | _reaction(readings, f"{domain} exchange-current density [A.m-2]", most)


def _conductivity(readings: Readings, domain: str) -> float | None:
    """Return the effective conductivity, which BPX holds."""
    bare, porosity = readings.number(f"{domain} conductivity [S.m-1]"), readings.number(f"{domain} porosity")
    power = readings.number(f"{domain} Bruggeman coefficient (electrode)")
    if bare is None or porosity is None:
        return None
    return bare * float((1 - porosity) ** (power or 0.0))


def _reaction(readings: Readings, name: str, most: float | None) -> Section:
    """Return the rate constant of an exchange-current density, which BPX assumes to be that of Butler and Volmer with
    equal coefficients: F k sqrt(c_e / c_e0 * s * (1 - s)) at the stoichiometry s."""
    rate, energy = "Reaction rate constant [mol.m-2.s-1]", "Reaction rate constant activation energy [J.mol-1]"
    salt = readings.number(SALT) or 1000.0
    if not most or not readings.has(name) or isinstance(readings.values[name], str):
        return {rate: None}

    def density(salt: float, share: float, temperature: float) -> float:
        return evaluate(readings.symbol(name, salt, share * most, most, temperature), math.nan)

    def constant(c: float, share: float) -> float:
        return density(c, share, readings.reference) / (FARADAY * math.sqrt(c / salt * share * (1 - share)))

    try:
        found = np.array([constant(c, share) for c in CONCENTRATIONS for share in STOICHIOMETRIES])
        middle = constant(salt, 0.5)
    except Exception:  # a value of the sender may fail in any way; it gives no rate constant then
        return {rate: None}
    if not math.isfinite(middle) or middle <= 0:
        return {rate: None}
    readings.used.add(name)
    if not np.isfinite(found).all() or float(np.abs(found / middle - 1).max()) > SAME:
        readings.omitted[name] = (
            "Its form: the document holds a rate constant, whose exchange-current density equals it at half the "
            f"stoichiometry and {salt:g} mol.m-3 only."
        )
    at = _optional(readings.activation_energy(name, lambda share, t: density(salt, share, t), STOICHIOMETRIES))
    return {rate: middle, energy: at}


def _window(readings: Readings) -> dict[str, tuple[float, float]] | None:
    """Return the stoichiometries of each electrode at 0% and 100%: those that the values hold, or those at the limits
    of the open-circuit voltage."""
    ends = {}
    for side in ELECTRODES:
        pair = [readings.number(f"{side} electrode {end} stoichiometry") for end in ("minimum", "maximum")]
        if pair[0] is not None and pair[1] is not None:
            ends[side] = (pair[0], pair[1])
    if len(ends) == 2:
        return ends
    try:
        found = pybamm.lithium_ion.get_min_max_stoichiometries(readings.set_with_limits())
    except Exception as error:  # values that are absent, or that allow no solution
        readings.omitted["stoichiometry window"] = f"It cannot be computed: {error!s:.200}"
        return None
    low_n, high_n, low_p, high_p = (float(each) for each in found)
    return {"Negative": (low_n, high_n), "Positive": (low_p, high_p)}


def _document(readings: Readings, parts: dict[str, Section], title: str) -> Section:
    model = "DFN" if len(parts) == 5 else "Partial"
    state = _state(readings)
    if model == "DFN":  # the state of charge holds them
        readings.used |= {f"Initial concentration in {side.lower()} electrode [mol.m-3]" for side in ELECTRODES}
    others = _others(readings)
    header = {"BPX": bpx.__version__, "Title": title, "Description": "Written by Voltgraph.", "Model": model}
    document: Section = {"Header": header, "Parameterisation": parts | ({"User-defined": others} if others else {})}
    return document | ({"State": state} if state else {})


def _state(readings: Readings) -> Section:
    initial = {
        "Initial temperature [K]": readings.number("Initial temperature [K]"),
        "Initial electrolyte concentration [mol.m-3]": readings.number(SALT),
    }
    around = {
        "Ambient temperature [K]": readings.number("Ambient temperature [K]"),
        "Heat transfer coefficient [W.m-2.K-1]": readings.number("Total heat transfer coefficient [W.m-2.K-1]"),
    }
    sections = {"Initial conditions": initial, "Thermal environment": around}
    known = {name: {n: v for n, v in fields.items() if v is not None} for name, fields in sections.items()}
    return {name: fields for name, fields in known.items() if fields}


def _others(readings: Readings) -> Section:
    """Return the values that no other section holds: numbers, and functions of one variable."""
    found: Section = {}
    for name in readings.values:
        if name in readings.used and name not in ("Electrode height [m]", "Electrode width [m]"):
            continue
        value = readings.values[name]
        if isinstance(value, str):
            readings.omitted[name] = "It is a text; BPX holds numbers, formulas and tables."
        elif name == "description":
            readings.omitted[name] = "BPX reserves the name."
        elif (names := readings.arguments(name)) is None and (number := readings.number(name)) is not None:
            found[name] = number
        elif names is not None and len(names) == 1 and (line := readings.curve(name, 0.0, 1.0)) is not None:
            found[name] = line
        else:
            kind = "a value that is no number" if names is None else f"a function of {', '.join(names)}"
            readings.omitted[name] = f"It is {kind}; BPX holds numbers, and functions of one variable."
    return found


def _set_charge(readings: Readings, document: Section) -> None:
    """Set the state of charge so that PyBaMM reads the initial concentrations back. If none does, the stoichiometries
    at 100% become those of the initial concentrations."""
    names = {side: f"Initial concentration in {side.lower()} electrode [mol.m-3]" for side in ELECTRODES}
    starts = {side: readings.number(name) for side, name in names.items()}
    if document["Header"]["Model"] == "Partial" or None in starts.values():
        return
    try:
        if not _is_read_back(document, names, starts):
            _use_charge(document, starts["Negative"] or 0.0)
        if not _is_read_back(document, names, starts):
            _use_window(readings, document, starts)
        if not _is_read_back(document, names, starts):
            readings.omitted |= dict.fromkeys(names.values(), "The document's state of charge differs from it.")
    except Exception as error:  # PyBaMM's reader needs more than the standard, and fails in any way without it
        readings.omitted["initial state"] = f"PyBaMM cannot read the document: {type(error).__name__}: {error!s:.200}"


def _is_read_back(document: Section, names: Mapping[str, str], starts: Mapping[str, float | None]) -> bool:
    back = pybamm.ParameterValues.create_from_bpx_obj(_copied(document))
    return all(math.isclose(starts[side] or 0.0, float(back[name]), rel_tol=1e-7) for side, name in names.items())


def _use_charge(document: Section, start: float) -> None:
    """Set the state of charge at which the negative electrode has the concentration `start`."""
    full = pybamm.ParameterValues.create_from_bpx_obj(_copied(document))
    empty, most, *_ = (float(each) for each in pybamm.lithium_ion.get_min_max_stoichiometries(full))
    share = start / float(full["Maximum concentration in negative electrode [mol.m-3]"])
    conditions = document.setdefault("State", {}).setdefault("Initial conditions", {})
    conditions["Initial state-of-charge"] = min(max((share - empty) / (most - empty), 0.0), 1.0)


def _use_window(readings: Readings, document: Section, starts: Mapping[str, float | None]) -> None:
    """Have the document's 100% be the initial state."""
    document["State"]["Initial conditions"].pop("Initial state-of-charge", None)
    for side, end in zip(ELECTRODES, ("Maximum", "Minimum"), strict=True):
        fields = document["Parameterisation"][f"{side} electrode"]
        fields[f"{end} stoichiometry"] = (starts[side] or 0.0) / fields["Maximum concentration [mol.m-3]"]
    readings.omitted["stoichiometry window"] = (
        "No state of charge gives the initial concentrations, so the stoichiometries at 100% are those of them."
    )
