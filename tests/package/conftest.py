"""The wheel, installed into a virtual environment of its own. Its dependencies are those of the tests' environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import ROOT

FOREIGN = "raise SystemExit('foreign code was imported')\n"


@dataclass(frozen=True, slots=True)
class Installed:
    """Environment that holds the wheel."""

    folder: Path
    wheel: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def command(self) -> str:
        return str(self.folder / "bin" / "voltgraph")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it, as `pipx install` does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    [packages] = (environment / "lib").glob("*/site-packages")
    # A folder of a .pth file is searched, but its own .pth files are not read: not the checkout, installed as editable.
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return Installed(environment, wheel)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return a folder with packages of other projects that have the names of ours."""
    for name in ("app", "schema", "queries"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(FOREIGN)
    return tmp_path
