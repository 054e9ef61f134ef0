"""What the package promises the rest: a clear refusal without its extra, and nothing of the server in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import app.battery
from app.battery.calculations import CALCULATIONS, REFUSED_CALCULATIONS
from app.battery.entries import ENTRIES, REFUSED_ENTRIES

PACKAGE = Path(app.battery.__file__).parent
PAGE = (PACKAGE / "BATTERY.md").read_text()


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["pybamm", "ionworks_schema"])
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
    """The names in the first column of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Named entries", ENTRIES),
        ("Refused entries", REFUSED_ENTRIES),
        ("Calculations", CALCULATIONS),
        ("Refused calculations", REFUSED_CALCULATIONS),
    ],
)
def test_the_page_lists_exactly_what_there_is(heading: str, names: dict[str, object]) -> None:
    assert rows(heading) == sorted(names)


@pytest.mark.parametrize("reasons", [REFUSED_ENTRIES, REFUSED_CALCULATIONS])
def test_the_page_gives_the_reason_of_each_refusal(reasons: dict[str, str]) -> None:
    for name, reason in reasons.items():
        assert f"| `{name}` | {reason} |" in PAGE
