"""Readings of parameter values for a BPX document: numbers, curves, and activation energies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pybamm

from app.battery.entries.bpx.curves import Curve, X, curve, evaluate
from app.battery.expressions.expression_size import require_bounded
from app.battery.expressions.symbols import decode
from app.execution.executor import JobFailed

REFERENCE = "Reference temperature [K]"
ASSUMED_REFERENCE = 298.15
STEP = 10.0
"""Kelvin above and below the reference temperature at which activation energies are read."""
GAS_CONSTANT, FARADAY = float(pybamm.constants.R.value), float(pybamm.constants.F.value)
SAME = 1e-6
"""Largest relative difference of values that count as equal."""


class Readings:
    """Parameter values as a BPX document needs them. `used` are the names that were read, `omitted` the reasons for
    what the document does not hold, by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.omitted: dict[str, str] = {}
        self.used: set[str] = set()
        self.values: dict[str, Any] = {}
        for name, value in values.items():
            try:
                self.values[name] = decode(value)
            except ValueError as error:
                self.omitted[name] = f"It cannot be read: {error!s:.200}"
        self._drop_large()
        self._set = pybamm.ParameterValues({n: v for n, v in self.values.items() if not isinstance(v, str)})
        self.reference = self.number(REFERENCE) or ASSUMED_REFERENCE
        if REFERENCE not in self.values:
            self.omitted[REFERENCE] = f"It is absent; {ASSUMED_REFERENCE} K is assumed."

    def _drop_large(self) -> None:
        """Drop values that are too large with all that they read."""
        for name in list(self.values):
            try:
                require_bounded([name], self.values)
            except (JobFailed, RecursionError):
                self.omitted[name] = "With all that it reads, it is too large."
        self.values = {name: value for name, value in self.values.items() if name not in self.omitted}

    def set_with_limits(self) -> pybamm.ParameterValues:
        """Return the values with limits of the open-circuit voltage, which are those of the cell unless given."""
        found = self._set.copy()
        for limit, cut in (("0%", "Lower"), ("100%", "Upper")):
            name, value = f"Open-circuit voltage at {limit} SOC [V]", self.values.get(f"{cut} voltage cut-off [V]")
            if name not in self.values and isinstance(value, int | float):
                found.update({name: value}, check_already_exists=False)
        return found

    def take(self, make: Callable[[], dict[str, Any]]) -> dict[str, Any] | list[str]:
        """Return the fields that `make` reads, or the names of those that are absent; then nothing counts as read."""
        used, omitted = set(self.used), dict(self.omitted)
        fields = make()
        absent = [field for field, value in fields.items() if value is None]
        if absent:
            self.used, self.omitted = used, omitted
        return absent or fields

    def has(self, name: str) -> bool:
        return name in self.values

    def arguments(self, name: str) -> list[str] | None:
        """Return the names of the arguments of a function; None for any other value."""
        found = getattr(self.values.get(name), "func_args", None)
        return None if found is None else list(found)

    def symbol(self, name: str, *given: Any) -> Any:
        """Return a value as a symbol, a function at the arguments `given`, as many as it takes. Raises KeyError."""
        names = self.arguments(name)
        if names is None:
            value = self._set[name]
            return self._set.process_symbol(value) if isinstance(value, pybamm.Symbol) else value
        inputs = {f"{at}": pybamm.Scalar(each) if isinstance(each, float) else each for at, each in enumerate(given)}
        if len(names) > len(inputs):
            raise KeyError(name)
        return self._set.process_symbol(pybamm.FunctionParameter(name, dict(list(inputs.items())[: len(names)])))

    def number(self, name: str) -> float | None:
        """Return a value that is a number at the reference temperature; None if it is none."""
        if name not in self.values or isinstance(self.values[name], str):
            return None
        reference = getattr(self, "reference", ASSUMED_REFERENCE)
        try:
            found = evaluate(self.symbol(name, reference), math.nan)
        except Exception:  # a value of the sender may fail in any way; it is no number then
            return None
        if not math.isfinite(found):
            return None
        self.used.add(name)
        return found

    def curve(self, name: str, low: float, high: float, *others: float) -> Any:
        """Return a function of one variable as BPX holds it; the further arguments have the values `others`."""
        if name not in self.values or isinstance(self.values[name], str):
            return None
        try:
            found: Curve | None = curve(self.symbol(name, X, *others), low, high)
        except Exception:  # a value of the sender may fail in any way; it is no curve then
            found = None
        if found is None:
            return None
        self.used.add(name)
        if found.note:
            self.omitted[name] = f"Its form; the document holds {found.note}."
        return found.value

    def activation_energy(self, name: str, at: Callable[[float, float], Any], xs: list[float]) -> float | None:
        """Return the activation energy of a function of a variable and the temperature, read at `xs`; None without any
        dependence, and if it is not Arrhenius', which is noted."""
        reference = [evaluate(at(x, self.reference), math.nan) for x in xs]
        energies = []
        for temperature in (self.reference - STEP, self.reference + STEP):
            inverse = (1 / self.reference - 1 / temperature) / GAS_CONSTANT
            for x, base in zip(xs, reference, strict=True):
                ratio = evaluate(at(x, temperature), math.nan) / base if base else math.nan
                energies.append(math.log(ratio) / inverse if ratio > 0 else math.nan)
        found = np.array(energies)
        if not np.isfinite(found).all() or np.ptp(found) > max(1.0, 1e-4 * float(np.abs(found).max())):
            note = f"its dependence on temperature, which is not Arrhenius'; the document holds {self.reference:g} K"
            self.omitted[name] = f"{self.omitted[name]} Also {note}." if name in self.omitted else f"It lacks {note}."
            return None
        energy = float(found.mean())
        return energy if abs(energy) > 1e-3 else None
