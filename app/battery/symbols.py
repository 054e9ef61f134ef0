"""Parameter values between JSON and PyBaMM, in the form that the official client reads and writes."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import ionworks_schema.serialize as wire

from app.battery.guard import value_faults
from app.execution.executor import JobFailed
from app.models import JobErrorCode


def decode(value: Any) -> Any:
    """The number, text or PyBaMM symbol that a JSON value stands for. ValueError when it stands for none.

    This is the one way into PyBaMM's decoder, and nothing passes that `guard` does not know.
    """
    for fault in value_faults(value, ()):
        raise ValueError(fault.message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy on hostile constants: what matters is what comes out
        try:
            return wire.deserialize_parameter_value(value)
        except Exception as error:
            raise ValueError(f"PyBaMM cannot read this symbol: {error}") from error


def encode(name: str, value: Any) -> Any:
    """The JSON of a number, a function or a PyBaMM symbol. JobFailed, by name, where a number is not finite."""
    if isinstance(value, int | float) and not math.isfinite(value):
        raise JobFailed(JobErrorCode.MODEL_ERROR, f"{name} comes out as {float(value)}.", {"parameter": name})
    try:
        return json.loads(json.dumps(wire.serialize_parameter_value(name, value), allow_nan=False))
    except ValueError as error:
        message = f"{name} holds a number that is not finite."
        raise JobFailed(JobErrorCode.MODEL_ERROR, message, {"parameter": name}) from error
