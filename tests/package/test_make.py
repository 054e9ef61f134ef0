"""Set-up by make: environments that are half-made, Python without venv, and uv where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, whose packages need not be installed."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def made(checkout: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(["make", *arguments], cwd=checkout, env=environment, capture_output=True, text=True)


def script(file: Path, text: str) -> Path:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def python(folder: Path, venv: str) -> Path:
    """Return a Python whose `-m venv` does as the script says; `$3` is the folder."""
    return script(folder / "python", f'if [ "$1" = -m ] && [ "$2" = venv ]; then {venv}; fi\nexit 0')


PIP = '#!/bin/sh\\necho pip \\"\\$@\\" >> log\\n'
WHOLE = f'mkdir -p "$3/bin" && printf "{PIP}" > "$3/bin/python" && chmod +x "$3/bin/python"'


def test_a_half_made_environment_is_made_again(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    script(checkout / ".venv" / "bin" / "python", "echo No module named pip >&2; exit 1")
    done = made(checkout, ".venv/made", f"PYTHON={python(checkout, WHOLE)}", "UV=")
    assert done.returncode == 0, done.stderr
    assert "pip" in (checkout / ".venv" / "bin" / "python").read_text()


def test_an_environment_that_works_is_kept(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    script(checkout / ".venv" / "bin" / "python", "exit 0")
    (checkout / ".venv" / "kept").touch()
    assert made(checkout, ".venv/made", f"PYTHON={python(checkout, 'exit 1')}", "UV=").returncode == 0
    assert (checkout / ".venv" / "kept").exists()


def test_python_without_venv_is_told_and_leaves_nothing(checkout: Path) -> None:
    broken = python(checkout, 'mkdir -p "$3/bin"; echo ensurepip is not available >&2; exit 1')
    done = made(checkout, ".venv/made", f"PYTHON={broken}", "UV=")
    assert done.returncode != 0
    assert "apt install python3-venv" in done.stdout
    assert not (checkout / ".venv").exists()


def test_progress_is_shown_while_pip_installs(checkout: Path) -> None:
    done = made(checkout, ".venv/run", f"PYTHON={python(checkout, WHOLE)}", "UV=")
    assert done.returncode == 0, done.stderr
    assert "Installing the packages of 'run', about 1 GB" in done.stdout
    log = (checkout / "log").read_text()
    assert "--progress-bar on -c constraints.txt -e .[battery,data]" in log
    assert "--quiet" not in log


def test_uv_is_used_where_it_is(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    script(tools / "uv", f'echo uv "$@" >> {checkout}/log\nif [ "$1" = venv ]; then mkdir -p .venv/bin; fi')
    done = made(checkout, ".venv/run", f"PYTHON={python(checkout, 'exit 1')}", path=f"{tools}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    creating, installing = (checkout / "log").read_text().splitlines()
    assert creating.startswith("uv venv --quiet --seed --python ")
    assert installing == "uv pip install --python .venv/bin/python -c constraints.txt -e .[battery,data]"
