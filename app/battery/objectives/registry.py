"""Registry of the public schema's objectives: their parsers, or the reason for refusing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.battery.checks.fields import Path
from app.battery.objectives.half_cells import half_cell_plan
from app.battery.objectives.objective import Objective
from app.battery.objectives.plans import driven_plan, impedance_plan
from app.execution.executor import Fault

ObjectivePlan = Callable[[dict[str, Any], Path], tuple[Objective | None, list[Fault]]]

OBJECTIVES: dict[str, ObjectivePlan] = {
    "CurrentDriven": driven_plan,
    "EIS": impedance_plan,
    "MSMRHalfCell": half_cell_plan,
    "Pulse": driven_plan,
}
_AGEING = "ageing experiments are not supported yet"
_BALANCE = "the public documentation does not name the parameters that it reads"
REFUSED_OBJECTIVES: dict[str, str] = {
    "CalendarAgeing": _AGEING,
    "CycleAgeing": _AGEING,
    "DesignObjective": "it compares with no data",
    "ElectrodeBalancing": _BALANCE,
    "ElectrodeBalancingHalfCell": _BALANCE,
    "MSMRFullCell": "full cells of MSMR electrodes are not supported yet",
    "OCPHalfCell": _BALANCE,
    "Objective": "name the kind of experiment, CurrentDriven for one",
    "Resistance": "PyBaMM has no model of it",
}
"""Reasons for refusing the other objectives of the public schema."""
