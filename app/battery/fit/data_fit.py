"""A checked Data Fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.battery.checked_element import Known
from app.battery.checks.fields import MAX_SUGGESTIONS, Settings, suggestion
from app.battery.costs import Cost
from app.battery.fit.parameters.free_parameters import Parameters
from app.battery.fit.search.optimiser import Optimiser
from app.battery.objectives.objective import Objective
from app.execution.executor import Fault


@dataclass(frozen=True, slots=True)
class DataFit:
    """A checked fit."""

    config: Settings
    objectives: dict[str, Objective]
    parameters: Parameters
    cost: Cost
    optimiser: Optimiser
    settings: Settings
    options: Settings

    @property
    def sets(self) -> dict[str, Any]:
        """Values that the fit passes on: initial values of free parameters, and links."""
        links = {name: each.symbol for name, each in self.parameters.links.items()}
        return {name: each.initial for name, each in self.parameters.free.items()} | self.parameters.fixed | links

    @property
    def effective(self) -> Settings:
        """Configuration with all defaults, without the data."""
        free = {name: each.effective for name, each in self.parameters.free.items()}
        links = {name: self.config["parameters"][name] for name in self.parameters.links}
        kept = ("source", "objective_parallelism", "multistarts", "initial_guesses", "initial_guess_sampler")
        return {
            "element_type": "data_fit",
            "objectives": {name: each.effective for name, each in self.objectives.items()},
            "parameters": free | self.parameters.fixed | links,
            "cost": self.cost.effective,
            "optimizer": self.settings,
            "options": self.options,
        } | {name: self.config[name] for name in kept if self.config.get(name) is not None}


def unfit(fit: DataFit, known: Known) -> list[Fault]:
    """Return the problems of a fit with earlier values: unresolved links, and parameters that no objective uses."""
    own = set(fit.parameters.names)
    faults: list[Fault] = []
    for name, link in fit.parameters.links.items():
        for each in sorted(link.reads - own - set(known)):
            meant = suggestion(each, known) if len(faults) < MAX_SUGGESTIONS else ""
            faults.append(Fault(f"{name} follows from {each}, which does not exist{meant}.", ("parameters", name)))
    if not fit.options["validate"]:
        return faults
    values = {**known, **fit.sets}
    used = {each for objective in fit.objectives.values() for each in objective.parameter_names(values)}
    used |= {each for each in fit.cost.sigma.values() if isinstance(each, str)}
    for name in fit.parameters.free:
        if name not in used:
            meant = suggestion(name, sorted(used - own)) if len(faults) < MAX_SUGGESTIONS else ""
            message = f"No objective uses {name}{meant}. Correct its name, or set `options.validate` to false."
            faults.append(Fault(message, ("parameters", name)))
    return faults
