"""Wheel: one top-level package that works beside projects with packages of the same names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app import __version__
from hatch_build import renamed
from tests.api import ROOT
from tests.package.conftest import Installed
from tests.servers import Postgres, stop

FAKE = {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor"}
PAGES = ("app/server/pages/explorer/", "app/server/pages/console/")
"""Pages, of which the wheel holds the builds, and the operations of the console."""
SMALL = {"project_id": "p", "elements": {"a": {"element_type": "data_fit", "fake": {}, "values": {"v": 3}}}}


def ran(folder: Path, *command: str, **variables: str) -> str:
    """Return what a command prints in a folder."""
    environment = os.environ | {"COLUMNS": "120"} | variables
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def started(folder: Path, *command: str, **variables: str) -> Iterator[str]:
    """Start a process in a folder; yield the first line that it prints."""
    environment = os.environ | variables
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            stop(process)


def test_it_has_one_top_level_package(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        tops = {name.partition("/")[0] for name in wheel.namelist()}
        assert tops == {"voltgraph", f"voltgraph-{__version__}.dist-info"}
        assert f"voltgraph-{__version__}.dist-info/licenses/LICENSE" in wheel.namelist()
        names = {name.removeprefix("voltgraph/") for name in wheel.namelist()}
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "app", "schema", "queries"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    left_out = [name for name in tracked if name not in names and not name.startswith(PAGES)]
    assert [name for name in left_out if (ROOT / name).exists()] == []
    assert names >= {name for name in tracked if re.search("/pages/[a-z]+/(dist|operations)/", name)}
    assert [name for name in names if re.search("/pages/.*(/src/|node_modules|package|[.]config[.]js)", name)] == []


def test_no_module_of_the_wheel_imports_a_name_of_the_checkout(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        for name in wheel.namelist():
            if name.endswith(".py"):
                text = wheel.read(name).decode()
                assert not re.search(r"^\s*(from|import) (app|schema|queries)\b", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("import schema\n", "from voltgraph import schema\n"),
        ("from app import errors\n", "from voltgraph.app import errors\n"),
        ("if x:\n    from schema.a import (\n  b)\n", "if x:\n    from voltgraph.schema.a import (\n  b)\n"),
        ("import app.models as m\n", "import voltgraph.app.models as m\n"),
        ("import app.models.tables\n", "import voltgraph.app.models.tables\n"),
        ("ä = 1; from app import b\n", "ä = 1; from voltgraph.app import b\n"),
        ("import application, schemata\nfrom .app import c\n", "import application, schemata\nfrom .app import c\n"),
        ('"""About `app.cli`."""\nx = "app.a:B"\n', '"""About `app.cli`."""\nx = "app.a:B"\n'),
    ],
)  # fmt: skip
def test_imports_are_renamed(source: str, result: str) -> None:
    assert renamed(source, "x.py") == result


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("\nimport_module('app.cli.run')\n", "x.py:2 names the module 'app.cli.run'"),
        ("import app.models\napp.models\n", "x.py:1 uses 'app'"),
    ],
)
def test_names_that_the_hook_cannot_rename_stop_the_build(source: str, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        renamed(source, "x.py")


def test_the_version_is_told_everywhere(installed: Installed, foreign: Path) -> None:
    assert ran(foreign, installed.command, "--version") == f"voltgraph {__version__}\n"
    assert ran(foreign, installed.python, "-m", "voltgraph", "--version") == f"voltgraph {__version__}\n"


def test_completion_is_there_for_shells(installed: Installed, foreign: Path) -> None:
    assert "_VOLTGRAPH_COMPLETE" in ran(
        foreign, installed.command, "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    )


def test_a_server_works_in_a_folder_of_another_project(installed: Installed, foreign: Path) -> None:
    file = foreign / "small.json"
    file.write_text(json.dumps(SMALL))
    with started(foreign, installed.command, "serve", "--port", "0", **FAKE) as line:
        [url] = re.findall(r"http://[^/\s]+", line)
        assert httpx.get(f"{url}/livez").text == f"ok, voltgraph {__version__}"
        assert "<title>" in httpx.get(f"{url}/graphql", headers={"accept": "text/html"}).text
        assert "COMPLETED" in ran(foreign, installed.command, "run", str(file), "--server", url)
    assert "COMPLETED" in ran(foreign, installed.command, "run", str(file), **FAKE)
    assert ran(foreign, installed.command, "keys", "create").startswith("vg_")


def test_battery_work_is_found_in_a_folder_of_another_project(installed: Installed, foreign: Path) -> None:
    printed = ran(foreign, installed.python, "-m", "voltgraph", "run", str(ROOT / "examples" / "capacity.json"))
    assert "8.73232" in printed


def test_a_measurement_is_uploaded_and_fitted_in_a_folder_of_another_project(
    installed: Installed, foreign: Path
) -> None:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    free = "Positive particle diffusivity [m2.s-1]=1e-15..1e-13"
    with started(foreign, installed.command, "serve", "--port", "0", VOLTGRAPH_WORKERS="1") as line:
        assert "http://" in line
        printed = ran(foreign, installed.command, "upload", str(ROOT / "examples" / "discharge.csv"))
        [reference] = re.findall(r"db:[0-9a-f-]{36}", printed)
        printed = ran(foreign, installed.command, "fit", reference, "--cell", "Chen2020", "--free", free)
    [value] = re.findall(r"diffusivity \[m2.s-1\] *│ (\S+) *│ ±", printed)
    assert float(value) == pytest.approx(6e-15, rel=1e-3), printed


def test_a_worker_works_in_a_folder_of_another_project(installed: Installed, foreign: Path, postgres: Postgres) -> None:
    file = foreign / "small.json"
    file.write_text(json.dumps(SMALL))
    variables = FAKE | {"VOLTGRAPH_DATABASE_URL": postgres.new_database(empty=True)}
    serve = installed.command, "serve", "--port", "0"
    with (
        started(foreign, *serve, **variables, VOLTGRAPH_WORKERS="0") as line,
        started(foreign, installed.command, "worker", **variables) as worker,
    ):
        [url] = re.findall(r"http://[^/\s]+", line)
        assert worker.startswith("Runs the pipelines of postgresql")
        assert "COMPLETED" in ran(foreign, installed.command, "run", str(file), "--server", url)
