"""Codec of parameter values between JSON and PyBaMM, in the official client's form."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import ionworks_schema.serialize as wire

from app.battery.checks.guard import value_faults
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode


def decode(value: Any) -> Any:
    """Decode a JSON value to a number, text or PyBaMM symbol. Raises ValueError. This is the only access to PyBaMM's
    decoder; `guard` checks every value first."""
    for fault in value_faults(value, ()):
        raise ValueError(fault.message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns about hostile constants; only the result matters
        try:
            return wire.deserialize_parameter_value(value)
        except Exception as error:
            raise ValueError(f"PyBaMM cannot read this symbol: {error}") from error


def encode(name: str, value: Any) -> Any:
    """Encode a number, a function or a PyBaMM symbol. Raises JobFailed, by name, for a number that is not finite."""
    if isinstance(value, int | float) and not math.isfinite(value):
        raise JobFailed(JobErrorCode.MODEL_ERROR, f"{name} comes out as {float(value)}.", {"parameter": name})
    try:
        return json.loads(json.dumps(wire.serialize_parameter_value(name, value), allow_nan=False))
    except ValueError as error:
        message = f"{name} holds a number that is not finite."
        raise JobFailed(JobErrorCode.MODEL_ERROR, message, {"parameter": name}) from error
