"""Executor of the element types, on PyBaMM. It needs the extra `battery`; BATTERY.md lists what is supported. Only
child processes import it: PyBaMM takes seconds to load."""

import os
from importlib.util import find_spec

if missing := [name for name in ("pybamm", "ionworks_schema", "cma") if find_spec(name) is None]:
    raise ImportError(
        f"Battery work needs {' and '.join(missing)}. Install the extra `battery`: pip install 'voltgraph[battery]'."
    )
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read at import; processes are the unit of parallel work
os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"  # read at import; otherwise PyBaMM would ask for or send telemetry

from app.battery.executor import BatteryExecutor

__all__ = ["BatteryExecutor"]
