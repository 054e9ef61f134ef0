"""Battery package: it requires its extra, imports nothing of the server, and BATTERY.md matches the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import app.battery
from app.battery.calculations import CALCULATIONS, REFUSED_CALCULATIONS
from app.battery.costs import FIELDS, REFUSED_COSTS
from app.battery.entries import ENTRIES, REFUSED_ENTRIES
from app.battery.fit.configuration import DEFAULT_COST, MAX_SLOPES
from app.battery.fit.diagnosis import AGREEMENT, CORRELATED, DISAGREEMENT, FALL, WIDE
from app.battery.fit.optimisers import DEFAULT, OPTIMISERS, REFUSED_OPTIMISERS
from app.battery.fit.optimisers.cmaes import SIGMA
from app.battery.fit.optimisers.scipy_least_squares import LEAST_SQUARES, ROUGH
from app.battery.fit.optimisers.scipy_minimize import MINIMIZE
from app.battery.fit.parameters.coordinates import FLOOR, FLOOR_OF_BOUNDS
from app.battery.fit.parameters.distributions import REFUSED_DISTRIBUTIONS
from app.battery.fit.parameters.free_parameters import MAX_FREE
from app.battery.fit.parameters.guesses import MAX_STARTS
from app.battery.fit.problem import HOPELESS, PENALTY
from app.battery.fit.search.convergence import ALIKE, CLOSE, RESOLVED, STAYS
from app.battery.fit.search.differences import CENTRAL, CENTRAL_ERROR, FORWARD, FORWARD_ERROR, LARGEST
from app.battery.fit.search.optimiser import MAX_EVALUATIONS, MAX_ITERATIONS
from app.battery.fit.search.restarts import MAX_RESTARTS, UNMOVED
from app.battery.fit.uncertainty import LEVEL
from app.battery.objectives import OBJECTIVES, REFUSED_OBJECTIVES
from app.battery.objectives.data.loader_options import LOADING
from app.battery.objectives.models.named_models import MODELS, REFUSED_MODELS

PACKAGE = Path(app.battery.__file__).parent
PAGE = (PACKAGE / "BATTERY.md").read_text()


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["pybamm", "ionworks_schema", "cma"])
def test_without_its_extra_it_says_how_to_get_it(module: str) -> None:
    outcome = python(
        "import importlib.util as util; real = util.find_spec\n"
        f"util.find_spec = lambda name, package=None: None if name == {module!r} else real(name, package)\n"
        "import app.battery"
    )
    assert outcome.returncode == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: Battery work needs {module}.")
    assert "pip install 'voltgraph[battery]'" in last


def test_it_needs_neither_the_database_nor_the_schema_and_reports_to_nobody() -> None:
    outcome = python(
        "import sys, os, app.battery\n"
        "print([name for name in sys.modules if name == 'app.database' or name.split('.')[0] == 'schema'])\n"
        "import pybamm; print(pybamm.config.check_env_opt_out())"
    )
    assert outcome.stdout.split() == ["[]", "True"]


def rows(heading: str) -> list[str]:
    """Return the names in the first column of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_the_page_explains_every_warning() -> None:
    sources = [file.read_text() for file in PACKAGE.rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r"ResultWarning\(\s*\"([A-Z_]+)\"", source)}
    assert {"CURRENT_SIGN", "POOR_FIT", "LOADER_OPTION"} <= codes
    assert {code for code in codes if f"| `{code}` |" not in PAGE} == set()


def test_the_page_explains_every_loader_option() -> None:
    section = PAGE.split("\n## Data loader\n")[1].split("\n## ")[0]
    assert {name for name in LOADING if f"`{name}`" not in section and name != "transforms"} == set()


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Named entries", ENTRIES),
        ("Refused entries", REFUSED_ENTRIES),
        ("Calculations", CALCULATIONS),
        ("Refused calculations", REFUSED_CALCULATIONS),
        ("Objectives", OBJECTIVES),
        ("Refused objectives", REFUSED_OBJECTIVES),
        ("Models", {name: model for module in MODELS.values() for name, model in module.items()}),
        ("Refused models", REFUSED_MODELS),
        ("Costs", FIELDS),
        ("Refused costs", REFUSED_COSTS),
        ("Optimisers", OPTIMISERS),
        ("Refused optimisers", REFUSED_OPTIMISERS),
        ("Priors", REFUSED_DISTRIBUTIONS),
    ],
)
def test_the_page_lists_exactly_what_there_is(heading: str, names: dict[str, object]) -> None:
    assert rows(heading) == sorted(names)


@pytest.mark.parametrize(
    "reasons",
    [
        REFUSED_ENTRIES,
        REFUSED_CALCULATIONS,
        REFUSED_OBJECTIVES,
        REFUSED_MODELS,
        REFUSED_COSTS,
        REFUSED_OPTIMISERS,
        REFUSED_DISTRIBUTIONS,
    ],
)
def test_the_page_gives_the_reason_of_each_refusal(reasons: dict[str, str]) -> None:
    for name, reason in reasons.items():
        assert f"| `{name}` | {reason} |" in PAGE


@pytest.mark.parametrize(
    "said",
    [
        f"counts as {PENALTY:g} times the highest cost so far",
        f"without any solution stops after {HOPELESS} points",
        f"`multistarts` (at most {MAX_STARTS})",
        f"`max_iterations` ({MAX_ITERATIONS:,})",
        f"{MAX_EVALUATIONS:,} evaluations",
        f"{MAX_FREE} free parameters; {MAX_SLOPES:,} data times free parameters",
        f"{FORWARD:g} forward and {CENTRAL:g} central",
        f"more than {FORWARD_ERROR:.0%} of a forward difference, or {CENTRAL_ERROR:.1%} of a central one",
        f"up to {LARGEST:.0%} of the parameter",
        f"at least {FLOOR:g} of the initial value (or {FLOOR_OF_BOUNDS:g} of the farther bound",
        f"within {CLOSE:g} standard errors of each parameter, or within {ALIKE:g} of the parameter",
        f"or {RESOLVED:g} of the data",
        f"restarted from the point where it stopped, up to {MAX_RESTARTS} times",
        f"rises by less than {STAYS:g}",
        f"within {UNMOVED:.1%} of its initial guess",
        f"more than {FALL:g} times those at the end",
        f"more than {AGREEMENT:.0%} above the minimum",
        f"or at values {DISAGREEMENT:g} standard errors apart",
        f"more than {WIDE:.0%} of the range",
        f"correlation of two parameters is more than {CORRELATED:g}",
        f"{LEAST_SQUARES.fields['ftol'].default:g} (`ftol`, `xtol`, `gtol`)",
        f"a first step of {SIGMA:g}",
        f"falls by less than {ROUGH:.0%}",
        f"{LEVEL:.0%} intervals",
        f"the cost is {DEFAULT_COST['type']}",
        f"the optimiser {DEFAULT}",
        f"with {MINIMIZE.fields['method'].default}",
    ],
)
def test_the_page_tells_the_numbers_that_there_are(said: str) -> None:
    assert said.replace("e-0", "e-") in " ".join(PAGE.split())


def test_the_page_lists_every_warning_of_a_fit() -> None:
    section = PAGE.split("\n## Warnings of a fit\n")[1].split("\n## ")[0]
    written = re.findall(r'ResultWarning\(\s*"([A-Z_]+)"', (PACKAGE / "fit" / "diagnosis.py").read_text())
    assert re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE) == list(dict.fromkeys(written))
